"""The photo's light as an environment that can be turned, replaced and saved."""

import bpy
import numpy as np

from ...engine.protocol.conventions import radiance_to_equirectangular
from .images import new_packed

HEIGHT = 64
"""Rows of the environment image. Nine harmonics are smooth: 64 rows are exact to the eye."""


def new_world(name: str, light: np.ndarray) -> bpy.types.World:
    """World lit by (9, 3) shading coefficients (see conventions), as a packed float image."""
    world = bpy.data.worlds.new(name)
    if not world.node_tree:  # deprecated switch, still needed before Blender 5
        world.use_nodes = True
    tree = world.node_tree
    background = next(node for node in tree.nodes if node.type == "BACKGROUND")
    environment = tree.nodes.new("ShaderNodeTexEnvironment")
    environment.location = (background.location.x - 320, background.location.y)
    environment.label = "Light of the photo"
    pixels = radiance_to_equirectangular(light, HEIGHT)
    environment.image = new_packed(f"{name} light", pixels, linear=True)
    tree.links.new(environment.outputs["Color"], background.inputs["Color"])
    background.inputs["Strength"].default_value = 1.0
    return world
