"""Error figures of a picture against another over some of its texels, in 8-bit units."""

from dataclasses import dataclass

import cv2
import numpy as np

from ..protocol.conventions import BYTE_MAX
from ..protocol.similarity import SSIM_C1, SSIM_C2, SSIM_RADIUS, SSIM_SIGMA, psnr_of

LEAST_SHARE = 1e-6
"""Of the window's weight: with less of it valid there is nothing to compare. A valid texel alone in
its corner weighs more."""


@dataclass(frozen=True)
class Figures:
    """mse in squared grey levels (0 to 255), psnr in decibels, ssim in [-1, 1]."""

    mse: float
    psnr: float
    ssim: float


def mean_squared_error(a: np.ndarray, b: np.ndarray, texels: np.ndarray) -> float:
    """Mean over the chosen texels and three channels of the squared difference in grey levels.

    a, b: (H, W, 3) sRGB in [0, 1]. texels: (H, W) bool, at least one true.
    """
    part = surroundings(texels)
    difference = a[part] - b[part]
    squares = np.einsum("hwc,hwc->hw", difference, difference)
    total = float(squares[texels[part]].sum(dtype=np.float64))
    return total * BYTE_MAX**2 / (texels.sum() * a.shape[2])


def ssim_map(a: np.ndarray, b: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Structural similarity round every texel, per channel: (H, W, 3) float32.

    Wang et al. 2004, equation 13, on grey levels, each channel by itself. The window counts only
    texels in `valid` (its weights are scaled back to sum 1), so what lies outside has no say;
    where no texel of a window is valid the value says nothing. At the picture's edge the picture is
    mirrored, as in the implementations that everybody compares with.
    a, b: (H, W, 3) sRGB in [0, 1]. valid: (H, W) bool.
    """
    weight = valid.astype(np.float32)
    share = _window(weight)
    scale = np.divide(1.0, share, out=np.zeros_like(share), where=share > LEAST_SHARE)
    weight, scale = weight[..., None], scale[..., None]
    # About mid grey the squares stay small, so that float32 is enough for the variances.
    x = (a.astype(np.float32) - 0.5) * BYTE_MAX
    y = (b.astype(np.float32) - 0.5) * BYTE_MAX
    wx, wy = weight * x, weight * y
    mean_x, mean_y = _window(wx) * scale, _window(wy) * scale
    variances = _window(wx * x + wy * y) * scale - mean_x**2 - mean_y**2
    covariance = _window(wx * y) * scale - mean_x * mean_y
    mean_x, mean_y = mean_x + 0.5 * BYTE_MAX, mean_y + 0.5 * BYTE_MAX
    upper = (2.0 * mean_x * mean_y + SSIM_C1) * (2.0 * covariance + SSIM_C2)
    return upper / ((mean_x**2 + mean_y**2 + SSIM_C1) * (variances + SSIM_C2))


def structural_similarity(
    a: np.ndarray, b: np.ndarray, valid: np.ndarray, texels: np.ndarray
) -> float:
    """Mean of `ssim_map` over the chosen texels and three channels.

    texels: (H, W) bool within `valid`, at least one true; only their surroundings are computed.
    """
    rows, columns = surroundings(texels, SSIM_RADIUS)
    part = ssim_map(a[rows, columns], b[rows, columns], valid[rows, columns])
    return float(part[texels[rows, columns]].mean(dtype=np.float64))


def compare(a: np.ndarray, b: np.ndarray, valid: np.ndarray, texels: np.ndarray) -> Figures:
    """All figures of two pictures (H, W, 3) over the chosen texels; see the functions above."""
    mse = mean_squared_error(a, b, texels)
    return Figures(mse, psnr_of(mse), structural_similarity(a, b, valid, texels))


def surroundings(texels: np.ndarray, margin: int = 0) -> tuple[slice, slice]:
    """Rows and columns of the smallest box round the true texels, `margin` wider on each side."""
    slices = []
    for axis in (1, 0):
        places = np.flatnonzero(texels.any(axis=axis))
        low, high = max(int(places[0]) - margin, 0), int(places[-1]) + 1 + margin
        slices.append(slice(low, high))
    return slices[0], slices[1]


def _window(values: np.ndarray) -> np.ndarray:
    size = (2 * SSIM_RADIUS + 1,) * 2
    return cv2.GaussianBlur(values, size, SSIM_SIGMA, borderType=cv2.BORDER_REFLECT)
