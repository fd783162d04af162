"""Openings and lines that differ from person to person: lash lines, mouth, nostrils, ears.

Their places are drawn anew for everybody, by a few reference pixels: at 256 most of what two maps
of the same colour differ in are such small shapes. Everything is drawn at the reference size in
small boxes and reduced, so that every size shows the same.
"""

import cv2
import numpy as np

from ..protocol.conventions import BYTE_MAX, bytes_to_unit
from .curves import LOWER_LASH_LINE, MOUTH_SLIT, NOSTRIL, REFERENCE_SIZE, UPPER_LASH_LINE, Curve
from .layout import smooth_curve
from .noise import Box, Streams, box_slices
from .parameters import SkinParameters

EYE_BOX: Box = (288, 320, 736, 448)
NOSTRIL_BOX: Box = (416, 448, 608, 544)
MOUTH_BOX: Box = (352, 544, 672, 640)
EAR_BOXES: tuple[Box, Box] = ((96, 352, 224, 608), (800, 352, 928, 608))
_SUBPIXEL_BITS = 4
# Folds of the right ear: path, thickness in reference pixels, strength.
_EAR_FOLDS: tuple[tuple[Curve, float, float], ...] = (
    (((146, 380), (131, 410), (127, 450), (131, 494), (150, 543), (168, 563)), 9.0, 0.55),
    (((158, 384), (142, 405), (136, 450), (147, 483), (168, 492), (184, 478)), 5.0, 0.75),
    (((166, 388), (165, 405), (172, 425), (171, 442)), 5.0, 0.9),
)
_OWN = np.array([0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.2, 0.3])
"""How much one eye's lash lines differ from the other's, for each way in which people differ."""


def lash_lines(p: SkinParameters, streams: Streams, size: int) -> np.ndarray:
    """How dark the seam of the closed lids is, float32 in [0, 1] over EYE_BOX."""
    draw = streams.get("lash lines")
    common, own = draw.normal(size=8), _OWN * draw.normal(size=(2, 8))
    canvas = np.zeros(_shape(EYE_BOX), np.float32)
    for side in (0, 1):
        z = common + own[side]
        for index, (curve, share) in enumerate(((UPPER_LASH_LINE, 1.0), (LOWER_LASH_LINE, 0.5))):
            path = smooth_curve(curve, closed=False)
            middle = 0.5 * (path[0] + path[-1])
            reach = path - middle
            path = middle + reach * (1.0 + 0.07 * z[0])
            path[:, 1] += 2.0 * p.drift * (2.0 * z[1] + 1.2 * z[2 + index])
            path[:, 1] += (
                2.0 * p.drift * (0.03 * z[4] * reach[:, 0] + 0.0012 * z[5] * reach[:, 0] ** 2)
            )
            thickness = 2.0 * np.exp(0.45 * z[6])
            dark = share * np.clip(p.lash_line + 0.12 * z[7], 0.0, 1.0)
            uneven = _uneven(draw, len(path))
            line = _line(EYE_BOX, path, thickness, uneven, mirrored=side == 1)
            np.maximum(canvas, np.float32(dark) * line, out=canvas)
    return _reduced(canvas, EYE_BOX, size)


def mouth_line(p: SkinParameters, streams: Streams, size: int) -> np.ndarray:
    """How dark the line between the lips is, float32 in [0, 1] over MOUTH_BOX."""
    draw = streams.get("mouth line")
    z = draw.normal(size=5)
    path = smooth_curve(MOUTH_SLIT, closed=False)
    mirror = path[-2::-1] * [-1.0, 1.0] + [float(REFERENCE_SIZE), 0.0]
    path = np.concatenate([path, mirror])
    reach = (path[:, 0] - REFERENCE_SIZE / 2) / 88.0
    path[:, 0] += 5.0 * z[0] * reach
    # The middle of the upper lip hangs down a little, the corners lie higher or lower.
    bow = 1.4 * z[2] * (reach**2 - 0.5) + 1.2 * np.exp(-((reach / 0.2) ** 2))
    path[:, 1] += 2.0 * p.drift * (2.4 * z[1] + bow)
    thickness = 2.2 * np.exp(0.4 * z[3])
    line = _line(MOUTH_BOX, path, thickness, _uneven(draw, len(path)))
    return _reduced(np.float32(p.mouth_line) * line, MOUTH_BOX, size)


