"""Frechet distance between two sets of feature vectors (Heusel et al. 2017, equation 6)."""

import numpy as np


def frechet_distance(a: np.ndarray, b: np.ndarray) -> float:
    """|mean_a - mean_b|^2 + tr(C_a + C_b - 2 (C_a C_b)^(1/2)), never negative.

    a, b: (n, D) and (m, D) features, one row each, at least two rows. The covariances are the
    unbiased ones. The trace of the root comes from the eigenvalues of the symmetric
    C_a^(1/2) C_b C_a^(1/2), which are those of C_a C_b: no root of a matrix that is not symmetric.
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    shift = a.mean(axis=0) - b.mean(axis=0)
    cov_a, cov_b = (np.atleast_2d(np.cov(x, rowvar=False)) for x in (a, b))
    root = _symmetric_root(cov_a)
    values = np.linalg.eigvalsh(root @ cov_b @ root)
    trace = 2.0 * np.sqrt(np.maximum(values, 0.0)).sum()
    return max(0.0, float(shift @ shift + np.trace(cov_a) + np.trace(cov_b) - trace))


def _symmetric_root(matrix: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
