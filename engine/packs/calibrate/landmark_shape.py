"""The network's own mean face: average of its 468 points with depth over many pictures."""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

from ...protocol.conventions import MIRROR
from ...register.registration import fit_similarity

ROUNDS = 5
KNOWN_PAIRS = (
    (33, 263),
    (263, 33),
    (133, 362),
    (362, 133),
    (61, 291),
    (291, 61),
    (10, 10),
    (152, 152),
    (1, 1),
)
"""Outer and inner eye corners, mouth corners, top, chin, nose tip."""


def network_shape(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """(468, 3) mean shape of network outputs (468, 3), x right, y down, z away in pixels.

    Returned with +x the subject's left, +y up, +z out of the face, unit size, centred.
    Generalised Procrustes analysis (Gower 1975).
    """
    shapes = [_normalised(points * np.array([1.0, -1.0, -1.0])) for points in pictures]
    mean = shapes[0]
    for _ in range(ROUNDS):
        moved = [fit_similarity(shape, mean).apply(shape) for shape in shapes]
        mean = _normalised(np.mean(moved, axis=0))
    return mean


def _normalised(points: np.ndarray) -> np.ndarray:
    centred = points - points.mean(axis=0)
    return centred / np.sqrt((centred**2).sum(axis=1).mean())


def mirror_pairs(shape: np.ndarray) -> np.ndarray:
    """(n,) number of each landmark's mirror twin (itself on the mid-line).

    The pairing that moves the reflected shape (n, 3) least onto itself (Hungarian method), after
    the plane of symmetry was found from a few landmarks known by name.
    Raises ValueError when the pairing is not mutual.
    """
    reflected = shape * MIRROR
    known, twins = np.array(KNOWN_PAIRS).T
    moved = fit_similarity(reflected[known], shape[twins]).apply(reflected)
    pairs = np.arange(len(shape))
    for _ in range(ROUNDS):
        cost = ((moved[:, None] - shape[None]) ** 2).sum(axis=-1)
        pairs = linear_sum_assignment(cost + cost.T)[1]
        moved = fit_similarity(reflected, shape[pairs]).apply(reflected)
    if not np.array_equal(pairs[pairs], np.arange(len(shape))):
        raise ValueError("the landmarks do not pair up left and right")
    return pairs
