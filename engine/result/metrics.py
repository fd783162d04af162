"""Pure metrics. Images (H, W, 3) sRGB in [0, 1]; masks (H, W) in [0, 1]."""

import math

import numpy as np


def mean_squared_error(image: np.ndarray, reference: np.ndarray, mask: np.ndarray) -> float:
    """Mean squared difference over the masked pixels and channels."""
    squared = ((image - reference) ** 2).mean(axis=-1)
    return float((squared * mask).sum() / max(float(mask.sum()), 1e-9))


def psnr(image: np.ndarray, reference: np.ndarray, mask: np.ndarray) -> float:
    """Peak signal to noise ratio in dB for a peak of 1: -10 log10(MSE)."""
    return -10.0 * math.log10(max(mean_squared_error(image, reference, mask), 1e-12))
