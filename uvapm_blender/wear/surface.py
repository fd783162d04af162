"""The baked textures as a material of the artist's mesh, on the faces that they cover."""

import bpy
import numpy as np

from ...engine.protocol.wear import WearPackage
from ..declarations import PROPERTY
from ..export.arrays import integers_of
from ..scene.images import COLOUR, DATA, load_packed
from ..scene.made import Steps
from ..scene.material import SKIN_MEAN_FREE_PATH, new_material, principled
from .blend import bare_polygons, fade_into, material_beside
from .target import Target

MAPS = {"albedo": COLOUR, "normal": DATA, "roughness": DATA, "coverage": DATA}
METRES = "metres_per_unit"
"""Figure of `wear.json`: metres in a unit of the mesh as it was given."""


def new_surface(
    item: bpy.types.Object, target: Target, package: WearPackage, name: str
) -> Steps[bpy.types.Material | None]:
    """A material with the textures for an object; None where none were asked for."""
    if "maps/albedo.png" not in package.manifest.files:
        return None
    pictures = {}
    for key, space in MAPS.items():
        pictures[key] = load_packed(package.path(f"maps/{key}.png"), f"{name} {key}", space)
        yield
    material = new_material("skin", name, pictures)
    scale = package.manifest.metrics.get(METRES, 1.0)
    shader = principled(material)
    shader.inputs["Subsurface Scale"].default_value = SKIN_MEAN_FREE_PATH / scale
    mesh = item.data
    beside = material_beside(mesh, target.covered(package.covered))
    shown = next((layer.name for layer in mesh.uv_layers if layer.active_render), "")
    if beside == getattr(item, PROPERTY).worn.material:
        beside = None  # the whole mesh wears it
    fade_into(material, beside, pictures["coverage"], shown)
    _use_uv(material, target.uv_name)
    return material


def _use_uv(material: bpy.types.Material, uv_name: str) -> None:
    """All pictures, and the tangents of the relief, by this UV map, whichever is active later."""
    tree = material.node_tree
    place = tree.nodes.new("ShaderNodeUVMap")
    place.uv_map = uv_name
    place.location = (principled(material).location.x - 900, principled(material).location.y)
    for node in tree.nodes:
        if node.type == "TEX_IMAGE" and not node.inputs["Vector"].is_linked:
            tree.links.new(place.outputs["UV"], node.inputs["Vector"])
        elif node.type == "NORMAL_MAP":
            node.uv_map = uv_name


def assign_surface(
    item: bpy.types.Object, material: bpy.types.Material, covered: np.ndarray
) -> None:
    """Give the covered polygons (polygons,), and those that have no material, this one: in the slot
    of an earlier wearing, else in a new one after the artist's. Others keep theirs. They become
    smooth: the relief is baked against smooth normals."""
    mesh, worn = item.data, getattr(item, PROPERTY).worn
    old = worn.material
    slot = next((n for n, m in enumerate(mesh.materials) if old is not None and m == old), None)
    covered = covered | bare_polygons(mesh)
    if slot is None:
        mesh.materials.append(material)
        slot = len(mesh.materials) - 1
    else:
        mesh.materials[slot] = material
        remove_surface(old)
    worn.material = material
    numbers = integers_of(mesh.polygons, "material_index")
    numbers[covered] = slot
    mesh.polygons.foreach_set("material_index", numbers)
    smooth = np.empty(len(mesh.polygons), bool)
    mesh.polygons.foreach_get("use_smooth", smooth)
    mesh.polygons.foreach_set("use_smooth", smooth | covered)
    mesh.update()


def remove_surface(material: bpy.types.Material) -> None:
    """A material of ours that nothing uses any more, with its pictures."""
    nodes = material.node_tree.nodes if material.node_tree else ()
    images = {node.image for node in nodes if node.type == "TEX_IMAGE" and node.image}
    if material.users - material.use_fake_user <= 1:  # the pointer of what wore it
        bpy.data.materials.remove(material)
        bpy.data.batch_remove([image for image in images if not image.users])
