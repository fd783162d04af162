"""The meshes of a head in the scene as plain arrays. Nothing is changed."""

import bpy
import numpy as np

from ...engine.protocol.errors import EngineError, ErrorCode
from ..declarations import PROPERTY
from ..scene.heads import parts_of
from .arrays import floats_of, integers_of
from .geometry import PartGeometry
from .settings import ESSENTIAL_KEYS, ExportSettings

BONES = ("root", "head", "eye_L", "eye_R")
"""Names of the bones; the head hangs on the root, the eyes on the head."""

CORRECTIVE = "fix "
"""How names of driven correctives begin (rig.lids)."""


def read_parts(root: bpy.types.Object, settings: ExportSettings) -> tuple[PartGeometry, ...]:
    """Every mesh of a head, the skin first, as if the head stood at the origin, facing -Y.

    The size that the user gave the head is applied. Modifiers are left out: they would not go
    together with expressions. Raises EngineError when nothing is left of the head.
    """
    size = root.matrix_world.to_scale()
    stretch = np.array(size, np.float32)
    parts = tuple(_read_part(root, item, stretch, settings) for item in parts_of(root))
    if not parts:
        raise EngineError(
            ErrorCode.BAD_INPUT,
            f"{root.name} has no meshes any more, so there is nothing to write.",
        )
    return parts


def _read_part(
    root: bpy.types.Object, item: bpy.types.Object, stretch: np.ndarray, settings: ExportSettings
) -> PartGeometry:
    mesh, kind = item.data, kind_of(item)
    local = np.array(root.matrix_world.inverted_safe() @ item.matrix_world)
    if settings.neutral and kind == "eye":
        local[:3, :3] = np.eye(3)  # it looks straight ahead
    turn, origin = local[:3, :3].astype(np.float32), local[:3, 3].astype(np.float32)
    points, keys, weights = _shapes(mesh)
    chosen = {name: moves for name, moves in keys.items() if _is_wanted(name, settings)}
    if not settings.neutral:  # what no key can show any more goes into the shape at rest
        left = (weights[name] * keys[name] for name in keys if name not in chosen)
        points = points + sum(left, np.float32(0.0))
    weights = {name: 0.0 if settings.neutral else weights[name] for name in chosen}
    sizes = integers_of(mesh.polygons, "loop_total")
    return PartGeometry(
        label=_label(item, kind, origin),
        origin=origin * stretch,
        points=(points @ turn.T) * stretch,
        corners=integers_of(mesh.loops, "vertex_index"),
        sizes=sizes,
        uv=_uv(mesh),
        slots=np.zeros(len(sizes), np.int32),
        kinds=(kind,),
        keys={name: (moves @ turn.T) * stretch for name, moves in chosen.items()},
        weights=weights,
        bones=np.full(len(points), _bone_of(kind, origin), np.int32),
    )


def _is_wanted(name: str, settings: ExportSettings) -> bool:
    """Correctives are driven, which no file format tells, so they are never keys of a file."""
    if settings.keys == "NONE" or name.startswith(CORRECTIVE):
        return False
    return settings.keys == "ALL" or name in ESSENTIAL_KEYS


def kind_of(item: bpy.types.Object) -> str:
    """Kind of a part's material, see `scene.mesh.PLANS`."""
    return getattr(item, PROPERTY).kind or "plain"


def _label(item: bpy.types.Object, kind: str, origin: np.ndarray) -> str:
    """Equal for all heads, so that a program which imports a new version finds the old parts."""
    if kind == "eye":
        return "eye_L" if origin[0] > 0.0 else "eye_R"
    return {"lash": "lashes", "plain": item.name}.get(kind, kind)


def _bone_of(kind: str, origin: np.ndarray) -> int:
    if kind != "eye":
        return BONES.index("head")
    return BONES.index("eye_L" if origin[0] > 0.0 else "eye_R")


def _shapes(
    mesh: bpy.types.Mesh,
) -> tuple[np.ndarray, dict[str, np.ndarray], dict[str, float]]:
    """Points at rest (n, 3), moves (n, 3) of each expression, and the expressions' values now."""
    points = floats_of(mesh.vertices, "co", 3)
    if mesh.shape_keys is None:
        return points, {}, {}
    blocks = mesh.shape_keys.key_blocks
    places = {block.name: floats_of(block.points, "co", 3) for block in blocks}
    points = places[mesh.shape_keys.reference_key.name]
    others = [block for block in blocks if block != mesh.shape_keys.reference_key]
    keys = {block.name: places[block.name] - places[block.relative_key.name] for block in others}
    return points, keys, {block.name: 0.0 if block.mute else block.value for block in others}


def _uv(mesh: bpy.types.Mesh) -> np.ndarray:
    layer = mesh.uv_layers.active
    return (
        np.zeros((len(mesh.loops), 2), np.float32)
        if layer is None
        else floats_of(layer.uv, "vector", 2)
    )
