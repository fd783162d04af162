"""Random fields and dots for skin, the same anatomy at every size.

Each field draws from its own named stream, and each octave from its own child of it, so that a
small map is a reduced copy of the large map of the same person: leaving out the octaves that a
small map cannot show changes nothing else.
"""

import zlib
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from ..protocol.conventions import BYTE_MAX
from .curves import REFERENCE_SIZE
from .layout import region_distances

SEAM_FADE = 70.0
"""Reference pixels from the back seam over which the two halves become equal. The two sides of the
map meet there, so a field that is symmetric at the seam has no visible seam."""


_BLOTCH_SIGMA = 0.45
"""Blur of white noise, in blotches."""
_COARSE_CELLS = 32
_BYTE_DEVIATION = 73.9
"""Standard deviation of the whole numbers from 0 to 255: sqrt((256^2 - 1) / 12)."""

Box = tuple[int, int, int, int]
"""Left, top, right, bottom in reference pixels."""
WHOLE: Box = (0, 0, REFERENCE_SIZE, REFERENCE_SIZE)
BOX_STEP = 32
"""Reference pixels of the coarsest lattice a box may cut: 4 points for each of 8 blotches."""


@dataclass(frozen=True)
class Streams:
    """Named random streams of one person. Equal seed and name give equal numbers."""

    seed: int

    def get(self, name: str, index: int = 0) -> np.random.Generator:
        """A fresh generator for (name, index)."""
        return np.random.default_rng((self.seed, zlib.crc32(name.encode()), index))


@lru_cache(maxsize=48)
def mirror_weights(size: int, share: float, blotch: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Weights (a, b), each (size, size), that make white noise w alike on both sides.

    a * w + b * mirror(w) keeps unit variance (a^2 + b^2 = 1) and has the correlation 2 a b = 1 -
    `share` between the sides. The correlation is 1 at the back seam, where both sides meet, and 0
    at the mid-line, where it would show as a fold. blotch: columns over which w will be blurred.
    """
    distance = region_distances(REFERENCE_SIZE)["main"]
    margin = blotch * REFERENCE_SIZE / size
    fade = np.clip((distance - 1.1 * margin) / max(SEAM_FADE, margin), 0.0, 1.0)
    correlation = 1.0 - share * cv2.resize(fade, (size, size), interpolation=cv2.INTER_AREA)
    if blotch > 0.0:
        column = np.arange(size) + 0.5 - size / 2
        correlation = correlation * (1.0 - np.exp(-((column / (0.7 * blotch)) ** 2)))
    angle = 0.5 * np.arcsin(np.clip(correlation, 0.0, 1.0))
    return np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)


def _white(draw: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """White noise of unit deviation. Whole bytes, a fifth of the time of normal values: sums of
    a dozen of them, as blurring makes, are as good as normal."""
    level = draw.integers(0, BYTE_MAX + 1, shape, dtype=np.uint8).astype(np.float32)
    level -= np.float32(BYTE_MAX / 2)
    level *= np.float32(1.0 / _BYTE_DEVIATION)
    return level


def octave(
    streams: Streams,
    name: str,
    index: int,
    cells: int,
    share: float,
    box: Box = WHOLE,
) -> np.ndarray:
    """Lattice of noise of unit deviation, `cells` blotches across the whole map, cut to `box`.

    Left and right are alike, but for `share` of the variance. Blurring white noise keeps the
    blotches round; interpolating a lattice of one point a blotch would show rows and columns.
    """
    per_blotch = 4 if cells <= _COARSE_CELLS else 2
    side, sigma = per_blotch * cells, _BLOTCH_SIGMA * per_blotch
    rows, columns = box_slices(box, side)
    white = _white(streams.get(name, index), (side, side))[rows]
    a, b = mirror_weights(side, share, per_blotch)
    mixed = a[rows, columns] * white[:, columns]
    mixed += b[rows, columns] * white[:, ::-1][:, columns]
    # A Gaussian of deviation s leaves 1 / (2 s sqrt(pi)) of the deviation of white noise.
    mixed = cv2.GaussianBlur(mixed, (0, 0), sigma)
    mixed *= np.float32(2.0 * sigma * np.sqrt(np.pi))
    return mixed


def box_slices(box: Box, size: int) -> tuple[slice, slice]:
    """Rows and columns of a box of reference pixels in a map of that size."""
    left, top, right, bottom = (v * size // REFERENCE_SIZE for v in box)
    return slice(top, bottom), slice(left, right)


def field(
    streams: Streams,
    name: str,
    size: int,
    amplitudes: dict[int, float],
    share: float = 0.5,
    box: Box = WHOLE,
) -> np.ndarray:
    """Sum of octaves over `box`, (size, size) float32 for the whole map.

    amplitudes: blotches across the map -> standard deviation. Octaves finer than two pixels a
    blotch are left out. box: multiples of BOX_STEP; blotches then are powers of two from 8.
    """
    rows, columns = box_slices(box, size)
    total = None
    for index, (cells, amplitude) in enumerate(sorted(amplitudes.items())):
        if cells > size // 2 or amplitude == 0.0:
            continue
        lattice = octave(streams, name, index, cells, share, box)
        lattice *= np.float32(amplitude)
        # Coarse octaves grow step by step with the finer ones, not each to the full size.
        if total is not None:
            lattice += _resized(total, lattice.shape)
        total = lattice
    shape = (rows.stop - rows.start, columns.stop - columns.start)
    return np.zeros(shape, np.float32) if total is None else _resized(total, shape)


def _resized(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    if values.shape == shape:
        return values
    return cv2.resize(values, shape[::-1], interpolation=cv2.INTER_CUBIC)


def scatter(
    draw: np.random.Generator, density: np.ndarray, expected: float, box: Box = WHOLE
) -> np.ndarray:
    """(N, 2) random points (column, row in reference pixels) that follow `density`.

    density: (h, w) in [0, 1] over `box`, at any size. expected: mean number of points on an area
    of full density as large as the whole map.
    """
    left, top, right, bottom = box
    extent = np.array([right - left, bottom - top], dtype=np.float64)
    count = draw.poisson(expected * extent.prod() / REFERENCE_SIZE**2)
    share = draw.uniform(size=(count, 2))
    column, row = (share * density.shape[::-1]).astype(np.int64).T
    kept = draw.uniform(size=count) < density[row, column]
    return share[kept] * extent + [left, top]
