"""Comparing pictures: what the figures (numpy) and the training losses (torch) share."""

import math

from .conventions import BYTE_MAX

MOST_PSNR = 100.0
"""Decibels reported for equal pictures, whose PSNR is infinite. Ours: 8-bit ones never get near."""

SSIM_RADIUS = 5
SSIM_SIGMA = 1.5
SSIM_C1 = (0.01 * BYTE_MAX) ** 2
SSIM_C2 = (0.03 * BYTE_MAX) ** 2
"""11 x 11 Gaussian window, and constants for grey levels from 0 to 255 (Wang, Bovik, Sheikh &
Simoncelli 2004, section III-C)."""


def psnr_of(mse: float) -> float:
    """10 log10(255^2 / MSE), at most MOST_PSNR. mse: squared grey levels."""
    if mse <= 0.0:
        return MOST_PSNR
    return min(MOST_PSNR, 10.0 * math.log10(BYTE_MAX**2 / mse))
