"""Pigment fields of the skin: natural logs of melanin and blood fraction for every texel.

All effects add in the log domain, where equal steps look about equal at every tone. The figures
are ours, set by eye and against regional means of published maps: cheeks, nose, ears and lips by
their a*, octave amplitudes by the deviation per band (about 1 grey level of 255 an octave).
"""

import cv2
import numpy as np

from ..head.numerics import smoothstep
from .curves import REFERENCE_SIZE
from .layout import reference_grid, region_distances, region_masks, resample
from .noise import Streams, dots, field, scatter
from .parameters import SkinParameters
from .pigment import PigmentTable
from .zones import zone_fields

_MELANIN_OCTAVES = {
    4: 0.050, 8: 0.050, 16: 0.045, 32: 0.035, 64: 0.026, 128: 0.024, 256: 0.028, 512: 0.036,
}  # fmt: skip
_BLOOD_OCTAVES = {
    4: 0.060, 8: 0.070, 16: 0.070, 32: 0.060, 64: 0.050, 128: 0.045, 256: 0.055, 512: 0.070,
}  # fmt: skip
_LIP_BOX = (400, 544, 624, 640)
_LIP_LINES = ((90, 0.6), (210, 0.7))
_FRECKLE_SIGMAS = (1.1, 1.7, 2.5)


def melanin_gain(p: SkinParameters) -> float:
    """Factor on log-melanin effects: light skin needs a larger relative change to show it."""
    return float(np.interp(np.log(p.melanin), np.log([0.005, 0.02, 0.06, 0.8]), [2.4, 1.6, 1, 1]))


def lip_cover(p: SkinParameters, streams: Streams, size: int) -> np.ndarray:
    """(size, size) share of lip against facial skin, for this person's lip shape."""
    distance = region_distances(size)["lips"] + 2.6 * p.lip_fullness
    wander = field(streams, "lip edge", size, {24: 0.5, 64: 0.6, 160: 0.5}, share=0.6)
    softness = 2.2 + 3.6 * (1.0 - p.lip_edge)
    return smoothstep(distance + wander, -softness, softness)