def nostrils(p: SkinParameters, streams: Streams, size: int) -> np.ndarray:
    """How dark the nostrils are, float32 in [0, 1] over NOSTRIL_BOX."""
    draw = streams.get("nostrils")
    common, own = draw.normal(size=6), 0.4 * draw.normal(size=(2, 6))
    faint = draw.uniform(0.4, 1.0, 2) ** 0.5
    left, top, right, bottom = NOSTRIL_BOX
    column = np.arange(left, right, dtype=np.float32) + 0.5
    row = np.arange(top, bottom, dtype=np.float32)[:, None] + 0.5
    canvas = np.zeros(_shape(NOSTRIL_BOX), np.float32)
    for side in (0, 1):
        z = common + own[side]
        x = REFERENCE_SIZE - column if side else column
        dx = x - (NOSTRIL[0] + 2.0 * p.drift * 2.2 * z[0])
        dy = row - (NOSTRIL[1] + 2.0 * p.drift * 2.0 * z[1])
        angle = np.deg2rad(NOSTRIL[4] + 12.0 * z[2])
        u = (dx * np.cos(angle) + dy * np.sin(angle)) / (NOSTRIL[2] * np.exp(0.16 * z[3]))
        v = (dy * np.cos(angle) - dx * np.sin(angle)) / (NOSTRIL[3] * np.exp(0.22 * z[4]))
        # A sharp rim or a soft one.
        power = np.clip(2.6 + z[5], 1.2, 4.0)
        np.maximum(canvas, faint[side] / (1.0 + (u * u + v * v) ** power), out=canvas)
    return _reduced(np.float32(p.nostril_depth) * canvas, NOSTRIL_BOX, size)


def ear_folds(p: SkinParameters, streams: Streams, size: int, side: int) -> np.ndarray:
    """How dark the folds of one ear are, float32 in [0, 1] over EAR_BOXES[side].

    side: 0 right, 1 left.
    """
    draw = streams.get("ear folds")
    common, own = draw.normal(size=8), draw.normal(size=(2, 8))[side]
    z = common + 0.4 * own
    canvas = np.zeros(_shape(EAR_BOXES[side]), np.float32)
    for index, (curve, thickness, strength) in enumerate(_EAR_FOLDS):
        path = smooth_curve(curve, closed=False) + 2.0 * p.drift * 2.0 * z[index : index + 2]
        dark = strength * np.clip(0.55 + 0.25 * z[index + 4], 0.1, 1.0)
        uneven = _uneven(draw, len(path))
        line = _line(EAR_BOXES[side], path, thickness, uneven, mirrored=side == 1)
        np.maximum(canvas, np.float32(dark) * line, out=canvas)
    return _reduced(canvas, EAR_BOXES[side], size)


def _shape(box: Box) -> tuple[int, int]:
    left, top, right, bottom = box
    return bottom - top, right - left


def _uneven(draw: np.random.Generator, count: int) -> np.ndarray:
    """Strength in [0, 1] along a line of `count` points: weak at its ends, never even."""
    along = np.linspace(0.0, 1.0, count)
    knots = draw.uniform(0.45, 1.0, 9)
    return np.interp(along, np.linspace(0.0, 1.0, 9), knots) * np.sin(np.pi * along) ** 0.35


def _line(
    box: Box, path: np.ndarray, thickness: float, strength: np.ndarray, mirrored: bool = False
) -> np.ndarray:
    """A soft line over `box` at the reference size. strength: at each point, in [0, 1]."""
    if mirrored:
        path = path * [-1.0, 1.0] + [float(REFERENCE_SIZE), 0.0]
    canvas = np.zeros(_shape(box), np.uint8)
    fixed = np.rint((path - box[:2] - 0.5) * (1 << _SUBPIXEL_BITS)).astype(np.int32)
    value = np.rint(BYTE_MAX * strength).astype(int)
    for start, end, level in zip(fixed[:-1], fixed[1:], value[1:], strict=True):
        # Thin at its ends.
        width = max(1, round(thickness * (0.4 + 0.6 * level / BYTE_MAX)))
        cv2.line(canvas, start, end, int(level), width, cv2.LINE_AA, _SUBPIXEL_BITS)
    softness = 1.0 + 0.3 * thickness
    # The blur takes from the line's middle; part of it is given back.
    lift = np.float32(min(1.0 + 0.8 * softness / thickness, 2.0))
    return lift * cv2.GaussianBlur(bytes_to_unit(canvas), (0, 0), softness)


def _reduced(canvas: np.ndarray, box: Box, size: int) -> np.ndarray:
    rows, columns = box_slices(box, size)
    shape = (columns.stop - columns.start, rows.stop - rows.start)
    kind = cv2.INTER_AREA if size < REFERENCE_SIZE else cv2.INTER_LINEAR
    return np.clip(cv2.resize(canvas, shape, interpolation=kind), 0.0, 1.0)
