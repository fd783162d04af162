"""How different two colours look: CIEDE2000 (CIE 142:2001)."""

import numpy as np

_CHROMA_PIVOT = 25.0**7
_HUE_SHIFT, _BLUE, _BLUE_WIDTH = 30.0, 275.0, 25.0
"""Degrees: the rotation term turns blue hues round 275 by at most 2 x 30."""


def ciede2000(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Colour difference of CIELAB values (..., 3) and (..., 3): (...) from 0; about 1 is just seen.

    CIE 142:2001 with the weights kL = kC = kH = 1, in the form of Sharma, Wu & Dalal 2005 ("The
    CIEDE2000 color-difference formula: implementation notes ..."), whose equation numbers the
    comments give. Symmetric; 0 only for equal colours.
    """
    first, second = np.broadcast_arrays(
        np.asarray(first, np.float64), np.asarray(second, np.float64)
    )
    chroma_mean = 0.5 * (np.hypot(*_ab(first)) + np.hypot(*_ab(second)))
    less = 1.0 + 0.5 * (1.0 - _seventh(chroma_mean))  # equations 3 to 5
    chroma1, hue1 = _polar(first, less)
    chroma2, hue2 = _polar(second, less)
    grey = chroma1 * chroma2 == 0.0
    apart = hue2 - hue1
    # Equation 10. Opposite hues are not turned: the mean hue jumps there, as the paper says.
    around = np.where(np.abs(apart) > 180.0, -360.0 * np.sign(apart), 0.0)
    turn = np.where(grey, 0.0, apart + around)
    hue_step = 2.0 * np.sqrt(chroma1 * chroma2) * np.sin(np.deg2rad(turn) / 2.0)  # equation 11
    hue = np.where(grey, hue1 + hue2, hue1 + turn / 2.0)  # equation 14, a grey has hue 0
    light = 0.5 * (first[..., 0] + second[..., 0])
    chroma = 0.5 * (chroma1 + chroma2)
    term_l = (second[..., 0] - first[..., 0]) / _lightness_weight(light)
    term_c = (chroma2 - chroma1) / (1.0 + 0.045 * chroma)
    term_h = hue_step / (1.0 + 0.015 * chroma * _hue_weight(hue))
    # Equation 22; rounding may bring a difference of zero below zero.
    square = term_l**2 + term_c**2 + term_h**2 + _rotation(chroma, hue) * term_c * term_h
    return np.sqrt(np.maximum(square, 0.0))


def _ab(lab: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return lab[..., 1], lab[..., 2]


def _seventh(chroma: np.ndarray) -> np.ndarray:
    power = chroma**7
    return np.sqrt(power / (power + _CHROMA_PIVOT))


def _polar(lab: np.ndarray, less: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Chroma and hue in degrees of the stretched a axis, equations 6 and 7; hue 0 for grey."""
    a, b = lab[..., 1] * less, lab[..., 2]
    return np.hypot(a, b), np.rad2deg(np.arctan2(b, a)) % 360.0


def _lightness_weight(light: np.ndarray) -> np.ndarray:
    square = (light - 50.0) ** 2
    return 1.0 + 0.015 * square / np.sqrt(20.0 + square)  # equation 18


def _hue_weight(hue: np.ndarray) -> np.ndarray:
    """T of equation 15; hue in degrees."""
    return (
        1.0
        - 0.17 * np.cos(np.deg2rad(hue - 30.0))
        + 0.24 * np.cos(np.deg2rad(2.0 * hue))
        + 0.32 * np.cos(np.deg2rad(3.0 * hue + 6.0))
        - 0.20 * np.cos(np.deg2rad(4.0 * hue - 63.0))
    )


def _rotation(chroma: np.ndarray, hue: np.ndarray) -> np.ndarray:
    """R_T, equations 16, 17 and 21."""
    bell = np.exp(-((((hue % 360.0) - _BLUE) / _BLUE_WIDTH) ** 2))
    return -2.0 * _seventh(chroma) * np.sin(np.deg2rad(2.0 * _HUE_SHIFT * bell))
