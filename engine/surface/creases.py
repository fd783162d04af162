"""The net of the finest lines, and the furrows of the lips."""

import math

import cv2
import numpy as np

from ..protocol.conventions import BYTE_MAX
from ..skin.noise import Streams, box_slices
from ..skin.surface import LIP_BOX, lip_lines
from .metric import TexelMetric

_SIGMA = 1.15
"""Texels at 2048. The fourth derivative of a Gaussian answers most to wavelengths of pi sigma, here
0.5 to 0.7 mm: the plateaus between primary lines of the face are that wide."""
_REACH = 4
_CROSSING = 0.65
"""Radians between the tension lines and each of the two sets of lines that cross them."""
_ONSET = 0.25
"""Deviations above the mean at which a line begins to sink."""
_FULL = 1.4
_LIP_ONSET = 0.1


def crease_depth(angle: np.ndarray, metric: TexelMetric, streams: Streams) -> np.ndarray:
    """(S, S) float32 in [0, 1]: two sets of lines that cross at a slant, as a diamond net.

    angle: (S, S) radians, direction of tension on the skin.
    """
    depth = np.zeros(angle.shape, np.float32)
    for index, turn in enumerate((_CROSSING, -_CROSSING)):
        noise = _white(streams.get("creases", index), angle.shape)
        lines = _oriented(noise, angle + np.float32(turn), metric)
        np.maximum(depth, (lines - _ONSET) / (_FULL - _ONSET), out=depth)
    return np.tanh(depth, out=depth)


def _white(draw: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """White noise of unit deviation."""
    level = draw.integers(0, BYTE_MAX + 1, shape, dtype=np.uint8).astype(np.float32)
    level -= np.float32(BYTE_MAX / 2)
    level *= np.float32(math.sqrt(12.0) / (BYTE_MAX + 1))
    return level


def _derivative_kernel(order: int) -> np.ndarray:
    """(2 _REACH + 1,) float32 derivative of a Gaussian: Hermite polynomial times Gaussian."""
    x = np.arange(-_REACH, _REACH + 1) / _SIGMA
    hermite = np.polynomial.hermite_e.HermiteE.basis(order)(x)
    return (hermite * np.exp(-0.5 * x * x)).astype(np.float32)


def _oriented(noise: np.ndarray, angle: np.ndarray, metric: TexelMetric) -> np.ndarray:
    """(S, S) noise of about unit deviation in lines along `angle`.

    The fourth derivative across the lines, steered for every texel from five separable filters
    (Freeman & Adelson 1991): with w the direction across in texels, the sum over k of
    binomial(4, k) w_u^k w_v^(4-k) d^4/du^k dv^(4-k).
    """
    side = metric.size
    u = -np.sin(angle) * (side / metric.along)
    v = np.cos(angle) * (side / metric.across)
    length = np.sqrt(u * u + v * v)
    u /= length
    v /= -length  # rows count downwards
    total = np.zeros_like(noise)
    for k in range(5):
        part = cv2.sepFilter2D(noise, cv2.CV_32F, _derivative_kernel(k), _derivative_kernel(4 - k))
        part *= np.float32(math.comb(4, k))
        for _ in range(k):
            part *= u
        for _ in range(4 - k):
            part *= v
        total += part
    # Along an axis the filter is the product of two kernels, and its deviation their lengths'.
    scale = np.linalg.norm(_derivative_kernel(4)) * np.linalg.norm(_derivative_kernel(0))
    total /= np.float32(scale)
    return total


def lip_furrows(streams: Streams, size: int) -> np.ndarray:
    """(size, size) float32 in [0, 1]: furrows that fan out from the mouth, 0 off the lips' box."""
    lines = lip_lines(streams, size)
    furrows = np.zeros((size, size), np.float32)
    furrows[box_slices(LIP_BOX, size)] = np.tanh(np.maximum(lines - _LIP_ONSET, 0.0))
    return furrows