def lip_lines(streams: Streams, size: int) -> np.ndarray:
    """(size, size) unit noise in fine lines that fan out from the mouth, 0 away from the lips."""
    left, top, right, bottom = _LIP_BOX
    column, row = (g[top:bottom, left:right] for g in reference_grid())
    fan = (column - REFERENCE_SIZE / 2) / (1.0 + np.abs(row - 593.0) / 110.0)
    lines = np.zeros(fan.shape, np.float32)
    for index, (count, weight) in enumerate(_LIP_LINES):
        lattice = streams.get("lip lines", index).standard_normal((9, count), dtype=np.float32)
        x = (fan / (right - left) + 0.5) * count
        y = (row - top) / (bottom - top) * 8.0
        part = cv2.remap(lattice, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
        lines += np.float32(weight) * part
    total = np.zeros((REFERENCE_SIZE, REFERENCE_SIZE), np.float32)
    total[top:bottom, left:right] = lines
    return resample(total, size)


def zone_pigments(
    p: SkinParameters, streams: Streams, size: int, table: PigmentTable
) -> tuple[np.ndarray, np.ndarray]:
    """Log melanin and log blood, (size, size) each, that the soft zones and lids add."""
    m = region_masks(size)
    lightness, redness = zone_fields(p, streams, size)
    lightness -= (0.06 + 0.34 * p.lid_depth) * m["lid_upper"]
    lightness -= (0.02 + 0.16 * p.lid_depth) * m["lid_lower"]
    change = table.pigments_per_colour(p.melanin, p.blood).astype(np.float32)
    melanin, blood = (a * lightness + b * redness for a, b in change)
    return melanin, blood


def log_melanin(
    p: SkinParameters, streams: Streams, size: int, lips: np.ndarray, lines: np.ndarray
) -> np.ndarray:
    """(size, size) float32 log melanosome fraction.

    lips: from `lip_cover`. lines: from `lip_lines`.
    """
    m = region_masks(size)
    gain = melanin_gain(p)
    octaves = {k: a * gain * (0.5 + p.mottling) for k, a in _MELANIN_OCTAVES.items()}
    total = np.log(np.float32(p.melanin)) + _calm(
        field(streams, "melanin", size, octaves, share=0.45), size
    )
    zones = 0.24 * p.zones * (m["forehead"] + m["temple_corners"] - 0.6 * m["cheeks"])
    eyes = (0.06 + 0.45 * p.eye_pigment) * m["eye_surround"] + 0.14 * m["lid_upper"]
    eyes = eyes + 0.20 * p.eye_pigment * m["under_eye"]
    parts = 0.06 * m["nasal_creases"] + 0.06 * m["jaw_beard"] + 0.06 * m["neck"]
    total += min(gain, 1.7) * (zones + eyes + parts)
    total += gain * _spots(p, streams, size)
    # Lips hold less melanin than the skin around them, the lower one least.
    pale = np.log(0.007)
    darker = max(np.log(p.melanin) - pale, 0.0)
    target = pale + (0.64 + 0.42 * p.lip_pigment) * darker
    target = target - 0.11 * darker * (1.2 - p.lip_pigment) * m["lip_lower"] - 0.04 * lines
    total += lips * (target - total)
    inner = lips * m["lip_inner"]
    return (total + inner * (0.25 * pale + 0.75 * target - total)).astype(np.float32)


def _calm(noise: np.ndarray, size: int) -> np.ndarray:
    """Less mottling on neck and chest, where it would show as large clouds."""
    return noise * (1.0 - 0.45 * region_masks(size)["neck"])


def _spots(p: SkinParameters, streams: Streams, size: int) -> np.ndarray:
    """Freckles, age spots, moles and pores in log melanin."""
    m = region_masks(REFERENCE_SIZE)
    sunny = np.clip(
        m["cheeks"] + 0.9 * m["nose"] + 0.45 * m["forehead"] + 0.25 * m["face"] + 0.06, 0.0, 1.0
    ) * (1.0 - m["scalp"])
    total = np.zeros((size, size), np.float32)
    if p.freckles > 0.02:
        draw = streams.get("freckles")
        for sigma in _FRECKLE_SIGMAS:
            points = scatter(draw, sunny, 9000 * p.freckles / sigma**1.5)
            height = draw.gamma(2.5, 0.09 + 0.05 * p.freckles, len(points))
            total += dots(size, points, height, sigma)
    if p.age_spots > 0.02:
        draw = streams.get("age spots")
        for sigma in (3.0, 5.5, 9.0):
            points = scatter(draw, sunny, 260 * p.age_spots / sigma)
            total += dots(size, points, draw.gamma(3.0, 0.06, len(points)), sigma)
    draw = streams.get("moles")
    skin = (1.0 - m["scalp"]) * (m["main"] - m["lips"] - m["eye_surround"]).clip(0.0)
    points = scatter(draw, skin, 2.0 * p.moles)
    for point in points:
        sigma = draw.gamma(6.0, 0.22)
        total += dots(size, point[None], draw.uniform(0.6, 2.2, 1), sigma)
    if size >= REFERENCE_SIZE // 2:
        total += _pores(p, streams, size)
    return total


def _pores(p: SkinParameters, streams: Streams, size: int) -> np.ndarray:
    m = region_masks(REFERENCE_SIZE)
    draw = streams.get("pores")
    where = np.clip(m["nose"] + 0.7 * m["cheeks"] + 0.4 * m["forehead"] + 0.4 * m["chin"], 0, 1)
    points = scatter(draw, where * (1.0 - m["scalp"]) * (1.0 - m["lips"]), 9.0e4)
    return dots(size, points, draw.gamma(2.0, 0.05 * p.pores, len(points)), 0.75)


def log_blood(
    p: SkinParameters, streams: Streams, size: int, lips: np.ndarray, lines: np.ndarray
) -> np.ndarray:
    """(size, size) float32 log blood fraction; arguments as for `log_melanin`."""
    m = region_masks(size)
    octaves = {k: a * (0.5 + p.mottling) for k, a in _BLOOD_OCTAVES.items()}
    total = np.log(np.float32(p.blood)) + _calm(
        field(streams, "blood", size, octaves, share=0.45), size
    )
    red = 1.0 * m["cheeks"] + 0.55 * m["nose"] + 0.45 * m["nose_tip"] + 1.3 * m["ears"]
    red = red + 0.5 * m["ear_bowl"] + 0.4 * m["ear_lobes"] + 0.45 * m["chin"]
    red = red + 0.45 * m["nasal_creases"]
    patchy = 1.0 + field(streams, "flush", size, {10: 0.12, 24: 0.15, 60: 0.12}, share=0.4)
    total += (0.2 + 0.9 * p.flush) * red * patchy
    total += 0.9 * p.blush * m["cheeks"]
    total += (0.25 + 0.6 * p.under_eye) * m["under_eye"] + 0.35 * m["lid_upper"]
    total += 0.35 * m["lid_lower"] + 1.2 * m["caruncles"] - 0.06 * m["neck"]
    if p.blemishes > 0.02:
        draw = streams.get("blemishes")
        where = region_masks(REFERENCE_SIZE)["face"]
        for sigma in (1.6, 2.8, 4.2):
            points = scatter(draw, where, 420 * p.blemishes / sigma)
            total += dots(size, points, draw.gamma(3.0, 0.16, len(points)), sigma)
    target = np.log(0.050 + 0.100 * p.lip_blood) + 0.08 * m["lip_lower"] + 0.10 * lines
    target = target + 0.35 * m["lip_wet"]
    target += field(streams, "lip patches", size, {24: 0.06, 64: 0.08, 128: 0.06}, share=0.4)
    total += lips * (target - total)
    inner = lips * m["lip_inner"]
    return (total + inner * (np.log(0.17) - total)).astype(np.float32)
