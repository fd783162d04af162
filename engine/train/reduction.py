"""One pass over the maps as a sum: what is added per map, and how sums are merged.

A pass needs the mean of the maps only afterwards. Sums are taken about a fixed reference map and
moved to the mean at the end, so that parts of a pass can be computed anywhere in any order and
simply be added. Notation: x a map of one channel (N texels in [0, 1]), r the reference, Q (N, L)
the directions followed, t = (x - r) Q the scores.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..protocol.conventions import BYTE_MAX

BLOCK = 32768
"""Texels per matrix product: large enough for speed, small enough to look at a cancel often."""

Tick = Callable[[], None]
"""Called often; may raise Cancelled."""


def silent() -> None:
    """The tick that never cancels."""


@dataclass(frozen=True, eq=False)
class Frame:
    """What every map of a pass is measured against.

    channels: which of R, G, B. reference: (C, N) float32 in [0, 1]. weight: (N,) float32.
    directions: C arrays (N, L) float32: orthonormal columns in the weighted space, times the root
    of the weight, so that products with plain texel values are weighted ones.
    """

    channels: tuple[int, ...]
    reference: np.ndarray
    weight: np.ndarray
    directions: tuple[np.ndarray, ...]


@dataclass(eq=False)
class PassSums:
    """Sums over maps. Added to in place.

    count: maps. total: (C, N) float64, sum of x - r. scores: (C L,) float64, sum of t.
    moment: (C L, C L) float64, sum of t t^T over the channels together. energy: (C,) float64,
    weighted sum of (x - r)^2. images: C arrays (N, L) float32, sum of (x - r)^T t, or () when the
    pass does not need them.
    """

    count: int
    total: np.ndarray
    scores: np.ndarray
    moment: np.ndarray
    energy: np.ndarray
    images: tuple[np.ndarray, ...]


def empty_sums(frame: Frame, with_images: bool) -> PassSums:
    """Zero."""
    channels, texels = frame.reference.shape
    wide = sum(q.shape[1] for q in frame.directions)
    images = tuple(np.zeros_like(q) for q in frame.directions) if with_images else ()
    return PassSums(
        0,
        np.zeros((channels, texels)),
        np.zeros(wide),
        np.zeros((wide, wide)),
        np.zeros(channels),
        images,
    )


def accumulate(
    sums: PassSums,
    maps: np.ndarray,
    frame: Frame,
    tick: Tick = silent,
    room: np.ndarray | None = None,
) -> None:
    """Add (b, C, N) uint8 maps to `sums`.

    room: (b or more, N) float32 to work in, so that a pass asks the system but once for its largest
    array.
    """
    room = np.empty((len(maps), maps.shape[2]), np.float32) if room is None else room
    scores = []
    for c in range(len(frame.channels)):
        centred = room[: len(maps)]
        _centre(maps[:, c], frame.reference[c], centred, tick)
        t = np.zeros((len(maps), frame.directions[c].shape[1]), np.float32)
        for part in blocks(centred.shape[1]):
            t += centred[:, part] @ frame.directions[c][part]
            sums.total[c, part] += np.ones(len(maps), np.float32) @ centred[:, part]
            tick()
        if sums.images:
            for part in blocks(centred.shape[1]):
                sums.images[c][part] += centred[:, part].T @ t
                tick()
        else:  # measured once, in the pass that is not slowed by images
            for part in blocks(centred.shape[1]):
                squares = np.einsum("bn,bn->n", centred[:, part], centred[:, part])
                sums.energy[c] += np.dot(squares, frame.weight[part])
        scores.append(t)
    wide = np.concatenate(scores, axis=1).astype(np.float64)
    sums.scores += wide.sum(axis=0)
    sums.moment += wide.T @ wide
    sums.count += len(maps)


def _centre(maps: np.ndarray, reference: np.ndarray, out: np.ndarray, tick: Tick) -> None:
    """Fill (b, N) float32 with bytes as [0, 1], less the reference."""
    for part in blocks(maps.shape[1]):
        np.multiply(maps[:, part], np.float32(1.0 / BYTE_MAX), out=out[:, part])
        out[:, part] -= reference[part]
        tick()


def copied(sums: PassSums) -> PassSums:
    """Sums that share no memory with `sums`."""
    return PassSums(
        sums.count,
        sums.total.copy(),
        sums.scores.copy(),
        sums.moment.copy(),
        sums.energy.copy(),
        tuple(image.copy() for image in sums.images),
    )


def add_sums(first: PassSums, second: PassSums) -> PassSums:
    """The sums over both sets of maps. `first` is added to in place and returned."""
    first.count += second.count
    first.total += second.total
    first.scores += second.scores
    first.moment += second.moment
    first.energy += second.energy
    for image, other in zip(first.images, second.images, strict=True):
        image += other
    return first


@dataclass(frozen=True, eq=False)
class Moments:
    """Sums moved to the mean: mean (C, N) float64, covariance (C L, C L) of the scores, variance
    (C,) total weighted variance; the variances with count - 1 as divisor."""

    mean: np.ndarray
    covariance: np.ndarray
    variance: np.ndarray


def moments(sums: PassSums, frame: Frame) -> Moments:
    """Mean, covariance of the scores and total variance.

    With n maps, s the sum of x - r and u the sum of t: cov(t) = (sum t t^T - u u^T / n) / (n - 1).
    """
    count = sums.count
    shift = sums.total / count
    covariance = (sums.moment - np.outer(sums.scores, sums.scores) / count) / (count - 1)
    energy = sums.energy - count * (shift**2 @ frame.weight.astype(np.float64))
    return Moments(frame.reference + shift, covariance, energy / (count - 1))


def centre_images(sums: PassSums, frame: Frame, tick: Tick = silent) -> tuple[np.ndarray, ...]:
    """The images about the mean, in the weighted space: in place, `sums` is spent.

    sum (x - m)^T (t - u / n) = sum (x - r)^T t - s u / n; rows times the root of the weight.
    """
    start = 0
    for c, image in enumerate(sums.images):
        mean_scores = (sums.scores[start : start + image.shape[1]] / sums.count).astype(np.float32)
        start += image.shape[1]
        for part in blocks(len(image)):
            image[part] -= sums.total[c, part].astype(np.float32)[:, None] * mean_scores
            image[part] *= np.sqrt(frame.weight[part])[:, None]
            tick()
    return sums.images


def blocks(texels: int) -> list[slice]:
    """Ranges of at most BLOCK texels."""
    return [slice(i, min(i + BLOCK, texels)) for i in range(0, texels, BLOCK)]
