"""Detail map -> relief in metres: what is dark and fine lies deep.

Dark is deep because the sky that a pit sees is small (Langer & Zucker 1994); Beeler et al. 2010 add
fine relief to faces so. A detail map also holds hair and pigment, which are no relief:
brows, lashes, stubble, moles and tone patches are told apart by region, band and shape.
"""

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from ..head.numerics import smoothstep
from ..protocol.conventions import srgb_to_linear
from .metric import TexelMetric
from .regions import bare_skin, masks
from .settings import SurfaceSettings

SIGMAS = (1.0, 2.0, 4.0)
"""Texels at 512. Each band is what the next blur takes away; coarser change is tone, not relief."""
WAVELENGTHS = (3.5, 6.5, 13.0)
"""Texels: where the response of each band is largest (of the last two, 6.5 sigma of the finer
blur: the maximum of a difference of Gaussians with ratio 2)."""
_WHOLE = (0.5, 0.1, 0.0)
"""Share of each band that counts without being a line: wide dark blobs are moles and freckles."""
_LARGEST_DARKNESS = 0.7
_LEAST_VALUE = 0.02
_TEXTURE_REACH = 6.0
"""Texels over which texture is averaged, 4 mm."""
_LINE_SIGMA = 1.4
_AROUND, _FAINT, _SALIENT = 14.0, 0.0006, (1.0, 4.0)
"""A line counts from the mean curvature within 14 texels, and wholly from 4 times that."""
_LONG, _LONG_ENOUGH = 10.0, (0.03, 0.085)
"""Texels, 6.5 mm; the share of its own weight that a long line of two texels keeps when averaged is
0.08 to 0.12, a dash of 8 texels keeps a third of that, 0.03."""
_SPOT_SIGMA, _SPOT_CALM = 2.5, 0.8
_DISC = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9))
"""A spot is 2 mm wide and more; this share of its relief goes, with that of its rim."""
_ALONG, _CONTINUOUS = 3.5, (0.45, 0.85)
"""Texels along which a line must keep its direction, and the agreement from which it counts."""


@dataclass(frozen=True, eq=False)
class Relief:
    """Relief that a detail map shows, each (S, S) float32.

    height: metres above the smooth skin. texture: deviation of the finest darkness nearby. skin: in
    [0, 1], how much of what is seen is skin rather than hair. angle: radians, direction of lines
    on the surface (x along the tangent, y along the bitangent). lined: in [0, 1], how sure it is.
    """

    height: np.ndarray
    texture: np.ndarray
    skin: np.ndarray
    angle: np.ndarray
    lined: np.ndarray


def darkness_of(detail: np.ndarray, value: np.ndarray) -> np.ndarray:
    """(S, S) natural log by which linear light falls below the coarse colour's; relative, so that
    the same furrow counts alike on every tone.

    detail: signed V of the detail map; value: V of the coarse albedo; both sRGB-encoded, (S, S).
    """
    before = np.maximum(value, _LEAST_VALUE).astype(np.float32)
    after = np.clip(before + detail, _LEAST_VALUE, 1.0).astype(np.float32)
    darkness = np.log(srgb_to_linear(before)) - np.log(srgb_to_linear(after))
    return np.clip(darkness, -_LARGEST_DARKNESS, _LARGEST_DARKNESS).astype(np.float32)


def relief_of(
    detail: np.ndarray,
    value: np.ndarray,
    metric: TexelMetric,
    settings: SurfaceSettings,
    seen: np.ndarray | None = None,
) -> Relief:
    """Relief of a detail map. detail, value, metric: (S, S), see `darkness_of`; S = 512.

    seen: (S, S) in [0, 1], how sure the detail is; lines of detail that was only completed count
    less, pores take their place. All of it by default.
    """
    size = len(detail)
    darkness = darkness_of(detail, value)
    levels = [darkness, *(cv2.GaussianBlur(darkness, (0, 0), sigma) for sigma in SIGMAS)]
    bands = [fine - coarse for fine, coarse in pairwise(levels)]
    texture = _deviation(bands[0])
    skin = _skin_share(texture, settings, size)
    line, angle, lined = _lines(levels[1], metric)
    if seen is not None:
        line *= settings.completed_lines + (1.0 - settings.completed_lines) * seen
    allowed = bare_skin(size) * skin * (1.0 - _SPOT_CALM * _spots(levels[1], metric))
    height = np.zeros_like(darkness)
    limits = (settings.fine_limit, settings.fine_limit, settings.line_limit)
    for band, wavelength, whole, limit in zip(bands, WAVELENGTHS, _WHOLE, limits, strict=True):
        share = whole + (1.0 - whole) * line
        dark = np.where(band > 0.0, band, settings.rise * band) * share
        depth = settings.depth_gain * wavelength * metric.size * dark
        height -= np.float32(limit) * np.tanh(depth / np.float32(limit))
    return Relief(height * allowed, texture, skin, angle, lined)


def _deviation(band: np.ndarray) -> np.ndarray:
    """Local standard deviation of a band without a mean."""
    return np.sqrt(cv2.GaussianBlur(band * band, (0, 0), _TEXTURE_REACH))


