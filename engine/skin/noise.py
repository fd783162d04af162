"""Random fields and dots for skin, the same anatomy at every size.

Each field draws from its own named stream, and each octave from its own child of it, so that a
small map is a reduced copy of the large map of the same person: leaving out the octaves that a
small map cannot show changes nothing else.
"""

import zlib
from dataclasses import dataclass

import cv2
import numpy as np

from .curves import REFERENCE_SIZE
from .layout import region_distances, resample

SEAM_FADE = 70.0
"""Reference pixels from the back seam over which the two halves become equal. The two sides of the
map meet there, so a field that is symmetric at the seam has no visible seam."""


@dataclass(frozen=True)
class Streams:
    """Named random streams of one person. Equal seed and name give equal numbers."""

    seed: int

    def get(self, name: str, index: int = 0) -> np.random.Generator:
        """A fresh generator for (name, index)."""
        return np.random.default_rng((self.seed, zlib.crc32(name.encode()), index))


def own_share(size: int, share: float) -> np.ndarray:
    """(size, size) share of variance that is each side's own; falls to 0 at the back seam."""
    distance = region_distances(REFERENCE_SIZE)["main"]
    fade = np.clip(distance / SEAM_FADE, 0.0, 1.0)
    return cv2.resize(share * fade, (size, size), interpolation=cv2.INTER_AREA)


def octave(streams: Streams, name: str, index: int, cells: int, share: float) -> np.ndarray:
    """(cells, cells) unit normal lattice: left and right alike, `share` of the variance apart."""
    draw = streams.get(name, index)
    both = draw.standard_normal((cells, cells), dtype=np.float32)
    mirrored = (both + both[:, ::-1]) * np.float32(np.sqrt(0.5))
    own = draw.standard_normal((cells, cells), dtype=np.float32)
    split = own_share(cells, share)
    return np.sqrt(1.0 - split) * mirrored + np.sqrt(split) * own


def field(
    streams: Streams,
    name: str,
    size: int,
    amplitudes: dict[int, float],
    share: float = 0.5,
) -> np.ndarray:
    """(size, size) float32 sum of octaves.

    amplitudes: cells across the map -> standard deviation. Octaves finer than two pixels a cell
    are left out. The cubic interpolation between lattice points keeps about 0.75 of the deviation.
    """
    total = np.zeros((size, size), np.float32)
    for index, (cells, amplitude) in enumerate(sorted(amplitudes.items())):
        if cells > size // 2 or amplitude == 0.0:
            continue
        lattice = octave(streams, name, index, cells, share) * np.float32(amplitude)
        total += cv2.resize(lattice, (size, size), interpolation=cv2.INTER_CUBIC)
    return total


def scatter(
    draw: np.random.Generator, density: np.ndarray, expected: float
) -> np.ndarray:
    """(N, 2) random points (column, row in reference pixels) that follow `density`.

    density: (1024, 1024) in [0, 1]. expected: mean number of points on an area of full density
    as large as the whole map.
    """
    count = draw.poisson(expected)
    points = draw.uniform(0.0, REFERENCE_SIZE, (count, 2))
    column, row = points.astype(np.int64).T
    return points[draw.uniform(size=count) < density[row, column]]


def dots(
    size: int, points: np.ndarray, strength: np.ndarray, sigma: float
) -> np.ndarray:
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


def smooth_step(low: float, high: float, value: np.ndarray) -> np.ndarray:
    """0 below `low`, 1 above `high`, cubic between (Hermite 3t^2 - 2t^3)."""
    t = np.clip((value - low) / (high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


__all__ = [
    "Streams", "dots", "field", "octave", "own_share", "resample", "scatter", "smooth_step",
]  # fmt: skip
