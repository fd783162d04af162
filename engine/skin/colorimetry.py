"""Spectra to sRGB, and the two colour measures the skin set is judged by (CIELAB and ITA).

Spectra are sampled every 10 nm from 400 to 700 nm (31 bands): outside that range the eye's
weight is below 1 % and skin has no features.
"""

import math

import numpy as np

from ..protocol.colour import D65_WHITE, XYZ_TO_LINEAR_SRGB, srgb_to_lab
from ..protocol.conventions import linear_to_srgb

WAVELENGTHS = np.arange(400.0, 701.0, 10.0)
"""(31,) nanometres."""

# CIE standard illuminant D65, relative power at WAVELENGTHS (CIE 15:2004, table T.1).
_D65 = (
    82.7549, 91.4860, 93.4318, 86.6823, 104.865, 117.008, 117.812, 114.861, 115.923, 108.811,
    109.354, 107.802, 104.790, 107.689, 104.405, 104.046, 100.000, 96.3342, 95.7880, 88.6856,
    90.0062, 89.5991, 87.6987, 83.2886, 83.6992, 80.0268, 80.2146, 82.2778, 78.2842, 69.7213,
    71.6091,
)  # fmt: skip

# Wyman, Sloan & Shirley 2013, "Simple analytic approximations to the CIE XYZ color matching
# functions", section 2.2 (multi-lobe fit): weight, centre, width below, width above (nm).
_LOBES = (
    ((1.056, 599.8, 37.9, 31.0), (0.362, 442.0, 16.0, 26.7), (-0.065, 501.1, 20.4, 26.2)),
    ((0.821, 568.8, 46.9, 40.5), (0.286, 530.9, 16.3, 31.1)),
    ((1.217, 437.0, 11.8, 36.0), (0.681, 459.0, 26.0, 13.8)),
)


def _matching_functions() -> np.ndarray:
    curves = []
    for lobes in _LOBES:
        curve = np.zeros_like(WAVELENGTHS)
        for weight, centre, below, above in lobes:
            width = np.where(WAVELENGTHS < centre, below, above)
            curve += weight * np.exp(-0.5 * ((WAVELENGTHS - centre) / width) ** 2)
        curves.append(curve)
    return np.stack(curves)


def _reflectance_to_linear_matrix() -> np.ndarray:
    weights = _matching_functions() * np.asarray(_D65)
    # Each row is scaled so that a perfect white gives exactly D65, then exactly (1, 1, 1):
    # the small error of the analytic curves must not tint the skin.
    xyz = weights / weights.sum(axis=1, keepdims=True) * D65_WHITE[:, None]
    linear = XYZ_TO_LINEAR_SRGB @ xyz
    return linear / linear.sum(axis=1, keepdims=True)


REFLECTANCE_TO_LINEAR = _reflectance_to_linear_matrix()
"""(3, 31): reflectance spectrum under D65 to linear sRGB; white maps to (1, 1, 1)."""


def reflectance_to_srgb(reflectance: np.ndarray) -> np.ndarray:
    """(..., 31) reflectance in [0, 1] to (..., 3) sRGB-encoded colour, clipped to [0, 1]."""
    linear = np.clip(reflectance @ REFLECTANCE_TO_LINEAR.T, 0.0, 1.0)
    return linear_to_srgb(linear)


def individual_typology_angle(colour: np.ndarray) -> np.ndarray:
    """(..., 3) sRGB-encoded skin colour to ITA in degrees: atan((L* - 50) / b*).

    Chardon, Cretois & Hourseau 1991: above 55 very light, 41 light, 28 intermediate, 10 tan,
    -30 brown, below that dark. The plain arctangent of the paper, not the four-quadrant one.
    """
    return typology_angle(srgb_to_lab(colour))


def typology_angle(lab: np.ndarray) -> np.ndarray:
    """(..., 3) CIELAB to ITA in degrees, see `individual_typology_angle`."""
    return np.arctan((lab[..., 0] - 50.0) / np.maximum(lab[..., 2], 1e-6)) * (180.0 / math.pi)
