"""Mesh objects of a head: one per part, with corner UVs, quads and live expression keys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import bpy
import numpy as np

from ...engine.protocol.conventions import model_to_blender
from ...engine.protocol.faces import is_triangle
from ...engine.protocol.result import ResultMesh
from ...engine.protocol.teeth import teeth_uv
from ..declarations import PROPERTY

VERTEX_ATTRIBUTE = "uvapm_vertex"
"""Integer point attribute: index of the vertex in the head pack."""

UPPER_TEETH = "teeth_upper"
FIX = "fix "
"""How the names of keys begin that belong to no expression: see `rig.fixes`."""

STILL = 1e-6
"""Metres. An expression that moves a part less than this gets no key there (ours: a micrometre,
below half-float noise of the deltas)."""


@dataclass(frozen=True)
class PartPlan:
    """One object: its label, the pack's parts in it, and the kind of its material."""

    label: str
    parts: tuple[str, ...]
    material: str


PLANS = (
    PartPlan("head", ("skin",), "skin"),
    PartPlan("eye L", ("eye_left",), "eye"),
    PartPlan("eye R", ("eye_right",), "eye"),
    PartPlan("teeth", ("teeth_upper", "teeth_lower"), "teeth"),
    PartPlan("tongue", ("tongue",), "tongue"),
    PartPlan("lashes", ("lashes_left", "lashes_right"), "lash"),
)
"""The first is the master: its keys drive those of the others."""


@dataclass(frozen=True, eq=False)
class PartArrays:
    """Arrays of one object in Blender axes, relative to `origin`.

    vertices: (n,) index into the pack's vertices. neutral (n, 3), expression (E, n, 3), f32.
    faces (f, 4) indices into `vertices`, a triangle repeats its last corner; uv (f, 4, 2);
    origin (3,).
    """

    plan: PartPlan
    vertices: np.ndarray
    neutral: np.ndarray
    expression: np.ndarray
    faces: np.ndarray
    uv: np.ndarray
    origin: np.ndarray


def plans_for(part_names: Sequence[str]) -> tuple[PartPlan, ...]:
    """The objects to build; a part we have no plan for becomes an object of its own."""
    planned = {name for plan in PLANS for name in plan.parts}
    known = tuple(plan for plan in PLANS if set(plan.parts) & set(part_names))
    extra = (name for name in part_names if name not in planned)
    return known + tuple(PartPlan(name.replace("_", " "), (name,), "plain") for name in extra)


def split_part(mesh: ResultMesh, part_names: Sequence[str], plan: PartPlan) -> PartArrays | None:
    """Faces of a plan's parts with their own vertices; None when there are none.

    Eyeballs get their centre as origin, so that they turn in place; everything else keeps the
    head's origin. Teeth get UVs for their own picture: the pack's know of no single tooth.
    """
    ids = [index for index, name in enumerate(part_names) if name in plan.parts]
    chosen = np.isin(mesh.face_part, ids)
    if not chosen.any():
        return None
    vertices, faces = np.unique(mesh.quads[chosen], return_inverse=True)
    neutral = model_to_blender(mesh.neutral[vertices].astype(np.float32))
    origin = np.zeros(3, dtype=np.float32)
    if plan.material == "eye":
        origin = (neutral.min(0) + neutral.max(0)) / 2
    uv = mesh.corner_uv[chosen].astype(np.float32)
    if plan.material == "teeth":
        upper = [index for index, name in enumerate(part_names) if name == UPPER_TEETH]
        jaws = np.isin(mesh.face_part[chosen], upper)
        uv = teeth_uv(mesh.neutral[vertices], faces.reshape(-1, 4), jaws)
    return PartArrays(
        plan=plan,
        vertices=vertices,
        neutral=neutral - origin,
        expression=model_to_blender(mesh.expression[:, vertices].astype(np.float32)),
        faces=faces.reshape(-1, 4),
        uv=uv,
        origin=origin,
    )


