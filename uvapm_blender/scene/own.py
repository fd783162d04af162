"""A duplicated head becomes independent: what it shares with other heads is copied.

Blender's duplicates share images, materials and (linked ones) meshes. Nothing is wrong with that
until one of the heads changes; then these functions are called first. They do nothing, quickly,
where nothing is shared.
"""

from collections.abc import Iterator, Mapping

import bpy

from ..declarations import PROPERTY
from ..rig.look import aim_drivers, looks_by_itself
from .heads import parts_of
from .images import pack_changed

IMAGE_NODES = ("TEX_IMAGE", "TEX_ENVIRONMENT")


def own_meshes(root: bpy.types.Object) -> bool:
    """Meshes and shape keys of a head's parts for that head alone, the parts' keys driven by its
    own skin. Returns whether anything had to be done."""
    parts = parts_of(root)
    shared = [part for part in parts if part.data.users - part.data.use_fake_user > 1]
    for part in shared:
        part.data = part.data.copy()
    if not parts or (not shared and _follow_own(parts) and looks_by_itself(root)):
        return bool(shared)
    master = parts[0].data.shape_keys
    for target in _targets(parts[1:]):
        target.id = master
    if not looks_by_itself(root):
        aim_drivers(root)
    return True


def _targets(parts: list[bpy.types.Object]) -> Iterator[bpy.types.DriverTarget]:
    """What the keys of parts are driven by, where it is another mesh's keys."""
    for part in parts:
        keys = part.data.shape_keys
        if keys is None or keys.animation_data is None:
            continue
        for curve in keys.animation_data.drivers:
            for variable in curve.driver.variables:
                yield from (each for each in variable.targets if each.id_type == "KEY")


def _follow_own(parts: list[bpy.types.Object]) -> bool:
    """Whether the parts follow this head's skin, as the first of their drivers says."""
    first = next(_targets(parts[1:]), None)
    return first is None or first.id == parts[0].data.shape_keys


def own_materials(root: bpy.types.Object) -> Mapping[bpy.types.Image, bpy.types.Image]:
    """Materials and their images for this head alone: what other objects use is copied, and the
    head's own properties name the copies. Returns the copies by what they were copied from."""
    parts = parts_of(root)
    mine = {slot.material for part in parts for slot in part.material_slots} - {None}
    others = _materials_of_others(set(parts))
    for material in mine & others:
        own_meshes(root)  # a slot of a shared mesh would change for both
        copy = material.copy()
        for part in parts:
            for slot in part.material_slots:
                if slot.material == material:
                    slot.material = copy
    mine = {slot.material for part in parts for slot in part.material_slots} - {None}
    theirs = {node.image for node in image_nodes(others - mine)}
    copies: dict[bpy.types.Image, bpy.types.Image] = {}
    for node in image_nodes(mine):
        if node.image in theirs:
            if node.image not in copies:
                copies[node.image] = _copied(node.image)
            node.image = copies[node.image]
    remap_images(getattr(root, PROPERTY), copies)
    return copies


def _materials_of_others(mine: set[bpy.types.Object]) -> set[bpy.types.Material]:
    others = (item for item in bpy.data.objects if item not in mine)
    return {slot.material for item in others for slot in item.material_slots} - {None}


def image_nodes(
    blocks: set[bpy.types.Material] | set[bpy.types.World],
) -> list[bpy.types.Node]:
    """Nodes that show an image, also inside groups, in a set of materials or worlds."""
    waiting = [block.node_tree for block in blocks if block.node_tree]
    seen, found = set(), []
    while waiting:
        tree = waiting.pop()
        if tree in seen:
            continue
        seen.add(tree)
        found += [node for node in tree.nodes if node.type in IMAGE_NODES and node.image]
        waiting += [node.node_tree for node in tree.nodes if node.type == "GROUP"]
        waiting = [each for each in waiting if each is not None]
    return found


def _copied(image: bpy.types.Image) -> bpy.types.Image:
    pack_changed(image)  # a copy is made of what is packed
    return image.copy()


def remap_images(
    group: bpy.types.PropertyGroup, copies: Mapping[bpy.types.Image, bpy.types.Image]
) -> None:
    """Image properties of a group, and of the groups in it, follow `copies`."""
    if not copies:
        return
    for each in group.bl_rna.properties:
        if each.type != "POINTER" or each.identifier == "rna_type":
            continue
        value = getattr(group, each.identifier)
        if isinstance(value, bpy.types.PropertyGroup):
            remap_images(value, copies)
        elif isinstance(value, bpy.types.Image) and value in copies:
            setattr(group, each.identifier, copies[value])


def own_view(root: bpy.types.Object) -> None:
    """The photo's camera and light for this head alone."""
    head = getattr(root, PROPERTY)
    camera = _own_camera(root)
    if camera is not None:
        head.camera = camera
        if camera.data.users - camera.data.use_fake_user > 1:
            camera.data = camera.data.copy()
    others = (item for item in bpy.data.objects if item != root)
    if head.world is not None and any(
        getattr(item, PROPERTY).world == head.world for item in others
    ):
        head.world = head.world.copy()
        for node in image_nodes({head.world}):
            node.image = _copied(node.image)


def _own_camera(root: bpy.types.Object) -> bpy.types.Object | None:
    """The camera that rides along with this head; a duplicate may still name the other's."""
    found = (item for item in root.children_recursive if getattr(item, PROPERTY).role == "CAMERA")
    return next(found, None)
