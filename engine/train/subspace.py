"""Directions: an orthonormal basis of a block of columns, the first block, the final rotation."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ..protocol.conventions import BYTE_MAX
from .reduction import BLOCK, Moments, Tick, blocks, silent
from .waiting import patiently

DEPENDENT = 1e-12
"""Share of the largest eigenvalue of a block's Gram matrix (columns of unit length) below which
a direction counts as dependent: above the float32 rounding of the columns, squared."""


ABSENT = 1e-6
"""Share of the first deviation below which a component is rounding, not something maps have."""


class Columns(Protocol):
    """Maps of which a range of texels can be read."""

    def __len__(self) -> int:
        """Number of maps."""

    def columns(self, channel: int, start: int, stop: int) -> np.ndarray:
        """(maps, stop - start) uint8."""


def orthonormalise(block: np.ndarray, tick: Tick = silent) -> None:
    """Make the columns of (N, L) float32 orthonormal with the same span, in place.

    Through the eigenvectors of the L x L Gram matrix, twice, in float64 (Stathopoulos & Wu 2002,
    "SVQB"): as cheap as Cholesky QR, and dependent columns become zeros where Cholesky fails.
    """
    for _ in range(2):
        gram = np.zeros((block.shape[1],) * 2)
        for part in blocks(len(block)):
            rows = block[part].astype(np.float64)
            gram += rows.T @ rows
            tick()
        lengths = np.sqrt(np.diag(gram))
        scale = np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 0.0)
        values, vectors = np.linalg.eigh(gram * scale[:, None] * scale)
        values, vectors = values[::-1], vectors[:, ::-1]
        kept = values > DEPENDENT * max(values[0], np.finfo(np.float64).tiny)
        shrink = np.where(kept, 1.0 / np.sqrt(np.where(kept, values, 1.0)), 0.0)
        turn = scale[:, None] * vectors * shrink
        for part in blocks(len(block)):
            block[part] = block[part].astype(np.float64) @ turn
            tick()


def sample_mean(maps: Columns, channel: int, texels: int, tick: Tick = silent) -> np.ndarray:
    """(N,) float32 mean of a channel of the maps, in [0, 1]."""
    mean = np.empty(texels, np.float32)
    for part in _wide_blocks(len(maps), texels):
        columns = maps.columns(channel, part.start, part.stop)
        mean[part] = columns.mean(axis=0, dtype=np.float64) / BYTE_MAX
        tick()
    return mean


def first_directions(
    maps: Columns,
    channel: int,
    reference: np.ndarray,
    weight: np.ndarray,
    width: int,
    rng: np.random.Generator,
    tick: Tick = silent,
) -> np.ndarray:
    """(N, width) float32: leading directions of the maps themselves, orthonormal, weighted.

    Eigenvectors of the Gram matrix of the m maps, the small side when texels outnumber maps. When
    the maps have fewer directions than `width`, random ones follow.
    reference: (N,) their mean. weight: (N,). Columns are in the weighted space.
    """
    count, texels = len(maps), len(reference)
    root = np.sqrt(weight)

    def centred(part: slice) -> np.ndarray:
        values = maps.columns(channel, part.start, part.stop) * np.float32(1.0 / BYTE_MAX)
        values -= reference[part]
        values *= root[part]
        tick()
        return values

    gram = np.zeros((count, count))
    for part in _wide_blocks(count, texels):
        values = centred(part)
        gram += values @ values.T
    eigenvalues, vectors = patiently(lambda: np.linalg.eigh(gram), tick)  # seconds for 2000 maps
    width_known = min(width, count - 1)
    order = np.argsort(eigenvalues)[::-1][:width_known]
    lengths = np.sqrt(np.maximum(eigenvalues[order], np.finfo(np.float32).tiny))
    vectors = (vectors[:, order] / lengths).astype(np.float32)
    directions = np.empty((texels, width), np.float32)
    for part in _wide_blocks(count, texels):
        directions[part, :width_known] = centred(part).T @ vectors
    for start in range(width_known, width):
        directions[:, start] = rng.standard_normal(texels, dtype=np.float32)
    orthonormalise(directions, tick)
    return directions


def _wide_blocks(maps: int, texels: int) -> list[slice]:
    """Ranges of texels of about the same bytes for any number of maps."""
    step = max(BLOCK * 64 // max(maps, 1), 256)
    return [slice(i, min(i + step, texels)) for i in range(0, texels, step)]


@dataclass(frozen=True, eq=False)
class Rotation:
    """turn: (L, K) from the followed directions to the components. deviation: (K,) of the scores
    along them, falling."""

    turn: np.ndarray
    deviation: np.ndarray


def rayleigh_ritz(covariance: np.ndarray, components: int) -> Rotation:
    """The components inside the span of the followed directions (Halko et al. 2011, stage B).

    covariance: (L, L) of the scores of one channel.
    """
    values, vectors = np.linalg.eigh(covariance)
    order = np.argsort(values)[::-1][:components]
    return Rotation(vectors[:, order], np.sqrt(np.maximum(values[order], 0.0)))


def rotations(found: Moments, components: int) -> tuple[Rotation, ...]:
    """Of every channel; the blocks of the joint covariance lie on its diagonal."""
    channels = len(found.mean)
    width = len(found.covariance) // channels
    spans = [slice(c * width, (c + 1) * width) for c in range(channels)]
    return tuple(rayleigh_ritz(found.covariance[span, span], components) for span in spans)


def correlations(found: Moments, turns: tuple[Rotation, ...]) -> np.ndarray:
    """(C K, C K) covariance of the scores in standard deviations, channel by channel."""
    width = len(found.covariance) // len(turns)
    scaled = []
    for c, rotation in enumerate(turns):
        known = rotation.deviation > ABSENT * rotation.deviation[0]
        safe = np.where(known, rotation.deviation, np.inf)
        turn = np.zeros((len(found.covariance), len(safe)))
        turn[c * width : (c + 1) * width] = rotation.turn / safe
        scaled.append(turn)
    wide = np.concatenate(scaled, axis=1)
    return wide.T @ found.covariance @ wide
