"""Hairs drawn as thin tapered strokes: brows, beards and the fringe of the hairline."""

from dataclasses import dataclass

import cv2
import numpy as np

from ..head.numerics import smoothstep
from ..protocol.conventions import BYTE_MAX
from .curves import (
    BEARD_BOX,
    BROW_BOX,
    BROW_CENTRE,
    BROW_HALF_WIDTH,
    HAIR_BOX,
    REFERENCE_SIZE,
)
from .layout import smooth_curve
from .noise import Streams, scatter
from .parameters import MALE, SkinParameters

_SUBPIXEL_BITS = 4
_OPACITY_LEVELS = 4
_HAIR_WIDTH = 0.7
"""Drawn width of a hair at its root in reference pixels (0.23 mm: a hair and its blur)."""
_BROW_LIFT = 6.0
"""Reference pixels by which brow_height, brow_arch and so on move a brow at +-1 (about 2 mm)."""


@dataclass(frozen=True)
class Canvas:
    """Area of the reference map to draw on, and drawing pixels per reference pixel."""

    left: float
    top: float
    right: float
    bottom: float
    scale: float

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) in drawing pixels."""
        return (
            round((self.bottom - self.top) * self.scale),
            round((self.right - self.left) * self.scale),
        )


def bend_strokes(
    roots: np.ndarray, angle: np.ndarray, bend: np.ndarray, length: np.ndarray
) -> np.ndarray:
    """(N, 5, 2) paths in reference pixels.

    roots: (N, 2). angle: (N,) radians in the picture (0 right, pi / 2 down). bend: (N,) turn over
    the whole length. length: (N,) reference pixels.
    """
    steps = np.arange(4) / 3.0
    heading = angle[:, None] + bend[:, None] * steps
    move = np.stack([np.cos(heading), np.sin(heading)], -1) * (length / 4.0)[:, None, None]
    return np.concatenate([roots[:, None], roots[:, None] + np.cumsum(move, axis=1)], axis=1)


def draw_strokes(canvas: Canvas, paths: np.ndarray, opacity: np.ndarray) -> np.ndarray:
    """Coverage of tapered hairs, (height, width) float32 in [0, 1].

    paths: (N, P, 2) reference pixels, root first. opacity: (N,) in [0, 1]. Hairs that cross each
    other cover more (1 - product of what each lets through), drawn in a few passes.
    """
    free = np.ones(canvas.shape, np.float32)
    if len(paths) == 0:
        return 1.0 - free
    origin = np.array([canvas.left, canvas.top])
    fixed = ((paths - origin) * canvas.scale - 0.5) * (1 << _SUBPIXEL_BITS)
    fixed = np.rint(fixed).astype(np.int32)
    root_half = fixed[:, : fixed.shape[1] // 2 + 1]
    thick = max(1, round(_HAIR_WIDTH * canvas.scale))
    # Thinner than a pixel cannot be drawn, so thin hairs are drawn lighter.
    lighter = min(1.0, _HAIR_WIDTH * canvas.scale / thick)
    level_of = np.minimum((opacity * _OPACITY_LEVELS).astype(int), _OPACITY_LEVELS - 1)
    for level in range(_OPACITY_LEVELS):
        chosen = np.flatnonzero(level_of == level)
        value = round(BYTE_MAX * lighter * (level + 0.5) / _OPACITY_LEVELS)
        for part in (chosen[::2], chosen[1::2]):
            pass_ = np.zeros(canvas.shape, np.uint8)
            for lines, width in ((fixed[part], max(1, thick - 1)), (root_half[part], thick)):
                cv2.polylines(pass_, list(lines), False, value, width, cv2.LINE_AA, _SUBPIXEL_BITS)
            free *= 1.0 - pass_.astype(np.float32) / BYTE_MAX
    return 1.0 - free


# --- brows ----------------------------------------------------------------------------------


def brow_shape(p: SkinParameters, streams: Streams, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Centre line (M, 2) of one brow, as a right brow, in reference pixels; half heights (M,)."""
    centre = np.array(BROW_CENTRE, dtype=np.float64)
    half = np.array(BROW_HALF_WIDTH) * (1.0 + 0.5 * p.brow_thickness)
    along = np.linspace(0.0, 1.0, len(centre))
    # Everybody's brows have bends of their own, and the two sides are not quite alike.
    knots = np.linspace(0.0, 1.0, 4)
    common = streams.get("brow bends").normal(0.0, 1.0, (2, 4))
    bends = common + 0.5 * streams.get("brow bends", 1 + side).normal(0.0, 1.0, (2, 4))
    centre[:, 1] += 1.6 * np.interp(along, knots, bends[0])
    half *= np.clip(1.0 + 0.17 * np.interp(along, knots, bends[1]), 0.5, 1.6)
    centre[:, 0] -= 8.0 * p.brow_gap * (1.0 - along) + 10.0 * p.brow_length * along**2
    bump = np.exp(-(((along - 0.55) / 0.22) ** 2))
    centre[:, 1] -= _BROW_LIFT * (p.brow_height + 1.2 * p.brow_arch * bump)
    centre[:, 1] += 0.35 * _BROW_LIFT * p.brow_arch * (1.0 - along)
    points = smooth_curve(tuple(map(tuple, centre)), closed=False)
    return points, np.interp(np.linspace(0.0, 1.0, len(points)), along, half)


