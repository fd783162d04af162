"""CIELAB and back: the one place of these formulas."""

import numpy as np

from .conventions import linear_to_srgb, srgb_to_linear

XYZ_TO_LINEAR_SRGB = np.array(
    [
        [3.2406, -1.5372, -0.4986],
        [-0.9689, 1.8758, 0.0415],
        [0.0557, -0.2040, 1.0570],
    ]
)
"""IEC 61966-2-1, equation 7."""

D65_WHITE = np.array([0.95047, 1.0, 1.08883])
"""XYZ of D65 for the 2 degree observer (CIE 15:2004)."""

_CUT = 6.0 / 29.0
"""Cube root of the relative XYZ below which CIELAB is a straight line (CIE 15:2004)."""


def srgb_to_lab(colour: np.ndarray) -> np.ndarray:
    """(..., 3) sRGB-encoded in [0, 1] to CIELAB under D65 (CIE 15:2004, section 8.2.1)."""
    xyz = srgb_to_linear(colour) @ np.linalg.inv(XYZ_TO_LINEAR_SRGB).T / D65_WHITE
    root = np.where(xyz > _CUT**3, np.cbrt(xyz), xyz / (3.0 * _CUT**2) + 4.0 / 29.0)
    x, y, z = root[..., 0], root[..., 1], root[..., 2]
    return np.stack([116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)], axis=-1)


def lab_to_srgb(lab: np.ndarray) -> np.ndarray:
    """(..., 3) CIELAB under D65 to sRGB-encoded: the inverse of `srgb_to_lab`.

    Colours that sRGB cannot show are clipped to [0, 1] in linear light, channel by channel.
    """
    y = (lab[..., 0] + 16.0) / 116.0
    root = np.stack([y + lab[..., 1] / 500.0, y, y - lab[..., 2] / 200.0], axis=-1)
    xyz = np.where(root > _CUT, root**3, 3.0 * _CUT**2 * (root - 4.0 / 29.0))
    return linear_to_srgb(np.clip((xyz * D65_WHITE) @ XYZ_TO_LINEAR_SRGB.T, 0.0, 1.0))
