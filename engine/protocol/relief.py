"""Relief in maps: slopes and normals, and how both maps follow the detail sliders.

The engine makes the maps from the detail (`engine/surface`); the add-on scales what they hold, by
the same formulas. Standard library and numpy only.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .detail import DETAIL_SIZE
from .detail_layers import DetailStrengths, blur, region_gain, split_scales
from .detail_regions import beard_mask
from .resample import resample

STEEPEST = 1.2
"""Largest slope, 50 degrees. Ours: steeper walls of a pore show as black dots in a raster render
and cannot be told from it in skin."""
LEAST_SHARE = 0.6
"""Of the microfacets' alpha that stays, however much of the slopes the normal map shows (ours)."""
GROWTH = 0.75
"""Power of the strength by which relief as a whole grows: the engine bends furrows softly towards
the depth of real ones, so twice the darkness is less than twice the depth. From the engine's own
maps at strengths 0.5 and 2 (powers 0.82 and 0.66)."""
_NEARLY_STEEPEST = 0.98
_LEAST_UP = 0.05
_AVERAGING, _REACH = 4, 6.0
"""Texels of 512 that are averaged first, and the deviation of the blur after that: as the engine's
roughness has it."""


def bent_normals(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(S, S, 3) float32 unit normals in tangent space of slopes x, y (S, S), metres per metre.

    The normal of a height field z = h(x, y) is (-h_x, -h_y, 1), normalised. Slopes bend softly
    towards STEEPEST.
    """
    factor = 1.0 / np.sqrt(1.0 + (x * x + y * y) / np.float32(STEEPEST**2))
    normal = np.empty((*x.shape, 3), np.float32)
    normal[..., 0] = -x * factor
    normal[..., 1] = -y * factor
    normal[..., 2] = 1.0
    normal /= np.sqrt((normal * normal).sum(-1, keepdims=True))
    return normal


def slopes_of(normal: np.ndarray) -> np.ndarray:
    """(2, S, S) float32 slopes along the tangent and the bitangent: inverse of `bent_normals`.

    normal: (S, S, 3) signed values. Slopes that were stored at STEEPEST stay finite.
    """
    up = np.maximum(normal[..., 2], _LEAST_UP)
    x, y = -normal[..., 0] / up, -normal[..., 1] / up
    share = np.minimum((x * x + y * y) / np.float32(STEEPEST**2), np.float32(_NEARLY_STEEPEST))
    factor = 1.0 / np.sqrt(1.0 - share)
    return np.stack([x * factor, y * factor]).astype(np.float32)


def square_slope(normal: np.ndarray) -> np.ndarray:
    """(S, S) square of the slope that unit normals (S, S, 3) show."""
    flat = np.maximum(normal[..., 2], 0.2)
    return (1.0 - flat * flat) / (flat * flat)


def alpha_beside_relief(square: Any, shown: Any) -> Any:
    """Microfacet alpha of skin whose relief is drawn: sqrt(square - shown).

    square: alpha^2 of whole skin; shown: local mean square slope of the normal map, which the
    measured alpha includes (Olano & Baker 2010). At least LEAST_SHARE of alpha stays.
    """
    return np.sqrt(np.maximum(square - shown, LEAST_SHARE**2 * square))


def whole_alpha_square(alpha: Any, shown: Any) -> Any:
    """alpha^2 of whole skin from the alpha beside its relief: inverse of `alpha_beside_relief`."""
    return np.minimum(alpha * alpha + shown, alpha * alpha / LEAST_SHARE**2)


@dataclass(frozen=True, eq=False)
class ReliefScale:
    """What slopes take from the detail sliders: gain * slopes + add, both enlarged to their size.

    gain: (512, 512) f32; add: (2, 512, 512) f32.
    """

    gain: np.ndarray
    add: np.ndarray


def coarse_slopes(slopes: np.ndarray) -> np.ndarray:
    """(2, 2, 512, 512) f32: of both slopes (2, S, S) what is coarse and what is fine, in the
    bands of `detail_layers`; the rest is pores."""
    parts = [split_scales(resample(slope, DETAIL_SIZE))[:2] for slope in slopes]
    return np.stack([np.stack(part) for part in parts])


def relief_scale(bands: np.ndarray, strengths: DetailStrengths) -> ReliefScale:
    """How slopes follow the strengths. bands: of `coarse_slopes`.

    The bands are linear, and so is the slope of a height: scaling bands of the slopes is scaling
    the same bands of the height. So relief follows the bands as the detail itself does
    (`compose_detail`), also relief that was synthesised; the whole follows with `GROWTH`.
    """
    beard = beard_mask()
    pores = (1.0 - beard) * strengths.pores + beard * strengths.stubble
    fine = (1.0 - beard) * strengths.fine_wrinkles + beard * strengths.stubble
    whole = region_gain(strengths.of_regions)
    whole = np.float32(strengths.strength) * (np.float32(1.0) if whole is None else whole)
    whole = np.maximum(whole, 0.0) ** np.float32(GROWTH)
    add = (strengths.coarse_wrinkles - pores) * bands[:, 0] + (fine - pores) * bands[:, 1]
    return ReliefScale((whole * pores).astype(np.float32), (whole * add).astype(np.float32))


def scaled_slopes(slopes: np.ndarray, scale: ReliefScale) -> np.ndarray:
    """(2, S, S) f32 slopes after the sliders. slopes: (2, S, S)."""
    out = np.empty_like(slopes)
    for _ in scale_steps(slopes, scale, out):
        pass
    return out


def scale_steps(slopes: np.ndarray, scale: ReliefScale, out: np.ndarray) -> Iterator[None]:
    """`scaled_slopes` into `out` (2, S, S), in short steps."""
    size = slopes.shape[1]
    gain = resample(scale.gain, size)
    yield
    for now, before, add in zip(out, slopes, scale.add, strict=True):
        add = resample(add, size)
        yield
        np.multiply(gain, before, out=now)
        now += add
        yield


def shown_relief(square: np.ndarray) -> np.ndarray:
    """(128, 128) f32 mean of the square slopes (S, S) of `square_slope`, over about 5 mm."""
    small = resample(square, DETAIL_SIZE // _AVERAGING)
    return np.maximum(blur(small, _REACH / _AVERAGING), 0.0)


def followed_roughness(roughness: np.ndarray, before: np.ndarray, now: np.ndarray) -> np.ndarray:
    """Roughness after the relief changed, elementwise.

    roughness: as fitted; before, now: mean square slopes (`shown_relief`, enlarged) of the fitted
    normals and the new ones. What pits and stubble added stays (a twentieth at most).
    """
    alpha = roughness * roughness
    return np.sqrt(alpha_beside_relief(whole_alpha_square(alpha, before), now))