def brow_coverage(p: SkinParameters, streams: Streams, side: int, size: int) -> np.ndarray:
    """Coverage of one brow over BROW_BOX, drawn as the right brow, resampled to `size`.

    side: 0 right, 1 left. The left one has its own hairs and is flipped to its place.
    """
    canvas = Canvas(*BROW_BOX, 3.0 if size >= REFERENCE_SIZE else 1.5)
    draw = streams.get("brow", side)
    centre, half = brow_shape(p, streams, side)
    present = float(smoothstep(np.array(p.brow_density), 0.0, 0.25))  # thinner below: none at 0
    count = int(draw.normal(1.0, 0.04) * (260 + 700 * p.brow_density) * present)
    t = draw.uniform(0.0, 1.0, count) ** 0.9
    s = np.clip(draw.normal(0.0, 0.60, count), -1.5, 1.4)
    at = t * (len(centre) - 1)
    low = np.minimum(at.astype(int), len(centre) - 2)
    part = (at - low)[:, None]
    roots = centre[low] * (1 - part) + centre[low + 1] * part
    tangent = centre[low + 1] - centre[low]
    outward = np.arctan2(tangent[:, 1], tangent[:, 0])
    roots[:, 1] += s * np.interp(at, range(len(half)), half)
    # Hairs stand up at the nose end, lie outwards further on; the upper ones turn down, the
    # lower ones up, so that both rows meet in the middle. "Up" is a larger angle here.
    lift = np.interp(t, [0.0, 0.12, 0.35, 0.7, 1.0], [70.0, 52.0, 24.0, 12.0, 4.0])
    lift = lift + np.interp(t, [0.0, 0.3, 1.0], [4.0, 20.0, 10.0]) * s
    angle = outward + np.deg2rad(lift + draw.normal(0.0, 8.0, count))
    bend = np.deg2rad(-0.45 * lift + draw.normal(0.0, 10.0, count))
    length = np.interp(t, [0.0, 0.3, 1.0], [15.0, 18.0, 9.0]) * draw.normal(1.0, 0.25, count)
    length *= 1.15 if p.sex == MALE else 0.95
    paths = bend_strokes(roots, angle, bend, np.clip(length, 4.0, 24.0))
    paths -= (paths[:, 2:3] - roots[:, None]) * 0.5  # strokes straddle their place in the band
    opacity = (0.30 + 0.42 * p.brow_density) * (1.0 - 0.4 * s**2) * smoothstep(t, -0.15, 0.2)
    opacity *= smoothstep(t, 1.05, 0.7)  # the tail thins out
    opacity = np.clip(opacity * draw.normal(1.0, 0.3, count), 0.02, 0.95)
    hairs = draw_strokes(canvas, paths, opacity)
    hairs = _to_box(hairs, canvas, size)
    tint = _to_box(_brow_tint(centre, half, p), canvas, size)
    brow = 1.0 - (1.0 - hairs) * (1.0 - tint)
    return brow[:, ::-1] if side else brow


