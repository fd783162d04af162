"""Levels of detail: a subdivided mesh without its subdivision, and meshes with fewer triangles.

Both keep UV seams, borders, expressions and the normals of the full mesh, so that a normal map
that fits the full mesh fits every level.
"""

from dataclasses import replace

import bpy
import numpy as np

from .arrays import floats_of, integers_of
from .geometry import PartGeometry, smooth_normals

SHARE_OF_LOD1 = 0.25
"""Of the full mesh's triangles: what one subdivision multiplied by four."""
SHARE_OF_LOD2 = 0.07
"""Ours: about 2,500 triangles of the default head; fewer break lids and lips."""
FEWEST = 96
"""Triangles. Ours: a part is not made simpler than this."""

_KEY, _NORMAL = "uvapm key {}", "uvapm normal"


def levels_of(part: PartGeometry, count: int) -> tuple[PartGeometry, ...]:
    """The part in `count` levels, the full one first."""
    full = part if count == 1 else replace(part, normals=smooth_normals(part))
    levels = [part]
    for share in (SHARE_OF_LOD1, SHARE_OF_LOD2)[: count - 1]:
        wanted = max(int(full.triangles * share), min(FEWEST, full.triangles))
        coarse = full if len(levels) > 1 or wanted > full.triangles / 3 else unsubdivide(full)
        base = levels[-1] if len(levels) > 1 else full
        levels.append(coarse if coarse not in (None, full) else collapse(base, wanted))
    return tuple(levels)


def unsubdivide(part: PartGeometry) -> PartGeometry | None:
    """The mesh before one Catmull-Clark step (Catmull & Clark 1978), at the places of its
    vertices after the step; None when the mesh did not come from one.

    Each quad of a subdivided mesh is (vertex, edge point, face point, edge point) from some
    corner on; ours begin with the vertex (see the head pack). Quads around one face point were
    one face.
    """
    if not (part.sizes == 4).all():
        return None
    quads, uv = part.corners.reshape(-1, 4), part.uv.reshape(-1, 4, 2)
    kept = np.unique(quads[:, 0])
    if np.isin(quads[:, 1:], kept).any() or np.isin(quads[:, 2], quads[:, [1, 3]]).any():
        return None
    order, sizes = _around_face_points(quads)
    if order is None:
        return None
    number = np.full(len(part.points), -1)
    number[kept] = np.arange(len(kept))
    first = order[np.cumsum(sizes) - sizes]
    return replace(
        part,
        points=part.points[kept],
        corners=number[quads[order, 0]],
        sizes=sizes,
        uv=uv[order, 0],
        slots=part.slots[first],
        keys={name: moves[kept] for name, moves in part.keys.items()},
        normals=None if part.normals is None else part.normals[kept],
        bones=None if part.bones is None else part.bones[kept],
    )


def _around_face_points(quads: np.ndarray) -> tuple[np.ndarray | None, np.ndarray]:
    """Rows of `quads` in the order in which they go around their face points, and how many each.

    (v0, a, f, d), (v1, b, f, a): the edge point after v0 is the one before v1.
    """
    groups: dict[int, dict[int, int]] = {}
    for row, (_, _, centre, before) in enumerate(quads.tolist()):
        groups.setdefault(centre, {})[before] = row
    order, sizes = [], []
    for rows in groups.values():
        start = row = next(iter(rows.values()))
        count = 0
        while True:
            order.append(row)
            count += 1
            row = rows.get(int(quads[row, 1]), -1)
            if row == start:
                break
            if row < 0 or count > len(rows):
                return None, np.empty(0)
        if count != len(rows):
            return None, np.empty(0)
        sizes.append(count)
    return np.array(order), np.array(sizes)


def collapse(part: PartGeometry, triangles: int) -> PartGeometry:
    """At most about this many triangles, by quadric edge collapse (Garland & Heckbert 1997).

    Expressions and normals ride along as vertex attributes, so a vertex of the lower lip never
    takes moves of the upper one, as looking for the nearest point would.
    """
    mesh = _with_attributes(part)
    item = bpy.data.objects.new("uvapm lod", mesh)
    made = None
    try:
        bpy.context.scene.collection.objects.link(item)
        modifier = item.modifiers.new("lod", "DECIMATE")
        modifier.ratio = min(triangles / max(part.triangles, 1), 1.0)
        depsgraph = bpy.context.evaluated_depsgraph_get()
        made = bpy.data.meshes.new_from_object(
            item.evaluated_get(depsgraph), preserve_all_data_layers=True, depsgraph=depsgraph
        )
        return _read_back(part, made)
    finally:
        bpy.data.objects.remove(item)
        bpy.data.meshes.remove(mesh)
        if made is not None:
            bpy.data.meshes.remove(made)


def _with_attributes(part: PartGeometry) -> bpy.types.Mesh:
    mesh = new_mesh("uvapm lod", part)
    vectors = {_KEY.format(i): moves for i, moves in enumerate(part.keys.values())}
    if part.normals is not None:
        vectors[_NORMAL] = part.normals
    for name, values in vectors.items():
        layer = mesh.attributes.new(name, "FLOAT_VECTOR", "POINT")
        layer.data.foreach_set("vector", np.ascontiguousarray(values, np.float32).ravel())
    return mesh


def _read_back(part: PartGeometry, mesh: bpy.types.Mesh) -> PartGeometry:
    points = floats_of(mesh.vertices, "co", 3)
    normals = None
    if part.normals is not None:
        normals = floats_of(mesh.attributes[_NORMAL].data, "vector", 3)
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    bones = None
    if part.bones is not None:  # parts are simplified one by one, and each has one bone
        bones = np.full(len(points), part.bones[0])
    return replace(
        part,
        points=points,
        corners=integers_of(mesh.loops, "vertex_index"),
        sizes=integers_of(mesh.polygons, "loop_total"),
        uv=floats_of(mesh.uv_layers[0].uv, "vector", 2),
        slots=integers_of(mesh.polygons, "material_index"),
        keys={
            name: floats_of(mesh.attributes[_KEY.format(i)].data, "vector", 3)
            for i, name in enumerate(part.keys)
        },
        normals=normals,
        bones=bones,
    )


def new_mesh(name: str, part: PartGeometry) -> bpy.types.Mesh:
    """A smooth mesh with its UV layer and material slots' numbers; no keys, no materials."""
    mesh = bpy.data.meshes.new(name)
    mesh.vertices.add(len(part.points))
    mesh.vertices.foreach_set("co", np.ascontiguousarray(part.points, np.float32).ravel())
    mesh.loops.add(len(part.corners))
    mesh.loops.foreach_set("vertex_index", part.corners.astype(np.int32))
    mesh.polygons.add(len(part.sizes))
    starts = (np.cumsum(part.sizes) - part.sizes).astype(np.int32)
    mesh.polygons.foreach_set("loop_start", starts)
    mesh.polygons.foreach_set("material_index", part.slots.astype(np.int32))
    mesh.update(calc_edges=True)
    mesh.shade_smooth()
    layer = mesh.uv_layers.new(name="UVMap")
    layer.uv.foreach_set("vector", np.ascontiguousarray(part.uv, np.float32).ravel())
    return mesh