def real_corners(faces: np.ndarray) -> np.ndarray:
    """(f, 4) bool: all of a quad's corners, and the first three of a triangle's, which repeats
    its last one. faces (f, 4)."""
    kept = np.ones(faces.shape, bool)
    kept[:, 3] = ~is_triangle(faces)
    return kept


def new_mesh(name: str, arrays: PartArrays) -> bpy.types.Mesh:
    """Smooth quads and triangles with one corner UV layer."""
    mesh = bpy.data.meshes.new(name)
    kept = real_corners(arrays.faces)
    corners, sizes = arrays.faces[kept].astype(np.int32), kept.sum(axis=1)
    mesh.vertices.add(len(arrays.neutral))
    mesh.vertices.foreach_set("co", arrays.neutral.ravel())
    mesh.loops.add(len(corners))
    mesh.loops.foreach_set("vertex_index", corners)
    mesh.polygons.add(len(sizes))
    mesh.polygons.foreach_set("loop_start", (np.cumsum(sizes) - sizes).astype(np.int32))
    mesh.update(calc_edges=True)
    mesh.shade_smooth()
    layer = mesh.uv_layers.new(name="UVMap")
    layer.uv.foreach_set("vector", np.ascontiguousarray(arrays.uv[kept]).ravel())
    attribute = mesh.attributes.new(VERTEX_ATTRIBUTE, "INT", "POINT")
    attribute.data.foreach_set("value", arrays.vertices.astype(np.int32))
    return mesh


def new_object(
    name: str, arrays: PartArrays, material: bpy.types.Material, parent: bpy.types.Object
) -> bpy.types.Object:
    """Object of one part under `parent`. Not yet in a collection."""
    part = bpy.data.objects.new(name, new_mesh(name, arrays))
    part.parent = parent
    part.location = arrays.origin
    getattr(part, PROPERTY).kind = arrays.plan.material
    part.data.materials.append(material)
    return part


def add_keys(
    part: bpy.types.Object, arrays: PartArrays, names: Sequence[str], always: frozenset[str]
) -> frozenset[str]:
    """Shape keys for the expressions that move this part, and for those in `always`.

    Returns the names of the keys that were made.
    """
    moved = np.abs(arrays.expression).max(axis=(1, 2), initial=0.0) > STILL
    wanted = [i for i, name in enumerate(names) if moved[i] or name in always]
    if not wanted:
        return frozenset()
    part.shape_key_add(name="Basis", from_mix=False)
    for index in wanted:
        key = part.shape_key_add(name=names[index], from_mix=False)
        key.slider_min, key.slider_max = 0.0, 1.0
        key.points.foreach_set("co", (arrays.neutral + arrays.expression[index]).ravel())
    return frozenset(names[i] for i in wanted)


def set_keys(part: bpy.types.Object, weights: Mapping[str, float]) -> None:
    """Pose a part: value of each of its keys, [0, 1]."""
    for key in part.data.shape_keys.key_blocks[1:]:
        key.value = weights[key.name]


def drive_keys(part: bpy.types.Object, master: bpy.types.Object) -> None:
    """Let the master's keys move the keys of the same names: one slider moves the whole head."""
    keys = part.data.shape_keys
    for key in keys.key_blocks[1:] if keys else ():
        drive_key(key, master)


def drive_key(key: bpy.types.ShapeKey, master: bpy.types.Object) -> None:
    """Let the master's key of the same name move a key, instead of what moved it before."""
    key.driver_remove("value")
    driver = key.driver_add("value").driver
    driver.type = "AVERAGE"  # no Python expression, so it runs where scripts may not
    variable = driver.variables.new()
    variable.name = "weight"
    target = variable.targets[0]
    target.id_type = "KEY"
    target.id = master.data.shape_keys
    target.data_path = f'key_blocks["{bpy.utils.escape_identifier(key.name)}"].value'
