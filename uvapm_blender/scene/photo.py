"""The photo as Blender image, upright: Blender itself ignores the EXIF orientation."""

from pathlib import Path

import bpy
import numpy as np

from ...engine.protocol.conventions import turn_upright
from ...engine.protocol.errors import EngineError, ErrorCode
from ...engine.protocol.result import file_sha256
from ...engine.protocol.result_schema import PhotoInfo
from .exif import UPRIGHT, read_orientation
from .images import load_packed, new_packed, read_pixels


def load_photo(info: PhotoInfo, name: str) -> bpy.types.Image:
    """A new packed image of the photo as the engine saw it.

    Raises EngineError(BAD_INPUT) when the file is gone, was changed or has another size.
    """
    path = Path(bpy.path.abspath(info.path))
    try:
        same = file_sha256(path) == info.sha256
    except OSError as error:
        raise _unusable(f"{path.name} cannot be read ({error.strerror})") from error
    if not same:
        raise _unusable(f"{path.name} was changed since")
    try:
        image = load_packed(path, name)
    except RuntimeError as error:
        raise _unusable(f"Blender cannot read {path.name}") from error
    orientation = read_orientation(path)
    if orientation != UPRIGHT:
        pixels = turn_upright(read_pixels(image), orientation)
        bpy.data.images.remove(image)
        image = new_packed(name, np.ascontiguousarray(pixels), linear=False)
    if tuple(image.size) != (info.width, info.height):
        width, height = image.size
        bpy.data.images.remove(image)
        raise _unusable(
            f"{path.name} has {width} x {height} pixels, expected {info.width} x {info.height}"
        )
    return image


def _unusable(why: str) -> EngineError:
    return EngineError(ErrorCode.BAD_INPUT, f"The photo is not shown behind the head: {why}.")
