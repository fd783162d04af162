"""The joint covariance of the coefficients over the three channels."""

import numpy as np

CHANCE_DEVIATIONS = 3.0
"""Correlations below this many standard deviations of chance (1 / sqrt(n)) are set to 0."""
DIAGONAL_SHARE = 0.1
"""Ours: real skins are freer than generated ones, so no joint direction is ruled out."""


def joint_covariance(scores: np.ndarray) -> np.ndarray:
    """(D, D) float32 covariance of (n, D) scores of zero mean and unit deviation; see below."""
    x = scores.astype(np.float64)
    return regular_covariance(x.T @ x / (len(x) - 1), len(x))


def regular_covariance(sample: np.ndarray, count: int) -> np.ndarray:
    """(D, D) float32 from a sample covariance of unit-deviation scores of `count` maps.

    Unit diagonal, eigenvalues > 0. Hard thresholding of the sample correlations (Bickel & Levina
    2008), eigenvalues cut at 0, then mixed with the identity. Shrinking alone would weaken the one
    strong joint direction, skin tone, as much as the thousands of correlations that a few hundred
    maps show by chance.
    """
    kept = sample.astype(np.float64)
    kept[np.abs(kept) < CHANCE_DEVIATIONS / np.sqrt(count)] = 0.0
    np.fill_diagonal(kept, 1.0)
    values, vectors = np.linalg.eigh(kept)
    kept = (vectors * np.maximum(values, 0.0)) @ vectors.T
    scale = np.sqrt(np.diag(kept))
    kept = kept / (scale[:, None] * scale[None, :])
    return ((1.0 - DIAGONAL_SHARE) * kept + DIAGONAL_SHARE * np.eye(len(kept))).astype(np.float32)
