"""Relief finer than the detail map, to go with it: its strength, direction and place follow it."""

import cv2
import numpy as np

from ..protocol.conventions import linear_to_srgb, srgb_to_linear
from ..protocol.detail import DETAIL_SIZE
from ..skin.noise import Streams
from .creases import crease_depth, lip_furrows
from .height import WAVELENGTHS, Relief
from .metric import TexelMetric
from .pores import Openings, opening_depth
from .regions import crease_density, lip_cover, pore_density, resized, tension_angle
from .settings import SurfaceSettings

_WEAKEST, _STRONGEST = 0.6, 1.5
_SMOOTHING = 4.0
"""Texels at 512 over which hair and strength fade."""


def fine_depth(
    relief: Relief, metric: TexelMetric, seed: int, settings: SurfaceSettings
) -> np.ndarray:
    """(S, S) float32 metres that the finest relief lies below the surface, at least 0.

    relief: of the detail map, (512, 512). metric: (S, S), S = 2048.
    """
    size = len(metric.along)
    streams = Streams(seed)
    strength = resized(_strength(relief, settings), size)
    angle = _directions(relief, size)
    crease = crease_depth(angle, metric, streams)
    crease *= resized(crease_density(DETAIL_SIZE), size) * strength
    depth = np.float32(settings.crease_depth) * crease
    density = resized(pore_density(DETAIL_SIZE), size) * strength
    for kind in _kinds(settings):
        depth += opening_depth(kind, density, angle, metric, streams)
    lips = resized(lip_cover(DETAIL_SIZE), size)
    depth += np.float32(settings.lip_depth) * lips * lip_furrows(streams, size)
    return depth


def coarse_pores(
    relief: Relief, metric: TexelMetric, seed: int, settings: SurfaceSettings
) -> np.ndarray:
    """(512, 512) float32 metres: the widest pores alone, for maps as coarse as the detail."""
    strength = _strength(relief, settings)
    density = pore_density(DETAIL_SIZE) * strength
    angle = _directions(relief, DETAIL_SIZE)
    depth = settings.wide_pore_depth
    kind = Openings("wide pores", settings.wide_pore_count, 0.00030, 0.2, depth, (3, 3), 3)
    return opening_depth(kind, density, angle, metric, Streams(seed))


def _kinds(settings: SurfaceSettings) -> tuple[Openings, Openings]:
    return (
        Openings("pores", settings.pore_count, 0.000125, 0.22, settings.pore_depth, (5, 7), 4),
        Openings(
            "follicles", settings.follicle_count, 0.00006, 0.25, settings.follicle_depth, (3, 3), 2
        ),
    )


def _strength(relief: Relief, settings: SurfaceSettings) -> np.ndarray:
    """(512, 512) factor by which the person's skin is coarser or finer there than usual."""
    if not relief.texture.any():
        return np.ones_like(relief.texture)  # no detail: usual skin
    ratio = np.sqrt(relief.texture * relief.skin / settings.typical_texture)
    factor = np.clip(ratio, _WEAKEST, _STRONGEST) * relief.skin
    return cv2.GaussianBlur(factor.astype(np.float32), (0, 0), _SMOOTHING)


def _directions(relief: Relief, size: int) -> np.ndarray:
    """(size, size) float32 radians: that of the lines seen nearby, else that of tension."""
    usual = tension_angle(DETAIL_SIZE)
    share = relief.lined * relief.lined
    parts = (
        share * turn(2.0 * relief.angle) + (1.0 - share) * turn(2.0 * usual)
        for turn in (np.sin, np.cos)
    )
    odd, even = (resized(cv2.GaussianBlur(part, (0, 0), 2.0), size) for part in parts)
    return np.float32(0.5) * np.arctan2(odd, even)


def fine_detail(
    detail: np.ndarray,
    value: np.ndarray,
    depth: np.ndarray,
    metric: TexelMetric,
    settings: SurfaceSettings,
) -> np.ndarray:
    """(S, S) float32 signed V: the detail enlarged, darker in the synthesised pits.

    The law of `height.relief_of` read backwards: darkness = depth / (gain * wavelength).
    detail, value: (512, 512); depth, metric: (S, S).
    """
    size = len(depth)
    large = cv2.resize(detail, (size, size), interpolation=cv2.INTER_CUBIC)
    before = np.clip(resized(value, size) + large, 0.0, 1.0)
    darkness = depth / (settings.depth_gain * WAVELENGTHS[0] * metric.size)
    after = linear_to_srgb(srgb_to_linear(before) * np.exp(-darkness))
    return (large + (after - before)).astype(np.float32)
