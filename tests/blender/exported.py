"""Comparing a head with what another program would read from its exported file."""

import numpy as np

KINDS = (
    "objects", "meshes", "materials", "images", "armatures", "collections", "node_groups",
    "shape_keys", "actions", "scenes", "worlds", "cameras",
)  # fmt: skip
PARTS = {"skin", "eye_L", "eye_R", "teeth", "tongue", "lashes"}
A_LEVEL = 1.01 / 255


def scene_state(bpy, built):
    links = sorted(
        (link.from_node.name, link.from_socket.identifier, link.to_node.name)
        for link in built.head.active_material.node_tree.links
    )
    layer = bpy.context.view_layer
    render = bpy.context.scene.render
    names = {kind: sorted(item.name for item in getattr(bpy.data, kind)) for kind in KINDS}
    chosen = [item.name for item in layer.objects.selected], layer.objects.active.name
    return names, links, chosen, render.engine, [part.hide_get() for part in built.parts]


def import_into_empty(bpy, path):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    reader, extra = {
        ".fbx": (bpy.ops.import_scene.fbx, {}),
        ".glb": (bpy.ops.import_scene.gltf, {"merge_vertices": True}),
        ".gltf": (bpy.ops.import_scene.gltf, {"merge_vertices": True}),
        ".obj": (bpy.ops.wm.obj_import, {}),
        ".usdc": (bpy.ops.wm.usd_import, {}),
        ".usdz": (bpy.ops.wm.usd_import, {}),
    }[path.suffix]
    reader(filepath=str(path), **extra)
    bpy.context.view_layer.update()
    return {i.data.name if "usd" in path.suffix else i.name: i for i in meshes_of(bpy)}


def meshes_of(bpy):
    return [item for item in bpy.data.objects if item.type == "MESH"]


def floats(items, name, width):
    values = np.empty(len(items) * width, np.float32)
    items.foreach_get(name, values)
    return values.reshape(-1, width).astype(np.float64)


def in_world(item, points):
    matrix = np.array(item.matrix_world)
    return points @ matrix[:3, :3].T + matrix[:3, 3]


def shape_of(item, names=()):
    """World places at rest, and of each named key: (1 + K, n, 3)."""
    if item.data.shape_keys is None:
        return in_world(item, floats(item.data.vertices, "co", 3))[None]
    blocks = item.data.shape_keys.key_blocks
    wanted = [blocks[0], *(blocks[name] for name in names)]
    return np.stack([in_world(item, floats(block.points, "co", 3)) for block in wanted])


def sorted_rows(table):
    """Rows in an order that does not depend on who wrote them."""
    table = np.round(table, 5) + 0.0
    return table[np.lexsort(table.T)]


def corners_of(item, names):
    """UV, and the places of every key, of each different corner."""
    index = np.empty(len(item.data.loops), np.int32)
    item.data.loops.foreach_get("vertex_index", index)
    uv = floats(item.data.uv_layers.active.uv, "vector", 2)
    shape = shape_of(item, names)[:, index].transpose(1, 0, 2).reshape(len(index), -1)
    return sorted_rows(np.unique(np.round(np.hstack([uv, shape]), 5) + 0.0, axis=0))


def keys_of(item):
    keys = item.data.shape_keys
    return [] if keys is None else [block.name for block in keys.key_blocks[1:]]


def picture_of(addon, item, socket):
    shader = addon.material.principled(item.active_material)
    node = shader.inputs[socket].links[0].from_node
    while node.type != "TEX_IMAGE":
        node = next(link.from_node for each in node.inputs for link in each.links)
    return addon.images.read_pixels(node.image)


def assert_normals_point_outwards(item):
    """The tiny result's skin is a ball; a level of detail keeps the full ball's normals."""
    index = np.empty(len(item.data.loops), np.int32)
    item.data.loops.foreach_get("vertex_index", index)
    slots = np.empty(len(item.data.polygons), np.int32)
    item.data.polygons.foreach_get("material_index", slots)
    sizes = np.empty(len(item.data.polygons), np.int32)
    item.data.polygons.foreach_get("loop_total", sizes)
    skin = np.repeat(slots, sizes) == [m.name for m in item.data.materials].index("hero_skin")
    points = floats(item.data.vertices, "co", 3)[index[skin]]
    away = points - (points.max(0) + points.min(0)) / 2
    away /= np.linalg.norm(away, axis=1, keepdims=True)
    normals = floats(item.data.corner_normals, "vector", 3)[skin]
    assert (normals * away).sum(1).min() > 0.9
