"""Pictures of an export as files: PNG, or JPEG where that was chosen and nothing is transparent."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np

from ...engine.protocol.conventions import to_bottom_up
from ..scene.images import COLOUR, DATA
from .surface import MASK, NORMAL, ROUGHNESS, Picture, Surface

JPEG_QUALITY, JPEG_QUALITY_NORMAL = 90, 95
"""Of 100. Ours: the first error that is seen in a normal map is a shine in blocks."""

METAL_ROUGH = "MetalRough"
"""Use of glTF's picture: occlusion 1 in red, roughness in green, metal 0 in blue."""


@dataclass(frozen=True)
class Saved:
    """A written picture: its file, and whether its values are colours or transparent."""

    path: Path
    colour: bool
    transparent: bool


def save_pictures(
    name: str, surfaces: Mapping[str, Surface], folder: Path, jpeg: bool, gltf: bool
) -> dict[str, dict[str, Saved]]:
    """Write the pictures of all parts; returns their files by kind of part and use.

    Names: head_skin_BaseColor.png and so on. gltf: roughness in glTF's packing. Raises
    RuntimeError or OSError when the folder cannot be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    saved: dict[str, dict[str, Saved]] = {}
    for kind, surface in surfaces.items():
        saved[kind] = {}
        for use, picture in surface.pictures.items():
            if gltf and use == ROUGHNESS:
                use, picture = METAL_ROUGH, _metal_rough(picture)
            ending = "jpg" if jpeg and picture.pixels.shape[2] == 3 else "png"
            path = folder / f"{name}_{kind}_{use}.{ending}"
            _save(picture, path, JPEG_QUALITY_NORMAL if use == NORMAL else JPEG_QUALITY)
            clear = picture.pixels.shape[2] == 4 and use != MASK
            saved[kind][use] = Saved(path, picture.colour, clear)
    return saved


def _metal_rough(roughness: Picture) -> Picture:
    rough = roughness.pixels[..., :1]
    return Picture(np.dstack([np.ones_like(rough), rough, np.zeros_like(rough)]), False)


def _save(picture: Picture, path: Path, quality: int) -> None:
    height, width, channels = picture.pixels.shape
    rgba = np.ones((height, width, 4), np.float32)
    rgba[..., :channels] = picture.pixels
    image = bpy.data.images.new(path.stem, width, height, alpha=channels == 4)
    try:
        image.colorspace_settings.name = COLOUR if picture.colour else DATA
        if channels == 4:
            image.alpha_mode = "STRAIGHT" if picture.colour else "CHANNEL_PACKED"
        image.pixels.foreach_set(np.ascontiguousarray(to_bottom_up(rgba)).ravel())
        image.file_format = "JPEG" if path.suffix == ".jpg" else "PNG"
        image.save(filepath=str(path), quality=quality)
    finally:
        bpy.data.images.remove(image)
