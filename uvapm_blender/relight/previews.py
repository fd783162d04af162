"""Small pictures of the environments for the sidebar."""

from typing import Any

import bpy.utils.previews
import numpy as np

from ...engine.protocol.conventions import linear_to_srgb, to_bottom_up
from .environments import NEUTRAL
from .neutral import neutral_studio

HEIGHT = 64
"""Rows of a picture that we draw."""

_shelf: dict[str, Any] = {}
"""The one collection of previews, while the extension is enabled."""


def open_shelf() -> None:
    """When the extension is enabled."""
    _shelf["all"] = bpy.utils.previews.new()


def close_shelf() -> None:
    """When the extension is disabled."""
    if _shelf:
        bpy.utils.previews.remove(_shelf.pop("all"))


def icon_of(id: str) -> int:
    """Icon of the neutral studio or of a file, 0 without. Blender reads files in the background."""
    shelf = _shelf.get("all")
    if shelf is None:
        return 0
    if id not in shelf:
        if id == NEUTRAL:
            _draw(shelf.new(id), neutral_studio(HEIGHT))
        else:
            shelf.load(id, id, "IMAGE")
    return shelf[id].icon_id


def _draw(preview: bpy.types.ImagePreview, linear: np.ndarray) -> None:
    height, width = linear.shape[:2]
    rgba = np.ones((height, width, 4), np.float32)
    rgba[..., :3] = linear_to_srgb(np.minimum(linear, 1.0))
    preview.image_size = (width, height)
    preview.image_pixels_float = to_bottom_up(rgba).ravel().tolist()
