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

from .curves import REFERENCE_SIZE
from .layout import region_distances

SEAM_FADE = 70.0
"""Reference pixels from the back seam over which the two halves become equal. The two sides of the
map meet there, so a field that is symmetric at the seam has no visible seam."""


_BLOTCH_SIGMA = 0.45
"""Blur of white noise, in blotches."""
_COARSE_CELLS = 32


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


def octave(streams: Streams, name: str, index: int, cells: int, share: float) -> np.ndarray:
    """Square lattice of noise of unit deviation with `cells` blotches across.

    Left and right are alike, but for `share` of the variance. Blurring white noise keeps the
    blotches round; interpolating a lattice of one point a blotch would show rows and columns.
    """
    per_blotch = 4 if cells <= _COARSE_CELLS else 2
    side, sigma = per_blotch * cells, _BLOTCH_SIGMA * per_blotch
    white = streams.get(name, index).standard_normal((side, side), dtype=np.float32)
    a, b = mirror_weights(side, share, per_blotch)
    mixed = a * white + b * white[:, ::-1]
    # A Gaussian of deviation s leaves 1 / (2 s sqrt(pi)) of the deviation of white noise.
    return cv2.GaussianBlur(mixed, (0, 0), sigma) * np.float32(2.0 * sigma * np.sqrt(np.pi))


def field(
    streams: Streams,
    name: str,
    size: int,
    amplitudes: dict[int, float],
    share: float = 0.5,
) -> np.ndarray:
    """(size, size) float32 sum of octaves.

    amplitudes: blotches across the map -> standard deviation. Octaves finer than two pixels a
    blotch are left out.
    """
    total = np.zeros((size, size), np.float32)
    for index, (cells, amplitude) in enumerate(sorted(amplitudes.items())):
        if cells > size // 2 or amplitude == 0.0:
            continue
        lattice = octave(streams, name, index, cells, share) * np.float32(amplitude)
        total += cv2.resize(lattice, (size, size), interpolation=cv2.INTER_CUBIC)
    return total


def scatter(draw: np.random.Generator, density: np.ndarray, expected: float) -> np.ndarray:
    """(N, 2) random points (column, row in reference pixels) that follow `density`.

    density: (S, S) in [0, 1], any S. expected: mean number of points on an area of full density
    as large as the whole map.
    """
    count = draw.poisson(expected)
    points = draw.uniform(0.0, REFERENCE_SIZE, (count, 2))
    column, row = (points * (len(density) / REFERENCE_SIZE)).astype(np.int64).T
    return points[draw.uniform(size=count) < density[row, column]]


def dots(size: int, points: np.ndarray, strength: np.ndarray, sigma: float) -> np.ndarray:
    """(size, size) float32 sum of Gaussian dots.

    points: (N, 2) reference pixels. strength: (N,) height of each dot. sigma: reference pixels.
    A dot keeps its volume at every size, so small maps show its average.
    """
    scale = size / REFERENCE_SIZE
    canvas = np.zeros((size + 2, size + 2), np.float32)
    position = points * scale + 0.5  # one pixel of border, centres at .5
    cell = np.floor(position).astype(np.int64)
    part = (position - cell).astype(np.float32)
    volume = strength.astype(np.float32) * np.float32(2.0 * np.pi * (sigma * scale) ** 2)
    for dx in (0, 1):
        for dy in (0, 1):
            weight = np.abs(1 - dx - part[:, 0]) * np.abs(1 - dy - part[:, 1]) * volume
            np.add.at(canvas, (cell[:, 1] + dy, cell[:, 0] + dx), weight)
    canvas = canvas[1:-1, 1:-1]
    blur = np.sqrt(max((sigma * scale) ** 2 - 0.17, 0.0))  # bilinear splatting blurs by 0.41 px
    return cv2.GaussianBlur(canvas, (0, 0), blur) if blur > 0.25 else canvas
