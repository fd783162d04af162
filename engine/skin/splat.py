"""Many small Gaussian dots, summed into a picture."""

import math

import cv2
import numpy as np

_BILINEAR_VARIANCE = 0.17
"""Square pixels by which bilinear splatting blurs."""


def splat(
    shape: tuple[int, int], position: np.ndarray, volume: np.ndarray, sigma: float
) -> np.ndarray:
    """(H, W) float32 sum of Gaussian dots of the given volumes; position (N, 2), sigma in pixels.

    Dots outside are left out. Wide dots are drawn on a coarser grid, where H and W allow it.
    """
    coarse = 4 if sigma > 4.0 else 2 if sigma > 1.8 else 1
    if coarse > 1 and shape[0] % coarse == 0 and shape[1] % coarse == 0:
        small = (shape[0] // coarse, shape[1] // coarse)
        drawn = splat(small, position / coarse, volume / coarse**2, sigma / coarse)
        return cv2.resize(drawn, shape[::-1], interpolation=cv2.INTER_LINEAR)
    height, width = shape[0] + 2, shape[1] + 2
    moved = position + 0.5  # one pixel of border, centres at .5
    inside = (moved > 0.0).all(axis=1) & (moved < [width - 1, height - 1]).all(axis=1)
    moved, volume = moved[inside], volume[inside]
    cell = moved.astype(np.int64)
    right, down = (moved - cell).T
    index = cell[:, 1] * width + cell[:, 0]
    lower = down * volume
    upper = volume - lower
    weights = [upper * (1.0 - right), upper * right, lower * (1.0 - right), lower * right]
    corners = np.concatenate([index, index + 1, index + width, index + width + 1])
    total = np.bincount(corners, np.concatenate(weights), height * width)
    total = total.astype(np.float32).reshape(height, width)[1:-1, 1:-1]
    blur = math.sqrt(max(sigma**2 - _BILINEAR_VARIANCE, 0.0))
    return cv2.GaussianBlur(total, (0, 0), blur) if blur > 0.25 else total
