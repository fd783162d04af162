"""What is believed of one head's identity, said of another head: through their landmarks.

Both models place the same landmarks, so a belief about one's coefficients is one about where
landmarks lie, and that is one about the other's coefficients. All of it is linear and Gaussian:
unknown are the other head's coefficients z, the known head's w, and a similarity g between the
two (no shape is in it); the models agree up to SIGMA at each landmark. w and g are then integrated
out (Schur complement). The belief's own prior, w ~ N(0, 1), is taken out first: z has one.
"""

from dataclasses import dataclass

import numpy as np

from ...head.numerics import align_similarity
from .landmark_basis import LandmarkBasis
from .view import IdentityBelief, cross_matrix

SIGMA = 0.01
"""Metres by which the two models may disagree at a landmark: each stands elsewhere by a millimetre
or two, alike for its neighbours, so that 468 are worth some dozens. Ours, on scans with ICT's head:
0.004 to 0.012 lower the error from 1.28 mm (no belief) to 1.20 and 1.18."""
SURE = 0.999
"""Deviation up to which a coefficient counts as told; at 1 the belief is the prior."""
_LOOSE = 1e-6
"""Precision of the similarity: none to speak of."""


@dataclass(frozen=True, eq=False)
class Bridge:
    """The agreement of two heads at their landmarks as a quadratic form.

    normal (K + M + 7, K + M + 7), right (K + M + 7,): of coefficients z (K,), w (M,) and the
    similarity, without what is believed of w.
    """

    normal: np.ndarray
    right: np.ndarray
    count: int

    def carry(self, mean: np.ndarray, sigma: np.ndarray) -> IdentityBelief:
        """The belief about z. mean, sigma (M,): of w, the known head's leading coefficients, in
        deviations of its prior."""
        k, told = self.count, len(mean)
        kept = np.minimum(sigma, SURE)
        normal, right = self.normal.copy(), self.right.copy()
        place = np.arange(k, k + told)
        normal[place, place] += kept**-2.0 - 1.0
        right[place] += mean * kept**-2.0
        own, other = normal[:k, :k], normal[k:, k:]
        solved = np.linalg.solve(other, np.column_stack([normal[k:, :k], right[k:]]))
        precision = own - normal[:k, k:] @ solved[:, :k]
        precision = 0.5 * (precision + precision.T)
        told_of = right[:k] - normal[:k, k:] @ solved[:, k]
        return IdentityBelief(np.linalg.solve(precision, told_of), precision)


def bridge(mean: np.ndarray, modes: np.ndarray, weight: np.ndarray, basis: LandmarkBasis) -> Bridge:
    """From a known head's landmarks to another's.

    mean (L, 3), modes (M, L, 3) metres per deviation, weight (L,): of the known head. basis: of
    the other, with the same landmarks.
    """
    share = weight * basis.weight
    scale, rotation, shift = align_similarity(basis.mean, mean, share)
    placed = scale * basis.mean @ rotation.T + shift
    own = (scale * basis.identity @ rotation.T).reshape(len(basis.identity), -1)
    rows = np.concatenate([own, -modes.reshape(len(modes), -1), similarity_motions(mean)]).T
    trust = np.repeat(share, 3) * SIGMA**-2.0
    normal = (rows * trust[:, None]).T @ rows
    right = -(rows * trust[:, None]).T @ (placed - mean).ravel()
    prior = np.full(len(normal), _LOOSE)
    prior[: len(own)] = 1.0
    prior[len(own) : len(own) + len(modes)] = _LOOSE
    return Bridge(normal + np.diag(prior), right, len(own))


def similarity_motions(points: np.ndarray) -> np.ndarray:
    """(7, 3 L): how points (L, 3) move by rotation, shift and growth about their middle."""
    offset = points - points.mean(axis=0)
    turns = cross_matrix(offset).transpose(2, 0, 1).reshape(3, -1)
    shifts = np.tile(np.eye(3), (len(points), 1, 1)).transpose(2, 0, 1).reshape(3, -1)
    return np.concatenate([turns, shifts, offset.reshape(1, -1)])
