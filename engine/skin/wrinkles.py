"""Folds and wrinkles: thin lines in which the skin is darker, without any light.

A cleaned albedo still shows wrinkles: less skin is seen per texel, light that enters the groove
passes more pigment before it leaves, and the bottom of a fold is often redder. So a line here is a
relative darkening in the measured tint of folds. Lines are sums of small Gaussian dots along a
curve: a dot keeps its volume at every size, so a small map is the reduced large one also where
lines are thinner than a pixel.
"""

import math

import cv2
import numpy as np

from ..head.numerics import smoothstep
from .curves import REFERENCE_SIZE
from .grain import grain_depth
from .noise import Streams
from .parameters import SkinParameters
from .splat import add_splat
from .wrinkle_curves import SIGMAS
from .wrinkle_lines import KNOT_SPACING, SAMPLES, Lines, draw_lines, rails

CREASE_BOX = (128, 128, 896, 960)
"""Columns and rows (left, top, right, bottom) of the reference map that hold every line."""

_STEP = 0.7
"""Distance of the dots of a line, pixels of the map, at most."""
_SLOW = 3.3
"""Slow wander of a line, in steps of its noise."""

_TINT = (0.62, 1.0, 1.18)
"""Relative darkening of sRGB red, green and blue for 1 of green. Ours, near the middle of what 17
nasolabial, forehead, lid and nose wing folds of seven published maps show (red 0.34 to 0.85, blue
0.86 to 1.58): alike on light and dark skin, so that a fold has its skin's hue, a little redder."""


def draw_creases(planes: np.ndarray, p: SkinParameters, streams: Streams) -> None:
    """Darken folds, wrinkles and grain in planes (3, S, S) of sRGB skin that the caller owns."""
    rows, columns = crease_box(planes.shape[1])
    depth = crease_depth(p, streams, planes.shape[1])
    for plane, share in zip(planes[:, rows, columns], _TINT, strict=True):
        plane *= 1.0 - np.float32(share) * depth


def crease_box(size: int) -> tuple[slice, slice]:
    """Rows and columns of CREASE_BOX in a map of that size."""
    left, top, right, bottom = (v * size // REFERENCE_SIZE for v in CREASE_BOX)
    return slice(top, bottom), slice(left, right)


def crease_depth(p: SkinParameters, streams: Streams, size: int) -> np.ndarray:
    """Relative darkening by folds, wrinkles and grain over `crease_box`, float32.

    0.1 is 10 % darker (sRGB green); the philtrum's edges are a little lighter than the skin.
    """
    rows, columns = crease_box(size)
    shape = (rows.stop - rows.start, columns.stop - columns.start)
    if size >= REFERENCE_SIZE // 2 and p.pores > 0.0:  # finer than smaller maps can show
        kind = cv2.INTER_AREA if size < REFERENCE_SIZE else cv2.INTER_LINEAR
        total = cv2.resize(grain_depth(p, streams, CREASE_BOX), shape[::-1], interpolation=kind)
    else:
        total = np.zeros(shape, np.float32)
    lines = draw_lines(p, streams)
    if len(lines.rail) == 0:
        return total
    points, depth, shares, step = _trace(lines, size)
    scale = size / REFERENCE_SIZE
    position = points * np.float32(scale) - np.array([columns.start, rows.start], np.float32)
    for sigma, share in zip(SIGMAS, shares.T, strict=True):
        volume = depth * share * (step * math.sqrt(2.0 * math.pi) * sigma * scale**2)
        used = volume != 0.0
        if used.any():
            add_splat(total, position[used], volume[used], sigma * scale)
    return total


def _knots(noise: np.ndarray, knot: np.ndarray, at: np.ndarray, channel: int) -> np.ndarray:
    """Smooth noise of each point: the values around `at`, counted from row `knot`, blended."""
    low = at.astype(np.int32)
    part = at - low
    part = part * part * (3.0 - 2.0 * part)
    values, row = noise[:, channel], knot + low
    value = values[row]
    return value + part * (values[row + 1] - value)


def _trace(lines: Lines, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Dots of all lines: places (P, 2), depth (P,), shares (P, len(SIGMAS)), spacing (P,).

    Places and spacing in reference pixels.
    """
    table, lengths, _ = rails()
    span = lines.end - lines.start
    whole = lengths[lines.rail] * (1.0 - lines.part) + lengths[lines.rail + 1] * lines.part
    count = np.ceil(whole * span / (_STEP * REFERENCE_SIZE / size)).astype(np.int32) + 1
    line = np.repeat(np.arange(len(count)), count)
    inside = (np.arange(len(line)) - np.repeat(np.cumsum(count) - count, count) + 0.5) / count[line]
    inside = inside.astype(np.float32)
    along = (lines.start[line] + span[line] * inside).astype(np.float32)
    place, normal = _on_rails(table, lines, line, along)
    pixels = along * whole[line].astype(np.float32)
    fast = pixels / np.float32(KNOT_SPACING)
    slow = fast / np.float32(_SLOW)
    noise, knot = lines.noise, lines.knot[line]
    drift = 0.25 * _knots(noise, knot, fast, 0) + _knots(noise, knot, slow, 1)
    # Side lines leave their line in a bow.
    offset = lines.offset[line]
    beside = offset[:, 0] + (offset[:, 1] - offset[:, 0]) * inside**1.5
    place += normal * (lines.wander[line] * drift + beside).astype(np.float32)[:, None]
    place[:, 0] = np.where(lines.mirrored[line], REFERENCE_SIZE - place[:, 0], place[:, 0])
    peak = lines.peak[line]
    shape = np.sin(0.5 * np.pi * np.minimum(inside / peak, (1.0 - inside) / (1.0 - peak)))
    # What is broken is also uneven.
    uneven = 0.15 + 0.5 * np.minimum(lines.breaks[line], 0.5)
    ragged = np.clip(1.0 + uneven * _knots(noise, knot, fast, 2), 0.15, 1.9)
    gap = smoothstep(
        _knots(noise, knot, 0.5 * fast, 3) - (1.7 - 1.8 * lines.breaks[line]), 0.0, 0.6
    )
    depth = lines.depth[line] * shape**0.7 * ragged * (1.0 - gap)
    # Narrow where it is weak, wide where it is deep.
    wider = 0.4 * np.clip(_knots(noise, knot, slow, 2), -1.5, 1.5)
    shares = lines.shares[line] * (1.0 + wider[:, None] * np.array([-1.0, 0.4, 1.0, 0.6]))
    return place, depth, shares, (whole * span / count)[line]


def _on_rails(
    table: np.ndarray, lines: Lines, line: np.ndarray, along: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Places on the lines (P, 2) at shares `along` of the rails, and unit normals (P, 2)."""
    at = along * (SAMPLES - 1)
    low = np.minimum(at.astype(np.int32), SAMPLES - 2)
    part = (at - low)[:, None]
    blend = lines.part[line].astype(np.float32)[:, None]
    rail = lines.rail[line]
    a = table[rail, low] + blend * (table[rail + 1, low] - table[rail, low])
    b = table[rail, low + 1] + blend * (table[rail + 1, low + 1] - table[rail, low + 1])
    tangent = b - a
    tangent = tangent / np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-6)
    return a + part * (b - a), np.stack([-tangent[:, 1], tangent[:, 0]], -1)
