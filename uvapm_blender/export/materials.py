"""Plain materials that exporters understand: pictures and constants straight into the shader."""

from collections.abc import Mapping

import bpy

from ..scene.images import COLOUR, DATA
from ..scene.material import principled
from .pictures import METAL_ROUGH, Saved
from .settings import Format
from .surface import BASE_COLOR, NORMAL, ROUGHNESS, Surface


def new_material(
    name: str, surface: Surface, saved: Mapping[str, Saved], kind: Format
) -> bpy.types.Material:
    """Material for one kind of part; its pictures are the saved files.

    OBJ's material knows colour only: most readers take its other maps for something else (bumps,
    colours), so those lie beside and are not linked.
    """
    material = bpy.data.materials.new(name)
    if not material.node_tree:  # deprecated switch, still needed before Blender 5
        material.use_nodes = True
    shader, links = principled(material), material.node_tree.links
    for socket, value in surface.constants.items():
        if socket in shader.inputs:
            shader.inputs[socket].default_value = value
    if BASE_COLOR in saved:
        node = _image_node(material, saved[BASE_COLOR])
        links.new(node.outputs["Color"], shader.inputs["Base Color"])
        if saved[BASE_COLOR].transparent:
            links.new(node.outputs["Alpha"], shader.inputs["Alpha"])
    if kind == Format.OBJ:
        return material
    if ROUGHNESS in saved:
        node = _image_node(material, saved[ROUGHNESS])
        links.new(node.outputs["Color"], shader.inputs["Roughness"])
    if METAL_ROUGH in saved:
        _link_metal_rough(material, _image_node(material, saved[METAL_ROUGH]))
    if NORMAL in saved:
        relief = material.node_tree.nodes.new("ShaderNodeNormalMap")
        node = _image_node(material, saved[NORMAL])
        links.new(node.outputs["Color"], relief.inputs["Color"])
        links.new(relief.outputs["Normal"], shader.inputs["Normal"])
    return material


def _link_metal_rough(material: bpy.types.Material, node: bpy.types.Node) -> None:
    split = material.node_tree.nodes.new("ShaderNodeSeparateColor")
    links, shader = material.node_tree.links, principled(material)
    links.new(node.outputs["Color"], split.inputs["Color"])
    links.new(split.outputs["Green"], shader.inputs["Roughness"])
    links.new(split.outputs["Blue"], shader.inputs["Metallic"])


def _image_node(material: bpy.types.Material, saved: Saved) -> bpy.types.ShaderNodeTexImage:
    node = material.node_tree.nodes.new("ShaderNodeTexImage")
    node.image = bpy.data.images.load(str(saved.path), check_existing=False)
    node.image.name = saved.path.stem
    node.image.colorspace_settings.name = COLOUR if saved.colour else DATA
    return node
