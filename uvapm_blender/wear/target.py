"""The artist's mesh as plain arrays, and whether it can wear a head at all."""

from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np

from ...engine.protocol.conventions import blender_to_model, model_to_blender
from ...engine.protocol.errors import EngineError, ErrorCode
from ...engine.protocol.safetensors import write_safetensors
from ..export.arrays import floats_of, integers_of

FLAT = 1e-9
"""Volume that a unit cube has under the object's transform, below which it is flat (ours)."""


@dataclass(frozen=True, eq=False)
class Target:
    """A mesh in the engine's axes, as its object stands and is scaled in the world.

    vertices (V, 3) f32, of the shape at rest; faces (F, 4) i32, a triangle repeats its last corner,
    larger polygons are triangles; corner_uv (F, 4, 2) f32 of the UV map `uv_name`, None without.
    polygon (F,): Blender's polygon of each face, `polygons` in all. turn (3, 3): from the object's
    coordinates to the world's.
    """

    vertices: np.ndarray
    faces: np.ndarray
    corner_uv: np.ndarray | None
    uv_name: str
    polygon: np.ndarray
    polygons: int
    turn: np.ndarray

    def write(self, path: Path) -> None:
        """For the engine, see `protocol/work.py`."""
        arrays = {"vertices": self.vertices, "faces": self.faces}
        if self.corner_uv is not None:
            arrays["corner_uv"] = self.corner_uv
        write_safetensors(path, {name: np.ascontiguousarray(a) for name, a in arrays.items()})

    def moves(self, shift: np.ndarray) -> np.ndarray:
        """(..., V, 3) displacements of the engine's as the object's own."""
        back = np.linalg.inv(self.turn).astype(np.float32)
        return model_to_blender(np.asarray(shift, np.float32)) @ back.T

    def covered(self, faces: np.ndarray) -> np.ndarray:
        """(polygons,) bool: a polygon is covered where one of its faces (F,) is."""
        return np.bincount(self.polygon[faces], minlength=self.polygons) > 0

    def fits(self, item: bpy.types.Object) -> bool:
        """Whether an object's mesh still has these vertices and polygons."""
        mesh = item.data
        return len(mesh.vertices) == len(self.vertices) and len(mesh.polygons) == self.polygons


def read_target(item: bpy.types.Object) -> Target:
    """The mesh of an object in Object Mode. Raises EngineError(BAD_INPUT) with the reason why it
    cannot wear a head."""
    reason = refusal(item)
    if reason:
        raise EngineError(ErrorCode.BAD_INPUT, f"{item.name}: {reason}")
    mesh = item.data
    turn = np.array(item.matrix_world.to_3x3(), np.float64)
    rows, polygon = _faces(mesh)
    corners = integers_of(mesh.loops, "vertex_index")
    if np.linalg.det(turn) < 0.0:  # mirrored by a negative scale: its faces would look inwards
        rows = _turned_over(rows)
    layer = mesh.uv_layers.active
    uv = None if layer is None else floats_of(layer.uv, "vector", 2)[rows]
    return Target(
        vertices=blender_to_model((_rest(mesh) @ turn.T).astype(np.float32)),
        faces=corners[rows].astype(np.int32),
        corner_uv=uv,
        uv_name="" if layer is None else layer.name,
        polygon=polygon,
        polygons=len(mesh.polygons),
        turn=turn,
    )


def refusal(item: bpy.types.Object) -> str:
    """Why an object's mesh cannot wear a head, "" when nothing speaks against it."""
    mesh = item.data
    if mesh.library is not None or item.library is not None:
        return "it is linked from another file. Make it local first (Object > Relations)"
    if not len(mesh.polygons):
        return "it has no faces"
    mirrors = [m for m in item.modifiers if m.type == "MIRROR" and m.show_viewport]
    if mirrors:
        return f"it is half a head. Apply its modifier {mirrors[0].name} first"
    if mesh.shape_keys is not None and not mesh.shape_keys.use_relative:
        return "its shape keys are absolute ones. Make them relative first"
    if abs(item.matrix_world.to_3x3().determinant()) < FLAT:
        return "it is scaled to nothing"
    return ""


def _rest(mesh: bpy.types.Mesh) -> np.ndarray:
    """(V, 3) f32 of the shape at rest."""
    if mesh.shape_keys is None:
        return floats_of(mesh.vertices, "co", 3)
    return floats_of(mesh.shape_keys.reference_key.points, "co", 3)


def _faces(mesh: bpy.types.Mesh) -> tuple[np.ndarray, np.ndarray]:
    """(F, 4) loops of each face, a triangle repeats its last one, and (F,) its polygon."""
    starts, sizes = (integers_of(mesh.polygons, f"loop_{name}") for name in ("start", "total"))
    small = np.flatnonzero(sizes <= 4)
    rows = starts[small, None] + np.minimum(np.arange(4), sizes[small, None] - 1)
    if len(small) == len(sizes):
        return rows, small
    mesh.calc_loop_triangles()
    loops = np.empty(len(mesh.loop_triangles) * 3, np.int32)
    mesh.loop_triangles.foreach_get("loops", loops)
    owner = integers_of(mesh.loop_triangles, "polygon_index")
    large = sizes[owner] > 4
    cut = loops.reshape(-1, 3)[large][:, [0, 1, 2, 2]]
    return np.concatenate([rows, cut]), np.concatenate([small, owner[large]])


def _turned_over(rows: np.ndarray) -> np.ndarray:
    """The same faces seen from the other side."""
    triangle = rows[:, 2:3] == rows[:, 3:4]
    return np.where(triangle, rows[:, [0, 2, 1, 1]], rows[:, [0, 3, 2, 1]])
