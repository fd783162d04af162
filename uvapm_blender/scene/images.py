"""Images that survive saving, reloading and undo: always new, always packed."""

from collections.abc import Generator
from pathlib import Path

import bpy
import numpy as np

from ...engine.protocol.conventions import to_bottom_up

COLOUR = "sRGB"
LINEAR = "Linear Rec.709"
DATA = "Non-Color"


def load_packed(path: Path, name: str, colourspace: str = COLOUR) -> bpy.types.Image:
    """A new image from a file, packed. Never an image that was there before."""
    image = bpy.data.images.load(str(path), check_existing=False)
    image.name = name
    image.colorspace_settings.name = colourspace
    image.pack()
    return image


def new_packed(name: str, pixels: np.ndarray, linear: bool) -> bpy.types.Image:
    """A new packed image from (H, W, 3 or 4) floats, row 0 on top.

    linear: float image with linear values; otherwise a byte image with sRGB values in [0, 1].
    """
    height, width = pixels.shape[:2]
    rgba = np.ones((height, width, 4), dtype=np.float32)
    rgba[..., : pixels.shape[2]] = pixels
    image = bpy.data.images.new(name, width, height, alpha=True, float_buffer=linear)
    image.colorspace_settings.name = LINEAR if linear else COLOUR
    image.pixels.foreach_set(np.ascontiguousarray(to_bottom_up(rgba)).ravel())
    image.update()
    image.pack()
    return image


def read_steps(path: Path, colourspace: str = COLOUR) -> Generator[None, None, np.ndarray]:
    """`read_file` in two steps: decoding, and reading the values."""
    image = bpy.data.images.load(str(path), check_existing=False)
    uid = image.session_uid
    try:
        image.colorspace_settings.name = colourspace
        image.has_data, image.size[0]
        yield
        image = _by_uid(uid)
        if image is None:
            return read_file(path, colourspace)  # undo took it
        return read_pixels(image)
    finally:
        image = _by_uid(uid)
        if image is not None:
            bpy.data.images.remove(image)


def _by_uid(uid: int) -> bpy.types.Image | None:
    return next((each for each in bpy.data.images if each.session_uid == uid), None)


def read_file(path: Path, colourspace: str = COLOUR) -> np.ndarray:
    """(H, W, 4) f32 values of a picture file as stored, row 0 on top; no image stays behind.

    Raises RuntimeError when Blender cannot read it.
    """
    image = bpy.data.images.load(str(path), check_existing=False)
    try:
        image.colorspace_settings.name = colourspace
        return read_pixels(image)
    finally:
        bpy.data.images.remove(image)


def pack_changed(image: bpy.types.Image | None) -> None:
    """Pack the pixels again when they were changed: saving writes what is packed."""
    if image is not None and image.is_dirty:
        image.pack()


def replace_image(old: bpy.types.Image, new: bpy.types.Image) -> None:
    """Let `new` take the place of `old` wherever that is used, under its name; `old` goes.

    Undo brings the old data-block back with its packed picture; pixels that were changed in a
    data-block that stays would not come back.
    """
    name = old.name
    old.user_remap(new)
    bpy.data.images.remove(old)
    new.name = name


def read_pixels(image: bpy.types.Image) -> np.ndarray:
    """(H, W, 4) f32 values as stored, row 0 on top. Raises RuntimeError when Blender cannot decode
    the picture."""
    width, height = image.size
    if not width or not height or not image.has_data:
        raise RuntimeError(f"{image.name} cannot be decoded")
    pixels = np.empty(width * height * 4, dtype=np.float32)
    image.pixels.foreach_get(pixels)
    return to_bottom_up(pixels.reshape(height, width, 4))


def save_picture(pixels: np.ndarray, path: Path) -> None:
    """Write (H, W, 3) sRGB floats in [0, 1], row 0 on top, as PNG. Raises OSError."""
    height, width = pixels.shape[:2]
    rgba = np.ones((height, width, 4), dtype=np.float32)
    rgba[..., : pixels.shape[2]] = pixels
    image = bpy.data.images.new(path.stem, width, height)
    try:
        image.pixels.foreach_set(np.ascontiguousarray(to_bottom_up(rgba)).ravel())
        image.filepath_raw, image.file_format = str(path), "PNG"
        image.save()
    except RuntimeError as error:
        raise OSError(0, str(error).strip()) from error
    finally:
        bpy.data.images.remove(image)
