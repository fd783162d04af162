"""Node networks as pictures: Cycles bakes what reaches a shader's input."""

from collections.abc import Iterator
from contextlib import contextmanager

import bpy
import numpy as np

from ..scene.images import COLOUR, DATA, read_pixels

MARGIN = 16
"""Texels around each UV island, as wide as the gutters of the layout."""


def bake_socket(
    item: bpy.types.Object, socket: bpy.types.NodeSocket, size: int, colour: bool
) -> np.ndarray:
    """(size, size, 3) values that reach an input of the part's material, over its UVs.

    colour: sRGB, else as they are. The material is copied for it and stays as it was. A square
    that fills the UV tile is baked, so that no island has a border; the part itself only where
    its nodes read more than UVs. Raises RuntimeError when Blender cannot bake.
    """
    mesh = item.data.copy() if _reads_mesh(item.active_material) else _square()
    material = item.active_material.copy()
    twin = bpy.data.objects.new("uvapm bake", mesh)
    image = bpy.data.images.new("uvapm bake", size, size, alpha=False)
    try:
        image.colorspace_settings.name = COLOUR if colour else DATA
        mesh.materials.clear()
        mesh.materials.append(material)
        _show(material, socket, image)
        bpy.context.scene.collection.objects.link(twin)
        with _cycles(bpy.context.scene), _alone(twin):
            bpy.ops.object.bake(type="EMIT", margin=MARGIN, use_clear=True)
        return read_pixels(image)[..., :3]
    finally:
        bpy.data.objects.remove(twin)
        bpy.data.meshes.remove(mesh)
        bpy.data.materials.remove(material)
        bpy.data.images.remove(image)


_MESH_NODES = ("ATTRIBUTE", "VERTEX_COLOR", "NEW_GEOMETRY", "OBJECT_INFO", "TEX_COORD")


def _reads_mesh(material: bpy.types.Material) -> bool:
    return any(node.type in _MESH_NODES for node in material.node_tree.nodes)


def _square() -> bpy.types.Mesh:
    mesh = bpy.data.meshes.new("uvapm bake")
    corners = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]
    mesh.from_pydata([(x, y, 0.0) for x, y in corners], [], [(0, 1, 2, 3)])
    mesh.uv_layers.new(name="UVMap").uv.foreach_set("vector", [v for uv in corners for v in uv])
    return mesh


def _show(
    material: bpy.types.Material, socket: bpy.types.NodeSocket, image: bpy.types.Image
) -> None:
    """Let the copy emit what reaches `socket` (of the original), and bake into `image`."""
    nodes, links = material.node_tree.nodes, material.node_tree.links
    index = list(socket.node.inputs).index(socket)
    fed = nodes[socket.node.name].inputs[index]
    light, output = nodes.new("ShaderNodeEmission"), nodes.new("ShaderNodeOutputMaterial")
    links.new(fed.links[0].from_socket, light.inputs["Color"])
    links.new(light.outputs["Emission"], output.inputs["Surface"])
    for node in nodes:
        if node.type == "OUTPUT_MATERIAL":
            node.is_active_output = node == output
    target = nodes.new("ShaderNodeTexImage")
    target.image = image
    nodes.active = target


@contextmanager
def _cycles(scene: bpy.types.Scene) -> Iterator[None]:
    """Cycles with one sample, which is exact for light that is only emitted; no world, which
    would be made ready for nothing."""
    engine, world = scene.render.engine, scene.world
    scene.render.engine, scene.world = "CYCLES", None
    samples, target = scene.cycles.samples, scene.render.bake.target
    scene.cycles.samples, scene.render.bake.target = 1, "IMAGE_TEXTURES"
    try:
        yield
    finally:
        scene.cycles.samples, scene.render.bake.target = samples, target
        scene.render.engine, scene.world = engine, world


@contextmanager
def _alone(item: bpy.types.Object) -> Iterator[None]:
    """Only this object is selected and active."""
    layer = bpy.context.view_layer
    selected, active = list(layer.objects.selected), layer.objects.active
    for each in selected:
        each.select_set(False)
    item.select_set(True)
    layer.objects.active = item
    try:
        yield
    finally:
        item.select_set(False)
        for each in selected:
            each.select_set(True)
        layer.objects.active = active
