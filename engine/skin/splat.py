"""Many small Gaussian dots, summed into a picture."""

import math

import cv2
import numpy as np

_BILINEAR_VARIANCE = 0.17
"""Square pixels by which bilinear splatting blurs."""
_REACH = 3.5
"""Sigmas at which a dot ends."""


def splat(
    shape: tuple[int, int], position: np.ndarray, volume: np.ndarray, sigma: float
) -> np.ndarray:
    """(H, W) float32 sum of Gaussian dots of the given volumes.

    position: (N, 2) column and row in pixels, the first pixel's centre at 0.5. sigma in pixels.
    Dots outside are left out.
    """
    total = np.zeros(shape, np.float32)
    add_splat(total, position, volume, sigma)
    return total


def add_splat(total: np.ndarray, position: np.ndarray, volume: np.ndarray, sigma: float) -> None:
    """Add the dots of `splat` to `total` (H, W) float32, which the caller owns.

    Only the box around the dots is drawn; wide dots are drawn on a coarser grid.
    """
    height, width = total.shape
    x, y = np.ascontiguousarray(position.T)
    inside = (x >= 0.0) & (x < width) & (y >= 0.0) & (y < height)
    if not inside.all():
        x, y, volume = x[inside], y[inside], volume[inside]
    if len(x) == 0:
        return
    coarse = 4 if sigma > 4.0 else 2 if sigma > 1.8 else 1
    margin = math.ceil(_REACH * sigma) + 1
    # Boxes begin at multiples of the coarse pixel, so that it lies the same for every box.
    left, top = (math.floor((v.min() - margin) / coarse) * coarse for v in (x, y))
    right, bottom = (math.ceil((v.max() + margin) / coarse) * coarse for v in (x, y))
    shape = ((bottom - top) // coarse, (right - left) // coarse)
    drawn = _drawn(
        shape, (x - left) / coarse, (y - top) / coarse, volume / coarse**2, sigma / coarse
    )
    if coarse > 1:
        size = (right - left, bottom - top)
        drawn = cv2.resize(drawn, size, interpolation=cv2.INTER_LINEAR)
    rows, columns = slice(max(top, 0), min(bottom, height)), slice(max(left, 0), min(right, width))
    total[rows, columns] += drawn[
        rows.start - top : rows.stop - top, columns.start - left : columns.stop - left
    ]


def _drawn(
    shape: tuple[int, int], x: np.ndarray, y: np.ndarray, volume: np.ndarray, sigma: float
) -> np.ndarray:
    """The dots over a box that holds them all with a pixel around, (H, W) float32."""
    width = shape[1]
    column, row = (x - 0.5).astype(np.int64), (y - 0.5).astype(np.int64)
    right, down = x - 0.5 - column, y - 0.5 - row
    index = row * width + column
    lower = down * volume
    upper = volume - lower
    at_right = upper * right, lower * right
    weights = [upper - at_right[0], at_right[0], lower - at_right[1], at_right[1]]
    corners = np.concatenate([index, index + 1, index + width, index + width + 1])
    total = np.bincount(corners, np.concatenate(weights), shape[0] * width)
    total = total.astype(np.float32).reshape(shape)
    blur = math.sqrt(max(sigma**2 - _BILINEAR_VARIANCE, 0.0))
    if blur <= 0.25:
        return total
    side = 2 * math.ceil(3.0 * blur) + 1
    return cv2.GaussianBlur(total, (side, side), blur, borderType=cv2.BORDER_CONSTANT)
