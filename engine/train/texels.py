"""The numbers that a training takes from a map: bytes of its valid texels, from file or cache."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from ..protocol.albedo import CHANNELS
from ..protocol.errors import EngineError, ErrorCode
from ..skin.layout import region_masks
from .layout_check import LEAST_SCORE, layout_score
from .maps import read_map

FACE_WEIGHT_OUTSIDE = 0.1
"""Weight of a texel outside the face. Ours: hair and neck of real maps are mostly invented; with
it real maps, never trained on, gain 0.4 to 0.7 dB inside the face."""
LEAST_COVERAGE = 0.99
"""Share of the valid texels that a map with alpha must show; the few others take its mean."""


@dataclass(frozen=True, eq=False)
class TexelLayout:
    """Which texels of a map count, and how much.

    valid: (S, S) bool with N true texels. weight: (N,) float32, positive, mean 1.
    check: also refuse pictures that are no maps of our layout.
    """

    valid: np.ndarray
    weight: np.ndarray
    check: bool = True

    @property
    def size(self) -> int:
        """S."""
        return len(self.valid)

    @property
    def count(self) -> int:
        """N."""
        return len(self.weight)

    @cached_property
    def index(self) -> np.ndarray:
        """(N,) places of the valid texels in a flattened map."""
        return np.flatnonzero(self.valid)


def texel_layout(size: int, weights: np.ndarray | None, check: bool = True) -> TexelLayout:
    """The valid texels at a size. weights: (S, S), positive on valid texels, or None for equal.

    Raises EngineError(BAD_SETTINGS).
    """
    valid = region_masks(size)["valid"] > 0
    weight = np.ones(int(valid.sum()), np.float64)
    if weights is not None:
        if weights.shape != valid.shape:
            raise EngineError(
                ErrorCode.BAD_SETTINGS,
                f"Expected texel weights of shape {valid.shape}, got {weights.shape}.",
            )
        weight = weights[valid].astype(np.float64)
        if not (np.all(np.isfinite(weight)) and weight.min() > 0.0):
            raise EngineError(
                ErrorCode.BAD_SETTINGS, "Texel weights must be positive on valid texels."
            )
    if check:
        layout_score(np.zeros((size, size, CHANNELS), np.uint8))  # draws once, before the threads
    return TexelLayout(valid, (weight / weight.mean()).astype(np.float32), check)


def named_weights(name: str, size: int) -> np.ndarray | None:
    """Texel weights (S, S) float32 by name: "uniform" (None) or "face"."""
    if name == "uniform":
        return None
    if name == "face":
        face = region_masks(size)["face"]
        return face + np.float32(FACE_WEIGHT_OUTSIDE) * (1.0 - face)
    raise EngineError(ErrorCode.BAD_SETTINGS, f"Texel weights are uniform or face, got {name}.")


def texels_of(path: Path, layout: TexelLayout) -> np.ndarray:
    """(3, N) uint8 sRGB of a map file. Raises EngineError(BAD_INPUT) when it cannot be used."""
    skin = read_map(path, layout.size)
    image = skin.bytes()
    if layout.check and layout_score(image) < LEAST_SCORE:
        raise EngineError(
            ErrorCode.BAD_INPUT,
            f"{path.name} is no skin map in the FFHQ-UV layout "
            "(no lips, brows and nostrils at their places).",
        )
    planes = cv2.split(image)
    texels = np.empty((CHANNELS, layout.count), np.uint8)
    for plane, row in zip(planes, texels, strict=True):
        np.take(plane.reshape(-1), layout.index, out=row, mode="clip")  # indices are in range
    _fill_uncovered(path, texels, skin.coverage.reshape(-1)[layout.index] >= 0.5)
    return texels


def _fill_uncovered(path: Path, texels: np.ndarray, covered: np.ndarray) -> None:
    share = float(covered.mean())
    if share < LEAST_COVERAGE:
        raise EngineError(
            ErrorCode.BAD_INPUT,
            f"{path.name} has holes: it covers {100.0 * share:.1f} % of the layout's islands.",
        )
    if share < 1.0:
        for row in texels:
            row[~covered] = np.rint(row[covered].mean())


def digest_of(texels: np.ndarray) -> str:
    """Hash of a map's texels: equal for equal pictures, whatever the files are."""
    return hashlib.blake2b(texels.data, digest_size=16).hexdigest()


class TexelSource(Protocol):
    """Maps as rows of texels."""

    def __len__(self) -> int:
        """Number of maps."""

    def read(self, row: int) -> np.ndarray:
        """(3, N) uint8 of one map."""


@dataclass(frozen=True)
class FileTexels:
    """Maps that are decoded anew at every reading."""

    files: Sequence[Path]
    layout: TexelLayout

    def __len__(self) -> int:
        """Number of maps."""
        return len(self.files)

    def read(self, row: int) -> np.ndarray:
        """(3, N) uint8."""
        return texels_of(self.files[row], self.layout)


@dataclass(frozen=True)
class CachedTexels:
    """Maps in one flat file: row after row of 3 x N bytes."""

    path: Path
    rows: int
    texels: int

    def __len__(self) -> int:
        """Number of maps."""
        return self.rows

    def read(self, row: int) -> np.ndarray:
        """(3, N) uint8."""
        length = CHANNELS * self.texels
        flat = np.fromfile(self.path, np.uint8, length, offset=row * length)
        return flat.reshape(CHANNELS, self.texels)

    def columns(self, channel: int, start: int, stop: int) -> np.ndarray:
        """(rows, stop - start) uint8: a range of texels of all maps."""
        block = np.empty((self.rows, stop - start), np.uint8)
        with self.path.open("rb", buffering=0) as file:
            for row in range(self.rows):
                file.seek((row * CHANNELS + channel) * self.texels + start)
                file.readinto(block[row].data)
        return block


@dataclass(frozen=True, eq=False)
class MemoryTexels:
    """Maps in memory: (rows, 3, N) uint8."""

    maps: np.ndarray

    def __len__(self) -> int:
        """Number of maps."""
        return len(self.maps)

    def read(self, row: int) -> np.ndarray:
        """(3, N) uint8."""
        return self.maps[row]

    def columns(self, channel: int, start: int, stop: int) -> np.ndarray:
        """(rows, stop - start) uint8: a range of texels of all maps."""
        return self.maps[:, channel, start:stop]
