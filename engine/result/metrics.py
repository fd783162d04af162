"""Pure metrics. Images (H, W, 3) sRGB in [0, 1]; masks (H, W) in [0, 1]."""

import math

import numpy as np


def squared_errors(image: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """(H, W) mean of the squared difference over the three channels.

    The sum is written out: numpy's own over so short an axis takes ten times as long.
    """
    squared = (image - reference) ** 2
    return (squared[..., 0] + squared[..., 1] + squared[..., 2]) / squared.dtype.type(3)


def mean_squared_error(image: np.ndarray, reference: np.ndarray, mask: np.ndarray) -> float:
    """Mean squared difference over the masked pixels and channels."""
    squared = squared_errors(image, reference)
    return float((squared * mask).sum() / max(float(mask.sum()), 1e-9))


def psnr(image: np.ndarray, reference: np.ndarray, mask: np.ndarray) -> float:
    """Peak signal to noise ratio in dB for a peak of 1: -10 log10(MSE)."""
    return -10.0 * math.log10(max(mean_squared_error(image, reference, mask), 1e-12))
