"""Take a head away with everything that only it uses."""

import bpy

from ..declarations import PROPERTY


def remove_head(root: bpy.types.Object) -> None:
    """Remove a head's objects and every data-block that nothing else uses afterwards.

    A scene that was lit by the head's world is left without one: what was there before is not
    known.
    """
    world = getattr(root, PROPERTY).world
    objects = [root, *root.children_recursive]
    collections = {each for item in objects for each in item.users_collection}
    data = {item.data for item in objects if item.data is not None}
    materials = {slot.material for item in objects for slot in item.material_slots if slot.material}
    images = _images_of(objects, materials, world)
    for scene in bpy.data.scenes:
        if world is not None and scene.world == world:
            scene.world = None
    bpy.data.batch_remove(objects)
    for blocks in (data, materials, {world} - {None}, images):
        bpy.data.batch_remove([block for block in blocks if block.users == 0])
    scene_roots = {scene.collection for scene in bpy.data.scenes}
    empty = [each for each in collections - scene_roots if not each.all_objects]
    bpy.data.batch_remove([each for each in empty if not each.children])


def _images_of(
    objects: list[bpy.types.Object],
    materials: set[bpy.types.Material],
    world: bpy.types.World | None,
) -> set[bpy.types.Image]:
    trees = [block.node_tree for block in (*materials, world) if block and block.node_tree]
    nodes = [node for tree in trees for node in tree.nodes]
    images = {node.image for node in nodes if node.type in ("TEX_IMAGE", "TEX_ENVIRONMENT")}
    cameras = [item.data for item in objects if item.type == "CAMERA"]
    images |= {each.image for camera in cameras for each in camera.background_images}
    return images - {None}
