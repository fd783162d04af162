"""Blinks that close again after the shape of a head has changed."""

import bpy
import numpy as np

from ...engine.protocol.conventions import blender_to_model, model_to_blender
from ..scene.heads import parts_of
from .fixes import eyes_of, points_of
from .lids import BLINK, closing, riding
from .margins import Lids, find_lids


def close_lids(root: bpy.types.Object) -> bool:
    """Scale the blinks of a head so that the edges of its lids, as they are now, just meet.

    What an artist sculpted into a blink stays, scaled with it. Costs some 50 ms. False for a head
    without blinks or lids.
    """
    parts = parts_of(root)
    skin = parts[0] if parts else None
    if skin is None or skin.data.shape_keys is None or skin.mode in ("EDIT", "SCULPT"):
        return False
    rest = blender_to_model(points_of(skin.data.shape_keys.key_blocks[0]))
    quads, uv = _faces(skin.data)
    changed = False
    for side, eye in eyes_of(root).items():
        if BLINK + side not in skin.data.shape_keys.key_blocks or not len(quads):
            continue
        lids = find_lids(np.concatenate([rest, _ball(eye)]), quads, uv, _after(rest, eye))
        if lids is not None:
            lashes = [part for part in parts if part.uvapm.kind == "lash"]
            _close(skin, lashes, rest, lids, BLINK + side)
            changed = True
    return changed


def _close(
    skin: bpy.types.Object,
    lashes: list[bpy.types.Object],
    rest: np.ndarray,
    lids: Lids,
    name: str,
) -> None:
    key = skin.data.shape_keys.key_blocks[name]
    before = blender_to_model(points_of(key)) - rest
    after = closing(rest, before, lids, lower_share=1.0)
    _write(key, rest + after)
    for part in lashes:
        keys = part.data.shape_keys
        if keys is None or name not in keys.key_blocks:
            continue
        root_of = blender_to_model(points_of(keys.key_blocks[0]))
        moved = blender_to_model(points_of(keys.key_blocks[name])) - root_of
        own = np.linalg.norm(moved, axis=1) > 0.0
        places = np.concatenate([rest, root_of])
        indices = len(rest) + np.flatnonzero(own)
        old, new = (np.concatenate([shape, moved]) for shape in (before, after))
        moved[own] = riding(places, old, new, lids, indices)
        _write(keys.key_blocks[name], root_of + moved)
    for part in (skin, *lashes):
        part.data.update_tag()


def _write(key: bpy.types.ShapeKey, points: np.ndarray) -> None:
    moved = model_to_blender(points.astype(np.float32))
    key.points.foreach_set("co", np.ascontiguousarray(moved, np.float32).ravel())


def _faces(mesh: bpy.types.Mesh) -> tuple[np.ndarray, np.ndarray]:
    """(F, 4) vertices and (F, 4, 2) UV, a triangle repeats its last corner; (0, 4) where an artist
    has made faces with more corners."""
    count, layer = len(mesh.loops), mesh.uv_layers.active
    sizes = np.empty(len(mesh.polygons), np.int32)
    mesh.polygons.foreach_get("loop_total", sizes)
    if layer is None or not np.isin(sizes, (3, 4)).all():
        return np.empty((0, 4), np.int64), np.empty((0, 4, 2))
    corners, uv = np.empty(count, np.int32), np.empty(count * 2, np.float32)
    mesh.loops.foreach_get("vertex_index", corners)
    layer.uv.foreach_get("vector", uv)
    rows = (np.cumsum(sizes) - sizes)[:, None] + np.minimum(np.arange(4), sizes[:, None] - 1)
    return corners[rows].astype(np.int64), uv.reshape(-1, 2)[rows]


def _ball(eye: bpy.types.Object) -> np.ndarray:
    """(n, 3) vertices of an eyeball at rest, in the head's model space."""
    points = np.empty(len(eye.data.vertices) * 3, np.float32)
    eye.data.vertices.foreach_get("co", points)
    return blender_to_model(points.reshape(-1, 3) + np.array(eye.location, np.float32))


def _after(rest: np.ndarray, eye: bpy.types.Object) -> np.ndarray:
    return len(rest) + np.arange(len(eye.data.vertices))
