"""The fine grain of skin: the net of lines and openings that is finer than a millimetre.

Its lines run with the tension of the skin: across the forehead and below the eyes, from the nose
outwards and down on the cheeks.
"""

from functools import lru_cache

import cv2
import numpy as np

from ..protocol.conventions import BYTE_MAX
from .curves import REFERENCE_SIZE
from .layout import region_masks
from .noise import Streams
from .parameters import SkinParameters

_STRENGTH = 0.011
"""Deviation of the relative darkening at full strength. Ours: published maps have 0.3 to 1.2 % in
the band below 1.2 reference pixels."""
_KERNEL = 5
_ALONG, _ACROSS = 1.1, 0.42
"""Sigmas of a grain, reference pixels."""
_SLANT = 0.65
"""Radians by which the lines of the cheeks lean from the vertical."""


@lru_cache(maxsize=4)
def _kernel(angle: float) -> np.ndarray:
    """(_KERNEL, _KERNEL) float32 elongated Gaussian that keeps white noise's deviation."""
    axis = np.arange(_KERNEL) - _KERNEL // 2
    x, y = axis[None, :], axis[:, None]
    along = x * np.cos(angle) + y * np.sin(angle)
    across = y * np.cos(angle) - x * np.sin(angle)
    kernel = np.exp(-0.5 * ((along / _ALONG) ** 2 + (across / _ACROSS) ** 2))
    return (kernel / np.linalg.norm(kernel)).astype(np.float32)


@lru_cache(maxsize=2)
def _weights(rows: tuple[int, int], columns: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Weights of the grain that runs across and of the one that leans, each (H, W) float32."""
    box = slice(*rows), slice(*columns)
    m = {
        name: region_masks(REFERENCE_SIZE)[name][box]
        for name in ("forehead", "under_eye", "eye_surround", "nose", "chin", "neck", "lips")
    }
    level = np.maximum.reduce([m["forehead"], m["under_eye"], m["eye_surround"], 0.8 * m["neck"]])
    strength = 1.0 + 0.3 * m["nose"] + 0.2 * m["chin"] - 0.5 * m["neck"] - 0.8 * m["lips"]
    return strength * np.sqrt(level), strength * np.sqrt(1.0 - level)


def grain_depth(p: SkinParameters, streams: Streams, box: tuple[int, int, int, int]) -> np.ndarray:
    """Relative darkening over `box` of the reference map, (H, W) float32, about zero on average.

    box: left, top, right, bottom in reference pixels, symmetric about the mid-line.
    """
    left, top, right, bottom = box
    draw = streams.get("grain")
    shape = (bottom - top, right - left)
    amount = _STRENGTH * p.pores**0.6 * (0.8 + 0.6 * p.fine_lines)
    white = draw.integers(0, BYTE_MAX + 1, shape, dtype=np.uint8).astype(np.float32)
    white -= np.float32(BYTE_MAX / 2)
    white *= np.float32(amount * np.sqrt(12.0) / (BYTE_MAX + 1))
    level, lean = _weights((top, bottom), (left, right))
    total = cv2.filter2D(white, -1, _kernel(0.0))
    total *= level
    half = shape[1] // 2
    for side, angle in (
        (slice(0, half), np.pi / 2 + _SLANT),
        (slice(half, None), np.pi / 2 - _SLANT),
    ):
        part = cv2.filter2D(white[:, side], -1, _kernel(angle))
        part *= lean[:, side]
        total[:, side] += part
    return total
