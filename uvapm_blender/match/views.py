"""What the skin shows: its material, plain clay, or a map that tells how it was made."""

import bpy
import numpy as np

from ...engine.protocol.errors import EngineError
from ...engine.protocol.origin import ORIGIN_COLOURS, origin_picture
from ..declarations import PROPERTY
from ..scene.heads import parts_of
from ..scene.images import DATA, new_packed, read_file
from ..scene.material import principled
from ..scene.result_file import result_file

VIEW_ITEMS = (
    ("SKIN", "Skin", "The skin's material"),
    ("CLAY", "Clay", "Grey clay: the shape alone"),
    ("ALBEDO", "Albedo", "The colours alone, without any light"),
    ("ORIGIN", "Origin", "Where each part of the texture comes from"),
    ("CONFIDENCE", "Confidence", "White: the photo shows it sharply. Black: guessed"),
    ("BAKED_LIGHT", "Light left", "White where the texture still follows the light of the photo"),
)
MAP_FILES = {
    "ORIGIN": "maps/origin.png",
    "CONFIDENCE": "maps/confidence.png",
    "BAKED_LIGHT": "maps/baked_light.png",
}
LEGEND = tuple(zip(("Seen", "Mirrored", "Completed"), ORIGIN_COLOURS, strict=True))

VIEW_NODE = "UVAPM view"
"""Name of the nodes that stand between skin and output while a view is on."""
CLAY = (0.35, 0.35, 0.35, 1.0)
"""Linear RGBA. Ours: the grey of sculpting programs."""
FORM = 0.6
"""How much darker a map is where the surface turns away: without it the face has no form. Ours."""


def refresh(root: bpy.types.Object) -> None:
    """Show on the skin what the head's `match.view` says; a map that is gone shows the skin."""
    match, material = getattr(root, PROPERTY).match, skin_of(root)
    if material is None:
        return
    match.problem = ""
    picture = None
    if match.view in MAP_FILES:
        try:
            picture = _map_image(root, match.view)
        except EngineError as error:
            match.problem = error.message
            show_skin(material)
            return
    show_skin(material)
    if match.view != "SKIN":
        _show(material, match.view, picture)


def skin_of(root: bpy.types.Object) -> bpy.types.Material | None:
    """The material of a head's skin, None where the user took it away."""
    parts = parts_of(root)
    material = parts[0].active_material if parts else None
    usable = material is not None and material.node_tree is not None
    return material if usable and _output(material) is not None else None


def show_skin(material: bpy.types.Material) -> None:
    """Take a view away: the Principled shader is the surface again."""
    tree = material.node_tree
    nodes = [node for node in tree.nodes if node.name.startswith(VIEW_NODE)]
    if not nodes:
        return
    images = {node.image for node in nodes if node.type == "TEX_IMAGE" and node.image}
    for node in nodes:
        tree.nodes.remove(node)
    for image in images:
        if not image.users:
            bpy.data.images.remove(image)
    shader = principled(material)
    tree.links.new(shader.outputs["BSDF"], _output(material).inputs["Surface"])


def _output(material: bpy.types.Material) -> bpy.types.Node | None:
    nodes = material.node_tree.nodes
    outputs = [node for node in nodes if node.type == "OUTPUT_MATERIAL"]
    return next((node for node in outputs if node.is_active_output), None)


def _show(material: bpy.types.Material, view: str, picture: bpy.types.Image | None) -> None:
    tree, output = material.node_tree, _output(material)

    def add(kind: str, column: int) -> bpy.types.Node:
        node = tree.nodes.new(kind)
        node.name = node.label = VIEW_NODE
        node.location = (output.location.x - 200 * column, output.location.y + 400)
        return node

    if view == "CLAY":
        shader = add("ShaderNodeBsdfDiffuse", 1)
        shader.inputs["Color"].default_value = CLAY
        tree.links.new(shader.outputs["BSDF"], output.inputs["Surface"])
        return
    shader = add("ShaderNodeEmission", 1)
    tree.links.new(shader.outputs["Emission"], output.inputs["Surface"])
    if view == "ALBEDO":
        source = principled(material).inputs["Base Color"]
        if source.is_linked:
            tree.links.new(source.links[0].from_socket, shader.inputs["Color"])
        return
    texture = add("ShaderNodeTexImage", 3)
    texture.image = picture
    tree.links.new(texture.outputs["Color"], shader.inputs["Color"])
    facing, form = add("ShaderNodeLayerWeight", 3), add("ShaderNodeMath", 2)
    form.operation = "MULTIPLY_ADD"
    form.inputs[1].default_value, form.inputs[2].default_value = -FORM, 1.0
    tree.links.new(facing.outputs["Facing"], form.inputs[0])
    tree.links.new(form.outputs[0], shader.inputs["Strength"])


def _map_image(root: bpy.types.Object, view: str) -> bpy.types.Image:
    values = read_file(result_file(root, MAP_FILES[view]), DATA)[..., 0]
    picture = origin_picture(values) if view == "ORIGIN" else np.dstack([values] * 3)
    return new_packed(f"{root.name} {view.replace('_', ' ').lower()}", picture, linear=False)
