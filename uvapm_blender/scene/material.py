"""Materials: skin, eyes, teeth, tongue, lashes."""

from collections.abc import Mapping
from pathlib import Path

import bpy

from .eye_material import shade_eye
from .images import load_packed

SKIN_IOR = 1.4
"""Index of refraction of skin (Tuchin, Tissue Optics: 1.38 to 1.41)."""
SKIN_MEAN_FREE_PATH = 0.00367
SKIN_RADIUS = (1.0, 0.37, 0.19)
"""Metres, and its share per channel: diffuse mean free path of "skin1", 3.67, 1.37, 0.68 mm
(Jensen & Buhler 2002, table of materials)."""
SKIN_SUBSURFACE = 0.35
"""Ours: the photo's own softness is already in the albedo, so full scattering would blur twice."""
SKIN_FILM_ROUGHNESS = 0.28
"""Of the film of oil on the skin, which starts at none. Ours, by eye."""
SURFACE = (
    ("Coat Weight", "Oily film"),
    ("Specular IOR Level", "Shine"),
    ("Subsurface Weight", "Subsurface"),
)
"""Sockets of the skin's shader that people set, with the words for them."""
WET = "Coat Weight"
SKIN_RELIEF = "Skin relief"
"""Label of the node whose strength scales wrinkles and pores: 0 smooth, 1 as measured."""

TEETH_PICTURE = Path(__file__).with_name("teeth.png")
"""`engine.protocol.teeth.teeth_picture` as a file: drawing it would hold up Blender for 50 ms."""
TEETH_MEAN_FREE_PATH = 0.0015
"""Metres. Ours: enamel is milky, its edges let some light through."""
TONGUE_COLOUR = (0.44, 0.14, 0.13, 1.0)
LASH_COLOUR = (0.012, 0.009, 0.008, 1.0)
PLAIN_COLOUR = (0.5, 0.5, 0.5, 1.0)
"""Linear RGBA, by eye."""

PLAIN_IRIS = (0.1, 0.06, 0.04)
"""Linear RGB of a brown iris, by eye."""

Images = Mapping[str, bpy.types.Image]
Colour = tuple[float, float, float]