def _skin_share(texture: np.ndarray, settings: SurfaceSettings, size: int) -> np.ndarray:
    """1 where texture is as weak as that of skin, falling with the square of the excess."""
    beard = masks(size)["beard"]
    limit = settings.hair_limit + (settings.beard_limit - settings.hair_limit) * beard
    lips = masks(size)["lips"]  # their furrows are as dark as stubble, and real
    share = np.minimum(1.0, limit / np.maximum(texture, 1e-6)) ** 2
    return (share + (1.0 - share) * lips).astype(np.float32)


@dataclass(frozen=True, eq=False)
class _Curvature:
    """Of the darkness, in steps of equal length on the skin, each (S, S). strong: how much it
    falls off to the sides where that is most; weak: at a right angle to it, negative where it
    falls too. half, xy: doubled direction of the line, times `spread`.
    """

    strong: np.ndarray
    weak: np.ndarray
    half: np.ndarray
    xy: np.ndarray


def _curvature(darkness: np.ndarray, metric: TexelMetric, sigma: float) -> _Curvature:
    """From the Hessian of the darkness blurred by `sigma` texels.

    Its eigenvalues are (-l, 0) on a dark line and (-l, -l) on a dark blob (Frangi et al. 1998).
    """
    smooth = cv2.GaussianBlur(darkness, (0, 0), sigma)
    ratio = metric.along / metric.across  # a step in v is one unit of length
    xx = cv2.Sobel(smooth, cv2.CV_32F, 2, 0, ksize=3, scale=0.25) / (ratio * ratio)
    yy = cv2.Sobel(smooth, cv2.CV_32F, 0, 2, ksize=3, scale=0.25)
    xy = -cv2.Sobel(smooth, cv2.CV_32F, 1, 1, ksize=3, scale=0.25) / ratio  # y upwards
    mean, half = (xx + yy) / 2, (xx - yy) / 2
    spread = np.sqrt(half * half + xy * xy)
    # The eigenvector of the second eigenvalue runs along the line; doubled, it is (half, xy).
    return _Curvature(np.maximum(spread - mean, 0.0), spread + mean, half, xy)


def _lines(darkness: np.ndarray, metric: TexelMetric) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How line-like each texel is, the direction of lines nearby, and how clear that is.

    Directions are averaged as doubled angles (Granlund 1978).
    """
    c = _curvature(darkness, metric, _LINE_SIGMA)
    line = np.clip((c.strong + 2.0 * np.minimum(c.weak, 0.0)) / (c.strong + 1e-6), 0.0, 1.0)
    line *= c.strong > 0.5 * np.abs(c.weak)
    line *= _salience(c.strong * line)
    weight = c.strong * line
    length = np.hypot(c.half, c.xy) + 1e-9
    even, odd = weight * c.half / length, weight * c.xy / length
    line *= smoothstep(_agreement(even, odd, weight, _ALONG)[0], *_CONTINUOUS)
    line *= _length_share(even, odd, weight)
    lined, angle = _agreement(even, odd, weight, _TEXTURE_REACH)
    line = cv2.GaussianBlur(line.astype(np.float32), (0, 0), 1.5)
    return line, angle.astype(np.float32), lined.astype(np.float32)


def _agreement(
    even: np.ndarray, odd: np.ndarray, weight: np.ndarray, reach: float
) -> tuple[np.ndarray, np.ndarray]:
    """How far the directions within `reach` texels agree, in [0, 1], and their mean in radians."""
    even, odd, total = (cv2.GaussianBlur(part, (0, 0), reach) for part in (even, odd, weight))
    share = np.hypot(even, odd) / (total + 1e-6)
    return np.clip(share, 0.0, 1.0), 0.5 * np.arctan2(odd, even)


def _length_share(even: np.ndarray, odd: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """(S, S) in [0, 1]: 0 for a dash, 1 for a line that goes on for a centimetre.

    A Gaussian average of deviation s over a straight line of width w is w / (s sqrt(2 pi)) of the
    line's own weight; of a dash as long as s it is 0.38 of that.
    """
    near = cv2.GaussianBlur(weight, (0, 0), 1.0)
    even, odd = (cv2.GaussianBlur(part, (0, 0), _LONG) for part in (even, odd))
    return smoothstep(np.hypot(even, odd) / (near + 1e-6), *_LONG_ENOUGH).astype(np.float32)


def _spots(darkness: np.ndarray, metric: TexelMetric) -> np.ndarray:
    """(S, S) in [0, 1]: moles and freckles, with their rims."""
    c = _curvature(darkness, metric, _SPOT_SIGMA)
    round_ = np.clip(-c.weak / (c.strong + 1e-6), 0.0, 1.0)
    spot = smoothstep(round_, 0.3, 0.7) * _salience(c.strong * round_)
    wide = cv2.dilate(spot.astype(np.float32), _DISC)
    return cv2.GaussianBlur(wide, (0, 0), 1.5)


def _salience(strength: np.ndarray) -> np.ndarray:
    """(S, S) in [0, 1]: how far a line stands above what is around it. Mottled skin is full of
    short weak lines, a wrinkle is alone."""
    around = cv2.GaussianBlur(strength, (0, 0), _AROUND) + np.float32(_FAINT)
    return smoothstep(strength / around, *_SALIENT).astype(np.float32)
