"""Normal and roughness maps follow the detail sliders, once a slider rests."""

from collections.abc import Generator
from pathlib import Path

import bpy
import numpy as np

from ...engine.protocol.conventions import signed_to_unit, to_bottom_up
from ...engine.protocol.detail_layers import DetailStrengths
from ...engine.protocol.relief import (
    bent_normals,
    followed_roughness,
    relief_scale,
    scale_steps,
    shown_relief,
    square_slope,
)
from ...engine.protocol.resample import resample
from ..declarations import PROPERTY
from .cache import DetailCache, Key
from .sources import ReliefSources, map_steps, strips
from .values import strengths_of

Pair = tuple[np.ndarray, np.ndarray]


def relief_pending(root: bpy.types.Object, cache: DetailCache) -> bool:
    """Whether a head's normal and roughness maps are not as its sliders say."""
    skin = getattr(root, PROPERTY).skin
    if skin.normal is None or skin.roughness is None:
        return False
    known = cache.relief.get(skin.normal.session_uid, DetailStrengths())
    return known != strengths_of(root)


def follow_steps(
    root: bpy.types.Object, key: Key, cache: DetailCache
) -> Generator[None, None, Pair]:
    """(S, S, 4) f32 pixels of both maps as the sliders say. Raises EngineError."""
    strengths = strengths_of(root)
    if strengths == DetailStrengths():  # as stored, to the last bit
        folder, stamp = Path(key[0]), key[1]
        normal = yield from map_steps(folder, stamp, "normal")
        yield
        roughness = yield from map_steps(folder, stamp, "roughness")
        return to_bottom_up(normal).copy(), to_bottom_up(roughness).copy()
    sources = yield from cache.relief_steps(key)
    yield
    return (yield from _scaled_steps(sources, strengths))


def _scaled_steps(
    sources: ReliefSources, strengths: DetailStrengths
) -> Generator[None, None, Pair]:
    size = len(sources.roughness)
    slopes = np.empty_like(sources.slopes)
    scale = relief_scale(sources.bands, strengths)
    yield
    yield from scale_steps(sources.slopes, scale, slopes)
    normal, roughness = (np.ones((size, size, 4), np.float32) for _ in range(2))
    square, out = np.empty((size, size), np.float32), to_bottom_up(normal)
    for rows in strips(size):
        unit = bent_normals(*slopes[:, rows])
        square[rows] = square_slope(unit)
        out[rows, :, :3] = signed_to_unit(unit)
        yield
    shown = shown_relief(square)
    yield
    before = resample(sources.shown, size)
    yield
    now = resample(shown, size)
    yield
    out = to_bottom_up(roughness)
    for rows in strips(size):
        new = followed_roughness(sources.roughness[rows], before[rows], now[rows])
        out[rows, :, :3] = new[..., None]
        yield
    yield
    return normal, roughness


def put_map(image: bpy.types.Image | None, pixels: np.ndarray) -> None:
    """Give an image new pixels (S, S, 4), unless the user put another picture there."""
    if image is not None and tuple(image.size) == pixels.shape[1::-1]:
        image.pixels.foreach_set(pixels.ravel())
        image.update()
