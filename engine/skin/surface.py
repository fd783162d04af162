"""Pigment fields of the skin: natural logs of melanin and blood fraction for every texel.

All effects add in the log domain, where equal steps look about equal at every tone. The figures
are ours, set by eye and against regional means of published maps: cheeks, nose, ears and lips by
their a*, octave amplitudes by the deviation per band (about 1 grey level of 255 an octave).
"""

from functools import lru_cache

import cv2
import numpy as np

from ..head.numerics import smoothstep
from .curves import REFERENCE_SIZE
from .layout import reference_grid, region_distances, region_masks
from .noise import Box, Streams, box_slices, field, scatter
from .parameters import SkinParameters
from .splat import splat

_MELANIN_OCTAVES = {
    4: 0.045, 8: 0.048, 16: 0.044, 32: 0.036, 64: 0.022, 128: 0.019, 256: 0.026, 512: 0.040,
}  # fmt: skip
_BLOOD_OCTAVES = {
    4: 0.045, 8: 0.055, 16: 0.058, 32: 0.056, 64: 0.050, 128: 0.046, 256: 0.055, 512: 0.075,
}  # fmt: skip
LIP_BOX: Box = (384, 512, 640, 672)
"""Holds the lips of everybody."""
_LIP_LINES = ((103, 0.6), (240, 0.7))
_FRECKLE_SIGMAS = (1.1, 1.7, 2.5)


def melanin_gain(p: SkinParameters) -> float:
    """Factor on log-melanin effects: light skin needs a larger relative change to show it."""
    return float(np.interp(np.log(p.melanin), np.log([0.005, 0.02, 0.06, 0.5]), [2.2, 1.5, 1, 1.3]))


def lip_cover(p: SkinParameters, streams: Streams, size: int) -> np.ndarray:
    """Share of lip against facial skin over LIP_BOX, float32, for this person's lip shape."""
    distance = region_distances(size)["lips"][box_slices(LIP_BOX, size)] + 2.6 * p.lip_fullness
    octaves = {32: 0.6, 64: 0.6, 128: 0.5}
    wander = field(streams, "lip edge", size, octaves, share=0.6, box=LIP_BOX)
    softness = 2.6 + 6.0 * (1.0 - p.lip_edge)
    return smoothstep(distance + wander, -softness, softness).astype(np.float32)


