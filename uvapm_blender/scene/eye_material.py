"""The eyes' material: iris colour, size of the pupil, brightness of the white, shade of the lids.

The controls are nodes of the material, so that they are saved, undone, keyed and driven as any
value of Blender. They are found by their names, which are ours.
"""

from dataclasses import dataclass

import bpy
import numpy as np

from ...engine.protocol.conventions import LUMINANCE_WEIGHTS, srgb_to_linear
from .images import read_pixels

IRIS, PUPIL, WHITE, LIDS = "Iris colour", "Pupil size", "White of the eye", "Shade of the lids"
CONTROLS = (IRIS, PUPIL, WHITE, LIDS)
"""Names of the nodes with a value to set: an RGB node, then value nodes."""

IRIS_RADIUS, PUPIL_RADIUS, RIM = 0.49 * 23.0 / 110.0, 0.49 * 8.0 / 110.0, 0.49 * 2.2 / 110.0
"""In UV, from the middle: the layout of the eye texture (`engine/packs/build/eyeball.py`)."""
DEFAULT_SHADE = 0.6
"""Ours, by eye under the photo's light and studio light: lashes and lids, of which no renderer
without ray tracing knows, darken the white above and in the corners."""
LID_EDGE, LID_SOFT = 0.045, 0.07
"""UV above the middle where the upper lid's shadow is full, and over which it falls off."""
CORNER, CORNER_SOFT = 0.235, 0.16
COLOUR_LEAST = 0.004


@dataclass(frozen=True, eq=False)
class _Graph:
    """Makes nodes of one tree, from left to right."""

    tree: bpy.types.NodeTree
    left: float
    top: float

    def node(self, kind: str, column: int, row: float, **values: object) -> bpy.types.Node:
        """A node with properties set, at a place in the grid."""
        node = self.tree.nodes.new(kind)
        node.location = self.left - 180.0 * column, self.top - 170.0 * row
        for name, value in values.items():
            setattr(node, name, value)
        return node

    def put(self, socket: bpy.types.NodeSocket, value: object) -> None:
        """A link from another node's socket, or a plain value."""
        if isinstance(value, bpy.types.NodeSocket):
            self.tree.links.new(value, socket)
        else:
            socket.default_value = value

    def math(self, operation: str, column: int, row: float, *values: object) -> object:
        """Output of a Math node."""
        node = self.node("ShaderNodeMath", column, row, operation=operation)
        for socket, value in zip(node.inputs, values, strict=False):
            self.put(socket, value)
        return node.outputs[0]

    def ramp(self, column: int, row: float, value: object, *ends: object) -> object:
        """Output of a Map Range node, clamped; ends: from low, high to low, high."""
        node = self.node("ShaderNodeMapRange", column, row)
        for socket, each in zip(node.inputs, (value, *ends), strict=False):
            self.put(socket, each)
        return node.outputs[0]

    def mix(self, column: int, row: float, factor: object, low: object, high: object) -> object:
        """Output of a Mix node of colours."""
        node = self.node("ShaderNodeMix", column, row, data_type="RGBA")
        sockets = [each for each in node.inputs if each.type == "RGBA"]
        for socket, each in zip((node.inputs[0], *sockets), (factor, low, high), strict=True):
            self.put(socket, each)
        return next(each for each in node.outputs if each.type == "RGBA")

    def scaled(self, column: int, row: float, vector: object, factor: object) -> object:
        """Output of a Vector Math node: vector times number."""
        node = self.node("ShaderNodeVectorMath", column, row, operation="SCALE")
        self.put(node.inputs[0], vector)
        self.put(node.inputs["Scale"], factor)
        return node.outputs[0]


def eye_control(material: bpy.types.Material | None, name: str) -> bpy.types.NodeSocket | None:
    """The socket that holds the value of one of CONTROLS, None where the node is gone."""
    nodes = material.node_tree.nodes if material is not None and material.node_tree else {}
    node = nodes.get(name)
    return None if node is None else node.outputs[0]


def shade_eye(
    material: bpy.types.Material,
    shader: bpy.types.Node,
    image: bpy.types.Image,
    colour: tuple[float, float, float],
) -> None:
    """Nodes from an eye texture to the shader's base colour. colour: linear RGB of its iris.

    A pupil of another size is made by moving the texture's rings; the iris keeps its pattern and
    gets a colour of its own: luminance over its mean, times the colour, as the fit tints it.
    """
    graph = _Graph(material.node_tree, shader.location.x, shader.location.y)
    iris = graph.node("ShaderNodeRGB", 4, 3.0, name=IRIS, label=IRIS)
    iris.outputs[0].default_value = (*colour, 1.0)
    size, white, lids = (_value(graph, name, row) for name, row in _VALUES)
    size.outputs[0].default_value = white.outputs[0].default_value = 1.0
    lids.outputs[0].default_value = DEFAULT_SHADE
    offset, radius = _from_the_middle(graph)
    texture = graph.node("ShaderNodeTexImage", 5, 0.0, image=image, label="Eye")
    graph.put(texture.inputs["Vector"], _moved(graph, offset, radius, size.outputs[0]))
    level = graph.node("ShaderNodeRGBToBW", 4, 1.0)
    graph.put(level.inputs[0], texture.outputs["Color"])
    mean = float(np.dot(colour, LUMINANCE_WEIGHTS))
    share = graph.math("DIVIDE", 3, 1.0, level.outputs[0], mean)
    tinted = graph.scaled(2, 1.0, iris.outputs[0], share)
    bright = graph.scaled(3, 2.0, texture.outputs["Color"], white.outputs[0])
    inside = graph.ramp(4, 2.0, radius, IRIS_RADIUS + RIM / 2, IRIS_RADIUS - RIM / 2, 0.0, 1.0)
    mixed = graph.mix(1, 1.0, inside, bright, tinted)
    shaded = graph.scaled(1, 0.0, mixed, _shadow(graph, offset, lids.outputs[0]))
    graph.put(shader.inputs["Base Color"], shaded)


