"""Constants of structural similarity, for the figure (numpy) and the training loss (torch)."""

from .conventions import BYTE_MAX

SSIM_RADIUS = 5
SSIM_SIGMA = 1.5
SSIM_C1 = (0.01 * BYTE_MAX) ** 2
SSIM_C2 = (0.03 * BYTE_MAX) ** 2
"""11 x 11 Gaussian window, and constants for grey levels from 0 to 255 (Wang, Bovik, Sheikh &
Simoncelli 2004, section III-C)."""
