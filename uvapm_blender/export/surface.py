"""What a part's material looks like, as constants and pictures that every file format knows."""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import bpy
import numpy as np

from ...engine.protocol.conventions import linear_to_srgb
from ..scene.images import COLOUR, read_pixels
from .bake import bake_socket
from .read import kind_of
from .resample import resized, resized_colour, resized_normals, turned_green, with_relief
from .settings import ExportSettings

BASE_COLOR, ROUGHNESS, NORMAL, MASK = "BaseColor", "Roughness", "Normal", "Mask"
"""Uses of pictures; also the end of their file names."""

CONSTANTS = (
    "Base Color", "Roughness", "IOR", "Specular IOR Level", "Coat Weight", "Coat Roughness",
    "Coat IOR", "Metallic", "Alpha", "Subsurface Weight", "Subsurface Radius", "Subsurface Scale",
)  # fmt: skip
"""Inputs of the shader that are taken over where no picture feeds them."""

BAKED_SIZE = 1024


@dataclass(frozen=True, eq=False)
class Picture:
    """pixels (H, W, 3), or (H, W, 4) with transparency: f32 as stored in a file, row 0 on top.
    colour: sRGB, else numbers."""

    pixels: np.ndarray
    colour: bool


@dataclass(frozen=True, eq=False)
class Surface:
    """Look of one kind of part."""

    kind: str
    constants: Mapping[str, object]
    pictures: Mapping[str, Picture]


def read_surfaces(parts: list[bpy.types.Object], settings: ExportSettings) -> dict[str, Surface]:
    """Look of each kind of part, read from the first part of that kind."""
    firsts: dict[str, bpy.types.Object] = {}
    for item in parts:
        firsts.setdefault(kind_of(item), item)
    return {kind: _read_surface(kind, item, settings) for kind, item in firsts.items()}


def _read_surface(kind: str, item: bpy.types.Object, settings: ExportSettings) -> Surface:
    material = item.active_material
    if material is None or material.node_tree is None:
        return Surface(kind, {}, {})
    shader = next((n for n in material.node_tree.nodes if n.type == "BSDF_PRINCIPLED"), None)
    if shader is None:
        return Surface(kind, {}, {})
    constants = {
        name: _value(shader.inputs[name])
        for name in CONSTANTS
        if name in shader.inputs and not shader.inputs[name].is_linked
    }
    pictures = _pictures(item, shader)
    size = settings.texture_size
    pictures = {use: _sized(use, each, size, kind == "skin") for use, each in pictures.items()}
    if settings.mask_map and ROUGHNESS in pictures:
        pictures[MASK] = _mask(pictures[ROUGHNESS])
    if settings.directx and NORMAL in pictures:
        pictures[NORMAL] = replace(pictures[NORMAL], pixels=turned_green(pictures[NORMAL].pixels))
    return Surface(kind, constants, pictures)


def _value(socket: bpy.types.NodeSocket) -> object:
    value = socket.default_value
    return value if isinstance(value, float) else tuple(value)


def _pictures(
    item: bpy.types.Object, shader: bpy.types.ShaderNodeBsdfPrincipled
) -> dict[str, Picture]:
    """Pictures behind the shader's inputs: images as they are, node networks baked."""
    found = {}
    colour, alpha = shader.inputs["Base Color"], shader.inputs["Alpha"]
    if colour.is_linked or alpha.is_linked:
        pixels = _fed(item, colour, True)
        if alpha.is_linked:
            cover = _fed(item, alpha, False)[..., :1]
            pixels = np.dstack([resized_colour(pixels, *cover.shape[:2]), cover])
        found[BASE_COLOR] = Picture(pixels, True)
    if shader.inputs["Roughness"].is_linked:
        found[ROUGHNESS] = Picture(_fed(item, shader.inputs["Roughness"], False), False)
    relief = _normal_node(shader)
    if relief is not None and relief.inputs["Color"].is_linked:
        pixels = _fed(item, relief.inputs["Color"], False)
        found[NORMAL] = Picture(with_relief(pixels, _strength(relief)), False)
    return found


def _fed(item: bpy.types.Object, socket: bpy.types.NodeSocket, colour: bool) -> np.ndarray:
    """(H, W, 3) values that reach an input: sRGB when `colour`, else as they are."""
    if not socket.is_linked:
        return _plain(socket, colour)
    link = socket.links[0]
    image = getattr(link.from_node, "image", None) if link.from_node.type == "TEX_IMAGE" else None
    if image is not None and min(image.size) > 0:
        pixels = read_pixels(image)
        if link.from_socket.name == "Alpha":
            return np.repeat(pixels[..., 3:], 3, axis=2)
        if colour == (image.colorspace_settings.name == COLOUR):
            return pixels[..., :3]
    return bake_socket(item, socket, max(_sizes_above(socket), default=BAKED_SIZE), colour)


def _plain(socket: bpy.types.NodeSocket, colour: bool) -> np.ndarray:
    value = np.array(_value(socket), np.float32).reshape(-1)[:3]
    pixels = np.broadcast_to(value, (1, 1, 3)).astype(np.float32)
    return linear_to_srgb(pixels) if colour else pixels


def _upstream(socket: bpy.types.NodeSocket) -> Iterator[bpy.types.Node]:
    """Nodes that feed an input, the nearest first."""
    waiting, seen = deque(link.from_node for link in socket.links), set()
    while waiting:
        node = waiting.popleft()
        if node.name in seen:
            continue
        seen.add(node.name)
        yield node
        waiting.extend(link.from_node for each in node.inputs for link in each.links)


def _sizes_above(socket: bpy.types.NodeSocket) -> list[int]:
    nodes = (node for node in _upstream(socket) if node.type == "TEX_IMAGE")
    return [max(node.image.size) for node in nodes if node.image and min(node.image.size) > 0]


def _normal_node(shader: bpy.types.Node) -> bpy.types.ShaderNodeNormalMap | None:
    above = _upstream(shader.inputs["Normal"])
    return next((node for node in above if node.type == "NORMAL_MAP"), None)


def _strength(node: bpy.types.ShaderNodeNormalMap) -> float:
    """A value node may drive it; anything else counts as it is set."""
    socket = node.inputs["Strength"]
    if socket.is_linked and socket.links[0].from_node.type == "VALUE":
        return float(socket.links[0].from_socket.default_value)
    return float(socket.default_value)


def _sized(use: str, picture: Picture, size: int, enlarge: bool) -> Picture:
    """Longest side `size`; only the skin's maps are enlarged."""
    height, width = picture.pixels.shape[:2]
    longest = max(height, width)
    if size == 0 or longest == 1 or (size > longest and not enlarge):
        return picture
    shape = max(height * size // longest, 1), max(width * size // longest, 1)
    resize = resized_normals if use == NORMAL else resized_colour if picture.colour else resized
    return replace(picture, pixels=resize(picture.pixels, *shape))


def _mask(roughness: Picture) -> Picture:
    """Metal in red, occlusion in green, detail in blue, smoothness in alpha: Unity's mask map;
    its metal map reads red and alpha alike. Skin is no metal; occlusion is not known."""
    smooth = 1.0 - roughness.pixels[..., :1]
    return Picture(np.dstack([0.0 * smooth, 0.0 * smooth + 1.0, 0.0 * smooth, smooth]), False)