_VALUES = ((PUPIL, 4.0), (WHITE, 5.0), (LIDS, 6.0))


def _value(graph: _Graph, name: str, row: float) -> bpy.types.Node:
    return graph.node("ShaderNodeValue", 8, row, name=name, label=name)


def _from_the_middle(graph: _Graph) -> tuple[object, object]:
    """UV less that of the eye's axis, and its length."""
    place = graph.node("ShaderNodeUVMap", 10, 0.0)
    offset = graph.node("ShaderNodeVectorMath", 9, 0.0, operation="SUBTRACT")
    graph.put(offset.inputs[0], place.outputs[0])
    offset.inputs[1].default_value = (0.5, 0.5, 0.0)
    length = graph.node("ShaderNodeVectorMath", 8, 0.0, operation="LENGTH")
    graph.put(length.inputs[0], offset.outputs[0])
    return offset.outputs[0], length.outputs["Value"]


def _moved(graph: _Graph, offset: object, radius: object, size: object) -> object:
    """UV where the texture is read: the pupil's ring lies at its own radius times `size`, which
    counts from 0.3 to 2.4: pupils are 2 to 8 mm wide, and must leave some iris."""
    size = graph.math("MAXIMUM", 8, 2.0, graph.math("MINIMUM", 8, 1.0, size, 2.4), 0.3)
    pupil = graph.math("MULTIPLY", 7, 2.0, size, PUPIL_RADIUS)
    inner = graph.ramp(7, 1.0, radius, 0.0, pupil, 0.0, PUPIL_RADIUS)
    ring = graph.ramp(7, 3.0, radius, pupil, IRIS_RADIUS, 0.0, IRIS_RADIUS - PUPIL_RADIUS)
    outside = graph.math("MAXIMUM", 7, 5.0, graph.math("SUBTRACT", 7, 4.0, radius, IRIS_RADIUS), 0)
    total = graph.math("ADD", 6, 2.0, graph.math("ADD", 6, 1.0, inner, ring), outside)
    scale = graph.math("DIVIDE", 6, 3.0, total, graph.math("MAXIMUM", 6, 4.0, radius, 1e-4))
    place = graph.node("ShaderNodeVectorMath", 6, 0.0, operation="ADD")
    graph.put(place.inputs[0], graph.scaled(7, 0.0, offset, scale))
    place.inputs[1].default_value = (0.5, 0.5, 0.0)
    return place.outputs[0]


def _shadow(graph: _Graph, offset: object, strength: object) -> object:
    """Factor of the colour: darker under the upper lid and in the corners."""
    parts = graph.node("ShaderNodeSeparateXYZ", 6, 5.0)
    graph.put(parts.inputs[0], offset)
    across, up = parts.outputs[0], parts.outputs[1]
    above = graph.ramp(5, 5.0, up, LID_EDGE - LID_SOFT, LID_EDGE, 0.0, 0.55)
    side = graph.math("ABSOLUTE", 5, 6.0, across)
    corner = graph.ramp(4, 6.0, side, CORNER - CORNER_SOFT, CORNER, 0.0, 0.55)
    most = graph.math("ADD", 3, 5.0, graph.math("ADD", 4, 5.0, above, corner), 0.35)
    return graph.math("SUBTRACT", 2, 5.0, 1.0, graph.math("MULTIPLY", 3, 6.0, most, strength))


def iris_colour(pixels: np.ndarray) -> tuple[float, float, float]:
    """Mean linear RGB of the iris without its pupil. pixels (S, S, 3 or 4) of an eye texture, of
    which every fourth row and column is looked at."""
    pixels = pixels[:: max(len(pixels) // 256, 1), :: max(len(pixels) // 256, 1)]
    size = len(pixels)
    axis = (np.arange(size) + 0.5) / size - 0.5
    radius = np.hypot(axis[None, :], axis[:, None])
    inside = (radius > PUPIL_RADIUS) & (radius < IRIS_RADIUS)
    mean = srgb_to_linear(pixels[inside][:, :3].astype(np.float64)).mean(axis=0)
    red, green, blue = np.clip(mean, COLOUR_LEAST, 1.0).tolist()
    return red, green, blue


def shade_old_eye(material: bpy.types.Material | None) -> None:
    """Give the eyes of a head that an earlier version made these nodes; what a user has put in
    the texture's place stays."""
    if material is None or not material.node_tree or IRIS in material.node_tree.nodes:
        return
    shaders = (node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
    shader = next(shaders, None)
    links = shader.inputs["Base Color"].links if shader is not None else ()
    if len(links) == 1 and links[0].from_node.type == "TEX_IMAGE" and links[0].from_node.image:
        texture = links[0].from_node
        image = texture.image
        material.node_tree.nodes.remove(texture)
        shade_eye(material, shader, image, iris_colour(read_pixels(image)))
