"""Crops to train on: pure functions of the samples, the seed and the crop's number.

A crop is mirrored, enlarged or reduced a little, made stronger or weaker, mixed with another
person's, and shifted in tone, so that the model learns what skin does and not who was there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from ...protocol.conventions import bytes_to_unit, mirror_texels
from .settings import CROP_STEP, AugmentSettings

LEAST_WEIGHT = 0.35
"""Mean weight of a crop that is worth a look: the corners of the layout hold nothing."""
MIX_CELLS = (2, 7)
"""Blobs a side of a mask that mixes two people: least and most, exclusive."""
MIX_EDGE = 6.0
"""Steepness of its edge; at 256 texels an edge is about 20 texels wide."""
TONE_CELLS = (128, 64, 32, 16, 8)
"""Texels of the cells of each octave of a shift of tone."""


@dataclass(frozen=True, eq=False)
class Crop:
    """detail signed, value V of the coarse map in [0, 1], weight in [0, 1]: (S, S) float32."""

    detail: np.ndarray
    value: np.ndarray
    weight: np.ndarray


@dataclass(frozen=True, eq=False)
class CropSource:
    """What crops are taken from. detail (n, S, S) float16, value (n, S, S) uint8, weight (S, S)
    float32, symmetric; rows: which of the n are trained on; crop: side of a crop."""

    detail: np.ndarray
    value: np.ndarray
    weight: np.ndarray
    rows: Sequence[int]
    crop: int
    settings: AugmentSettings

    @cached_property
    def places(self) -> np.ndarray:
        """(m, 2) rows and columns where a crop may begin: multiples of a cell, on enough skin."""
        side, crop = len(self.weight), self.crop
        sums = cv2.integral(self.weight, sdepth=cv2.CV_64F)
        starts = np.arange(0, side - crop + 1, CROP_STEP)
        r, c = (grid.ravel() for grid in np.meshgrid(starts, starts, indexing="ij"))
        total = sums[r + crop, c + crop] - sums[r, c + crop] - sums[r + crop, c] + sums[r, c]
        mean = total / crop**2
        enough = mean >= min(LEAST_WEIGHT, mean.max())
        return np.stack([r[enough], c[enough]], -1)


def random_crop(source: CropSource, seed: int, step: int, index: int) -> Crop:
    """Crop number `index` of a step. index counts over all processes."""
    rng = np.random.default_rng([seed, step, index])
    settings = source.settings
    row, column = source.places[rng.integers(len(source.places))]
    window = _window(source, rng, int(row), int(column))
    crop = _one(source, rng, window)
    if rng.random() < settings.mix_share:
        crop = mix(crop, _one(source, rng, window), blob_mask(rng, source.crop))
    detail = crop.detail
    if rng.random() < settings.tone_share and settings.tone > 0.0:
        detail = detail + tone_field(rng, source.crop, settings.tone, settings.tone_spread)
    return Crop(detail, crop.value, crop.weight)


def random_batch(
    source: CropSource, seed: int, step: int, first: int, count: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Detail, value and weight (count, 1, S, S) float32 of crops `first` to first + count - 1."""
    crops = [random_crop(source, seed, step, index) for index in range(first, first + count)]
    stacks = (np.stack([getattr(c, name) for c in crops]) for name in ("detail", "value", "weight"))
    detail, value, weight = (stack[:, None] for stack in stacks)
    return detail, value, weight


@dataclass(frozen=True)
class _Window:
    """A square of a map: where it begins, its side before it is brought to the crop's."""

    row: float
    column: float
    side: float


def _window(source: CropSource, rng: np.random.Generator, row: int, column: int) -> _Window:
    settings = source.settings
    zoom = 1.0
    if rng.random() < settings.zoom_share:
        zoom = float(np.exp(rng.uniform(*np.log(settings.zoom))))
    side = source.crop / zoom
    shift = (source.crop - side) / 2.0
    return _Window(row + shift, column + shift, side)


def _one(source: CropSource, rng: np.random.Generator, window: _Window) -> Crop:
    """A window of a random person, mirrored or not, of random strength."""
    settings = source.settings
    person = source.rows[rng.integers(len(source.rows))]
    flip = settings.flip and rng.random() < 0.5
    strength = np.float32(np.exp(rng.uniform(*np.log(settings.strength))))
    planes = (source.detail[person], source.value[person], source.weight)
    detail, value, weight = (_cut(plane, window, source.crop, flip) for plane in planes)
    return Crop(detail * strength, value, weight)


def _cut(plane: np.ndarray, window: _Window, crop: int, flip: bool) -> np.ndarray:
    """A window of a plane as (crop, crop) float32; outside the plane is 0."""
    if flip:
        plane = mirror_texels(plane)
    whole = window.side == crop
    margin = 0 if whole else 2
    top, left = int(np.floor(window.row)) - margin, int(np.floor(window.column)) - margin
    bottom = int(np.ceil(window.row + window.side)) + margin
    right = int(np.ceil(window.column + window.side)) + margin
    first = (max(top, 0), max(left, 0))
    part = np.ascontiguousarray(plane[first[0] : bottom, first[1] : right])
    part = bytes_to_unit(part) if part.dtype == np.uint8 else part.astype(np.float32)
    if whole:
        return part
    factor = crop / window.side
    # Centres of pixels are at .5: x_crop + .5 = factor * (x_plane + .5 - start).
    down, over = (
        factor * (at + 0.5 - start) - 0.5
        for at, start in zip(first, (window.row, window.column), strict=True)
    )
    matrix = np.array([[factor, 0.0, over], [0.0, factor, down]])
    return cv2.warpAffine(part, matrix, (crop, crop), flags=cv2.INTER_LINEAR)


def mix(a: Crop, b: Crop, mask: np.ndarray) -> Crop:
    """Detail of a where the mask (S, S) is 1, of b where it is 0, on the coarse map of a.

    Signs and sizes of both details are kept.
    """
    detail, weight = (y + mask * (x - y) for x, y in ((a.detail, b.detail), (a.weight, b.weight)))
    return Crop(detail, a.value, weight)


def blob_mask(rng: np.random.Generator, side: int) -> np.ndarray:
    """(side, side) float32 in [0, 1]: soft blobs that cover about half."""
    noise = _smooth_noise(rng, side, MIX_CELLS)
    return np.clip(0.5 + MIX_EDGE * noise, 0.0, 1.0)


def tone_field(rng: np.random.Generator, side: int, median: float, spread: float) -> np.ndarray:
    """(side, side) float32: a sum of octaves of smooth noise, each of a log-normal size."""
    field = np.zeros((1, 1), np.float32)
    for cell in TONE_CELLS:
        count = max(2, side // cell + 1)
        size = np.float32(median * np.exp(spread * rng.standard_normal()))
        field = cv2.resize(field, (count, count), interpolation=cv2.INTER_CUBIC)
        field += size * rng.standard_normal((count, count), np.float32)
    return cv2.resize(field, (side, side), interpolation=cv2.INTER_CUBIC)


def _smooth_noise(rng: np.random.Generator, side: int, cells: tuple[int, int]) -> np.ndarray:
    """(side, side) float32 of about unit size, with some hills a side."""
    count = int(rng.integers(*cells)) + 1
    lattice = rng.standard_normal((count, count), np.float32)
    return cv2.resize(lattice, (side, side), interpolation=cv2.INTER_CUBIC)