def principled(material: bpy.types.Material) -> bpy.types.ShaderNodeBsdfPrincipled:
    """The material's Principled node, by type: names are translated."""
    return next(node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED")


def principled_socket(
    material: bpy.types.Material | None, name: str
) -> bpy.types.NodeSocket | None:
    """A socket of the material's Principled node, None where that is gone."""
    nodes = material.node_tree.nodes if material is not None and material.node_tree else ()
    shader = next((node for node in nodes if node.type == "BSDF_PRINCIPLED"), None)
    return None if shader is None else shader.inputs.get(name)


def skin_relief_socket(material: bpy.types.Material | None) -> bpy.types.NodeSocket | None:
    """Strength of the normal map, None when the user removed its node."""
    nodes = material.node_tree.nodes if material is not None and material.node_tree else ()
    relief = (node for node in nodes if node.type == "NORMAL_MAP" and node.label == SKIN_RELIEF)
    node = next(relief, None)
    return None if node is None else node.inputs["Strength"]


def new_material(
    kind: str, name: str, images: Images, iris: Colour = PLAIN_IRIS
) -> bpy.types.Material:
    """Material of one kind: skin, eye, teeth, tongue, lash or plain.

    images: albedo, normal and roughness (skin), eye and lash where the result has them. iris:
    linear RGB of that in the eye's image.
    """
    material = bpy.data.materials.new(name)
    if not material.node_tree:  # deprecated switch, still needed before Blender 5
        material.use_nodes = True
    if kind == "eye":
        _fill_eye(material, images, iris)
    else:
        _FILLERS[kind](material, images)
    return material


def _image_node(
    material: bpy.types.Material, image: bpy.types.Image, place: tuple[float, float]
) -> bpy.types.ShaderNodeTexImage:
    node = material.node_tree.nodes.new("ShaderNodeTexImage")
    node.image = image
    node.location = place
    return node


def _set(material: bpy.types.Material, values: Mapping[str, object]) -> None:
    shader = principled(material)
    for name, value in values.items():
        shader.inputs[name].default_value = value


def _fill_skin(material: bpy.types.Material, images: Images) -> None:
    """The sliders recompose the albedo's image, so the shader mixes nothing."""
    tree, shader = material.node_tree, principled(material)
    left, top = shader.location
    albedo = _image_node(material, images["albedo"], (left - 320, top))
    roughness = _image_node(material, images["roughness"], (left - 320, top - 300))
    normal = _image_node(material, images["normal"], (left - 640, top - 600))
    albedo.label, roughness.label, normal.label = "Albedo", "Roughness", "Normal"
    relief = tree.nodes.new("ShaderNodeNormalMap")
    relief.label = SKIN_RELIEF
    relief.location = (left - 320, top - 600)
    tree.links.new(albedo.outputs["Color"], shader.inputs["Base Color"])
    tree.links.new(roughness.outputs["Color"], shader.inputs["Roughness"])
    tree.links.new(normal.outputs["Color"], relief.inputs["Color"])
    tree.links.new(relief.outputs["Normal"], shader.inputs["Normal"])
    _set(
        material,
        {
            "IOR": SKIN_IOR,
            "Subsurface Weight": SKIN_SUBSURFACE,
            "Subsurface Radius": SKIN_RADIUS,
            "Subsurface Scale": SKIN_MEAN_FREE_PATH,
            "Coat Roughness": SKIN_FILM_ROUGHNESS,
            "Coat IOR": SKIN_IOR,
        },
    )


def _fill_eye(material: bpy.types.Material, images: Images, iris: Colour) -> None:
    if "eye" in images:
        shade_eye(material, principled(material), images["eye"], iris)
    else:
        _set(material, {"Base Color": (0.7, 0.68, 0.65, 1.0)})
    # only the wet layer reflects: a second reflection would veil iris and pupil
    _set(material, {"Specular IOR Level": 0.0, "Coat Weight": 0.35, "Coat Roughness": 0.03})


def _fill_teeth(material: bpy.types.Material, images: Images) -> None:
    shader = principled(material)
    picture = load_packed(TEETH_PICTURE, f"{material.name} picture")
    node = _image_node(material, picture, (shader.location.x - 320, shader.location.y))
    node.label = "Teeth"
    material.node_tree.links.new(node.outputs["Color"], shader.inputs["Base Color"])
    _set(
        material,
        {
            "Roughness": 0.22,
            "Subsurface Weight": 0.15,
            "Subsurface Radius": (1.0, 0.8, 0.6),
            "Subsurface Scale": TEETH_MEAN_FREE_PATH,
        },
    )


def _fill_tongue(material: bpy.types.Material, images: Images) -> None:
    _set(material, {"Base Color": TONGUE_COLOUR, "Roughness": 0.35})


def _fill_lash(material: bpy.types.Material, images: Images) -> None:
    shader = principled(material)
    _set(material, {"Base Color": LASH_COLOUR, "Roughness": 0.6})
    if "lash" in images:
        node = _image_node(material, images["lash"], (shader.location.x - 320, shader.location.y))
        links = material.node_tree.links
        links.new(node.outputs["Color"], shader.inputs["Base Color"])
        links.new(node.outputs["Alpha"], shader.inputs["Alpha"])


def _fill_plain(material: bpy.types.Material, images: Images) -> None:
    _set(material, {"Base Color": PLAIN_COLOUR})


_FILLERS = {
    "skin": _fill_skin,
    "teeth": _fill_teeth,
    "tongue": _fill_tongue,
    "lash": _fill_lash,
    "plain": _fill_plain,
}
