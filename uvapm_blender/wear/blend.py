"""The worn texture fades into the artist's own skin where it ends: at the neck of a body."""

from collections.abc import Callable

import bpy
import numpy as np

from ..export.arrays import integers_of
from ..scene.material import principled, principled_socket

COVERAGE = "Coverage"
"""Label of the node with the map that says where the texture is the person's."""


def bare_polygons(mesh: bpy.types.Mesh) -> np.ndarray:
    """(polygons,) bool: those without a material."""
    numbers = integers_of(mesh.polygons, "material_index")
    empty = np.array([material is None for material in mesh.materials] or [True])
    return empty[np.minimum(numbers, len(empty) - 1)]


def material_beside(mesh: bpy.types.Mesh, covered: np.ndarray) -> bpy.types.Material | None:
    """The artist's material that most polygons have which touch covered ones (polygons,) and are
    not covered themselves; None for none."""
    sizes = integers_of(mesh.polygons, "loop_total")
    corners = integers_of(mesh.loops, "vertex_index")
    owner = np.repeat(np.arange(len(sizes)), sizes)
    inside = np.zeros(len(mesh.vertices), bool)
    inside[corners[covered[owner]]] = True
    beside = np.unique(owner[inside[corners] & ~covered[owner]])
    if not len(beside) or not len(mesh.materials):
        return None
    numbers = integers_of(mesh.polygons, "material_index")[beside]
    return mesh.materials[min(int(np.bincount(numbers).argmax()), len(mesh.materials) - 1)]


def fade_into(
    material: bpy.types.Material,
    other: bpy.types.Material | None,
    coverage: bpy.types.Image,
    active_uv: str,
) -> None:
    """Mix a material's base colour with that of another by the coverage map. Only a plain colour
    or a picture can be taken over; else the coverage node stays unlinked, for the artist.

    active_uv: UV map that pictures without one of their own use.
    """
    tree, shader = material.node_tree, principled(material)
    left, top = shader.location
    mask = tree.nodes.new("ShaderNodeTexImage")
    mask.image, mask.label, mask.location = coverage, COVERAGE, (left - 320, top - 900)
    theirs = principled_socket(other, "Base Color")
    base = shader.inputs["Base Color"]
    if theirs is None or not base.is_linked:
        return
    take = _taker(theirs)
    if take is None:
        return
    mix = tree.nodes.new("ShaderNodeMix")
    mix.data_type, mix.location = "RGBA", (left - 160, top + 200)
    tree.links.new(mask.outputs["Color"], _socket(mix.inputs, "Factor_Float"))
    tree.links.new(base.links[0].from_socket, _socket(mix.inputs, "B_Color"))
    take(tree, _socket(mix.inputs, "A_Color"), active_uv)
    tree.links.new(_socket(mix.outputs, "Result_Color"), base)


def _taker(
    socket: bpy.types.NodeSocket,
) -> Callable[[bpy.types.NodeTree, bpy.types.NodeSocket, str], None] | None:
    """How to bring what feeds a socket into another tree, None where that is too involved."""
    if not socket.is_linked:
        colour = tuple(socket.default_value)

        def plain(tree: bpy.types.NodeTree, target: bpy.types.NodeSocket, uv: str) -> None:
            target.default_value = colour

        return plain
    node = socket.links[0].from_node
    if node.type != "TEX_IMAGE" or node.image is None:
        return None
    image = node.image
    place = node.inputs["Vector"].links[0].from_node if node.inputs["Vector"].is_linked else None
    if place is not None and place.type != "UVMAP":
        return None
    own_uv = "" if place is None else place.uv_map

    def picture(tree: bpy.types.NodeTree, target: bpy.types.NodeSocket, uv: str) -> None:
        copy, where = tree.nodes.new("ShaderNodeTexImage"), tree.nodes.new("ShaderNodeUVMap")
        copy.image, where.uv_map = image, own_uv or uv
        copy.location = where.location = (-700.0, 700.0)
        tree.links.new(where.outputs["UV"], copy.inputs["Vector"])
        tree.links.new(copy.outputs["Color"], target)

    return picture


def _socket(sockets: bpy.types.bpy_prop_collection, identifier: str) -> bpy.types.NodeSocket:
    """By identifier: a mix node has three inputs of the same name."""
    return next(each for each in sockets if each.identifier == identifier)