def lip_lines(streams: Streams, size: int) -> np.ndarray:
    """Unit noise in fine lines that fan out from the mouth, float32 over LIP_BOX."""
    left, top, right, bottom = LIP_BOX
    column, row = (g[top:bottom, left:right] for g in reference_grid())
    fan = (column - REFERENCE_SIZE / 2) / (1.0 + np.abs(row - 593.0) / 110.0)
    lines = np.zeros(fan.shape, np.float32)
    for index, (count, weight) in enumerate(_LIP_LINES):
        lattice = streams.get("lip lines", index).standard_normal((9, count), dtype=np.float32)
        x = (fan / (right - left) + 0.5) * count
        y = (row - top) / (bottom - top) * 8.0
        part = cv2.remap(lattice, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
        lines += np.float32(weight) * part
    shape = tuple((b - a) * size // REFERENCE_SIZE for a, b in ((left, right), (top, bottom)))
    return cv2.resize(lines, shape, interpolation=cv2.INTER_AREA)


def log_melanin(
    p: SkinParameters, streams: Streams, size: int, lips: np.ndarray, lines: np.ndarray
) -> np.ndarray:
    """(size, size) float32 log melanosome fraction, without zones and folds.

    lips: from `lip_cover`. lines: from `lip_lines`.
    """
    gain = melanin_gain(p)
    octaves = {k: a * gain * (0.5 + p.mottling) for k, a in _MELANIN_OCTAVES.items()}
    total = field(streams, "melanin", size, octaves, share=0.55)
    total *= _calm(size)
    total += np.float32(np.log(p.melanin))
    _add_spots(total, p, streams, gain)
    box = box_slices(LIP_BOX, size)
    lower, wet = (region_masks(size)[name][box] for name in ("lip_lower", "lip_inner"))
    # Lips hold less melanin than light skin and more than dark skin; the lower one least.
    pale = np.log(0.0075)
    darker = max(np.log(p.melanin) - pale, 0.0)
    target = pale + (0.48 + 0.75 * p.lip_pigment) * darker - 0.03 * lines
    target -= np.maximum(0.45 - 0.07 * darker, 0.0) * lower
    skin = total[box]
    skin += lips * (target - skin)
    skin += lips * wet * (0.12 * pale + 0.88 * target - skin)
    return total


@lru_cache(maxsize=4)
def _calm(size: int) -> np.ndarray:
    """Less mottling on neck and chest, where it would show as large clouds, and before the ears,
    where the layout stretches it to streaks."""
    column = (np.arange(size, dtype=np.float32) + 0.5) * np.float32(REFERENCE_SIZE / size)
    side = smoothstep(np.abs(column - REFERENCE_SIZE / 2), 240.0, 330.0).astype(np.float32)
    return (1.0 - np.float32(0.45) * region_masks(size)["neck"]) * (1.0 - np.float32(0.4) * side)


@lru_cache(maxsize=1)
def _sunny() -> np.ndarray:
    m = region_masks(REFERENCE_SIZE)
    sunny = m["cheeks"] + 0.9 * m["nose"] + 0.45 * m["forehead"] + 0.25 * m["face"] + 0.06
    return np.clip(sunny, 0.0, 1.0) * (1.0 - m["scalp"])


def _add_spots(total: np.ndarray, p: SkinParameters, streams: Streams, gain: float) -> None:
    """Add freckles and age spots to log melanin."""
    spots = []
    if p.freckles > 0.02:
        draw = streams.get("freckles")
        for sigma in _FRECKLE_SIGMAS:
            points = scatter(draw, _sunny(), 9000 * p.freckles / sigma**1.5)
            height = draw.gamma(2.5, 0.09 + 0.05 * p.freckles, len(points))
            spots.append((points, height, sigma))
    if p.age_spots > 0.02:
        draw = streams.get("age spots")
        for sigma in (3.0, 5.5, 9.0):
            points = scatter(draw, _sunny(), 260 * p.age_spots / sigma)
            spots.append((points, draw.gamma(3.0, 0.06, len(points)), sigma))
    scale = len(total) / REFERENCE_SIZE
    for points, height, sigma in spots:
        # A dot keeps its volume at every size, so small maps show its average.
        volume = gain * height * 2.0 * np.pi * (sigma * scale) ** 2
        total += splat(total.shape, points * scale, volume, sigma * scale)


def log_blood(
    p: SkinParameters, streams: Streams, size: int, lips: np.ndarray, lines: np.ndarray
) -> np.ndarray:
    """(size, size) float32 log blood fraction; arguments as for `log_melanin`."""
    octaves = {k: a * (0.5 + p.mottling) for k, a in _BLOOD_OCTAVES.items()}
    total = field(streams, "blood", size, octaves, share=0.55)
    total *= _calm(size)
    total += np.float32(np.log(p.blood))
    box = box_slices(LIP_BOX, size)
    m = {k: region_masks(size)[k][box] for k in ("lip_lower", "lip_wet", "lip_inner")}
    target = np.log(0.050 + 0.110 * p.lip_blood) - 0.12 * m["lip_lower"] + 0.07 * lines
    target += 0.35 * m["lip_wet"]
    octaves = {32: 0.07, 64: 0.08, 128: 0.06}
    target += field(streams, "lip patches", size, octaves, share=0.4, box=LIP_BOX)
    skin = total[box]
    skin += lips * (target - skin)
    skin += lips * m["lip_inner"] * (np.log(0.17) - skin)
    return total
