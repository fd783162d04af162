"""The photo's light as an environment that can be turned, replaced and saved."""

import bpy
import numpy as np

from ...engine.protocol.conventions import radiance_to_equirectangular
from . import environment
from .images import new_packed, replace_image

HEIGHT = 64
"""Rows of the environment image. Nine harmonics are smooth: 64 rows are exact to the eye."""

PHOTO_LIGHT = "Light of the photo"
"""Label of the node with that image."""


def new_world(name: str, light: np.ndarray) -> bpy.types.World:
    """World lit by (9, 3) shading coefficients (see conventions), as a packed float image."""
    world = bpy.data.worlds.new(name)
    environment.fill(world, _light_image(f"{name} light", light), PHOTO_LIGHT)
    environment.keep_soft(world)
    return world


def set_light(world: bpy.types.World, light: np.ndarray) -> None:
    """Another photo light (9, 3) in a world that `new_world` made; nothing without its node."""
    nodes = world.node_tree.nodes if world.node_tree else ()
    for node in nodes:
        if node.type == "TEX_ENVIRONMENT" and node.label == PHOTO_LIGHT and node.image:
            replace_image(node.image, _light_image(node.image.name, light))


def _light_image(name: str, light: np.ndarray) -> bpy.types.Image:
    return new_packed(name, radiance_to_equirectangular(light, HEIGHT), linear=True)