def _brow_tint(centre: np.ndarray, half: np.ndarray, p: SkinParameters) -> np.ndarray:
    """Faint even cover under the hairs: fine down and the shadow of roots in the skin."""
    canvas = Canvas(*BROW_BOX, 1.0)
    offset = np.stack([np.zeros_like(half), 0.75 * half], -1)
    outline = np.concatenate([centre - offset, (centre + offset)[::-1]])
    fixed = np.rint(outline - [canvas.left, canvas.top] - 0.5).astype(np.int32)
    mask = np.zeros(canvas.shape, np.float32)
    cv2.fillPoly(mask, [fixed], 1.0)
    present = float(smoothstep(np.array(p.brow_density), 0.0, 0.25))
    return cv2.GaussianBlur(mask, (0, 0), 4.0) * (0.10 + 0.35 * p.brow_density) * present


def _to_box(coverage: np.ndarray, canvas: Canvas, size: int) -> np.ndarray:
    unit = size / REFERENCE_SIZE
    shape = (
        round((canvas.right - canvas.left) * unit),
        round((canvas.bottom - canvas.top) * unit),
    )
    return cv2.resize(coverage, shape, interpolation=cv2.INTER_AREA)


# --- beard and hairline -----------------------------------------------------------------------


def beard_coverage(
    p: SkinParameters, streams: Streams, density: np.ndarray, size: int
) -> np.ndarray:
    """Coverage of beard hairs over BEARD_BOX of a map of that size.

    density: (h, w) in [0, 1] over BEARD_BOX, where they grow.
    """
    draw = streams.get("beard")
    roots = scatter(
        draw, density**1.5, 2.4e5 * p.beard_cover * (1.0 - 0.5 * p.beard_length), BEARD_BOX
    )
    count = len(roots)
    sideways = np.clip((roots[:, 0] - REFERENCE_SIZE / 2) / 120.0, -1.0, 1.0)
    # Down, fanning out from the mid-line on the upper lip, back towards the ears on the jaw.
    angle = np.pi / 2 - 0.75 * sideways + draw.normal(0.0, 0.3, count)
    length = (2.0 + 15.0 * p.beard_length) * draw.uniform(0.5, 1.2, count)
    paths = bend_strokes(roots, angle, draw.normal(0.0, 0.5, count), length)
    opacity = np.clip((0.3 + 0.3 * p.beard_cover) * draw.normal(1.0, 0.3, count), 0.05, 0.95)
    canvas = Canvas(*BEARD_BOX, 2.0 * min(size, REFERENCE_SIZE) / REFERENCE_SIZE)
    return _to_box(draw_strokes(canvas, paths, opacity), canvas, size)


def fringe_coverage(
    p: SkinParameters, streams: Streams, distance: np.ndarray, size: int
) -> np.ndarray:
    """Coverage of the loose hairs along the hairline over HAIR_BOX of a map of that size.

    distance: (S, S) signed distance to this person's hairline in reference pixels, positive inside
    the hair.
    """
    draw = streams.get("fringe")
    band = np.exp(-(((distance - 8.0) / 9.0) ** 2))
    roots = scatter(draw, band, 1.2e5 * p.hair_cover)
    scale = len(distance) / REFERENCE_SIZE
    column, row = (roots * scale).astype(np.int64).T
    smooth = cv2.GaussianBlur(distance, (0, 0), 4.0 * scale)
    down, right = (cv2.Sobel(smooth, cv2.CV_32F, *axis)[row, column] for axis in ((0, 1), (1, 0)))
    outwards = np.arctan2(-down, -right)
    # Hair leaves the skin slanted; which way is a matter of the person's parting.
    slant = draw.normal(0.0, 0.3) + 0.8 * np.sign(roots[:, 0] - REFERENCE_SIZE / 2)
    angle = outwards + slant + draw.normal(0.0, 0.35, len(roots))
    length = (3.0 + 20.0 * p.hair_length) * draw.uniform(0.5, 1.3, len(roots))
    paths = bend_strokes(roots, angle, draw.normal(0.0, 0.4, len(roots)), length)
    opacity = np.clip(0.2 * draw.normal(1.0, 0.4, len(roots)), 0.03, 0.9)
    # Drawn at twice the size of small maps, so that hairs thinner than a pixel average out.
    pixels = size if size >= REFERENCE_SIZE else 2 * size
    canvas = Canvas(*HAIR_BOX, pixels / REFERENCE_SIZE)
    return _to_box(draw_strokes(canvas, paths, opacity), canvas, size)
