"""The albedo's pixels as a head's sliders say: detail, coarse colours, photo layer."""

from collections.abc import Generator

import bpy
import numpy as np

from ...engine.protocol.conventions import to_bottom_up
from ...engine.protocol.detail_layers import DetailLayers, compose_detail, compose_steps
from ...engine.protocol.errors import EngineError, ErrorCode
from ...engine.protocol.resample import resample
from ..declarations import PROPERTY
from ..skin.model import MODELS
from ..skin.values import pack_key_of, state_of, wanted_coefficients
from .cache import DetailCache
from .sources import AlbedoMaps
from .values import strengths_of


def coarse_change(root: bpy.types.Object, cache: DetailCache) -> np.ndarray | None:
    """(H, W, 3) f32 sRGB that the skin's sliders add to the coarse colours, at the model's size.

    None where nothing was moved, or where the model is missing: `MODELS.problems` says why.
    """
    key = pack_key_of(root)
    if key is None:
        return None
    state = state_of(root)
    skin_model = MODELS.ready(key) if state.changed else None
    if skin_model is None:
        return None
    fitted = state.coefficients("fitted")
    if skin_model.model.basis.shape[1] != fitted.shape[1]:
        MODELS.problems[key] = EngineError(
            ErrorCode.PACK_INVALID, "The albedo model has another number of components."
        )
        return None

    def make() -> np.ndarray:
        return skin_model.change(wanted_coefficients(state, skin_model) - fitted)

    return cache.change(key, state, make)


def wait_for_model(root: bpy.types.Object) -> bool:
    """True while a thread loads the model that the skin's sliders of a head need."""
    key = pack_key_of(root)
    return key is not None and state_of(root).changed and MODELS.want(key)


def pixel_steps(
    root: bpy.types.Object,
    maps: AlbedoMaps,
    layers: DetailLayers,
    cache: DetailCache,
) -> Generator[None, None, np.ndarray]:
    """(T, T, 4) f32 pixels for Blender, in short steps. The root is read before the first."""
    size, photo = len(maps.coarse), getattr(root, PROPERTY).detail.photo
    detail = compose_detail(layers, strengths_of(root))
    change = coarse_change(root, cache)
    detail = resample(detail, size)
    yield
    enlarged = None if change is None else (yield from _enlarge_steps(change, size))
    pixels = cache.pixels(size)
    out = to_bottom_up(pixels)[..., :3]
    yield from compose_steps(maps.coarse, detail, maps.photo, photo, out, enlarged)
    return pixels


def _enlarge_steps(image: np.ndarray, size: int) -> Generator[None, None, np.ndarray]:
    """(size, size, 3) f32 whose channels lie one after the other in memory."""
    planes = np.empty((3, size, size), np.float32)
    for channel, plane in enumerate(planes):
        plane[:] = resample(np.ascontiguousarray(image[..., channel]), size)
        yield
    return np.moveaxis(planes, 0, -1)


def resized(image: bpy.types.Image, size: int) -> bool:
    """Give an image another size, pixels to follow. False when it has that size."""
    if tuple(image.size) == (size, size):
        return False
    image.scale(size, size)
    return True


def put_pixels(image: bpy.types.Image, pixels: np.ndarray) -> None:
    """Give an image new pixels of its size (T, T, 4)."""
    image.pixels.foreach_set(pixels.ravel())
    image.update()
