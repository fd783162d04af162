"""The Frechet distance: known distances and the plain formula with a matrix root."""

import numpy as np
import pytest
from scipy.linalg import sqrtm

from engine.evaluate.frechet import frechet_distance


def _sets(count: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    mix = rng.standard_normal((size, size))
    return rng.standard_normal((count, size)), rng.standard_normal((count, size)) @ mix + 0.3


def test_equals_the_matrix_root() -> None:
    a, b = _sets(200, 12)
    cov_a, cov_b = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    shift = a.mean(0) - b.mean(0)
    twin = shift @ shift + np.trace(cov_a + cov_b - 2.0 * sqrtm(cov_a @ cov_b).real)
    assert frechet_distance(a, b) == pytest.approx(twin, rel=1e-6)


def test_known_distances() -> None:
    a, _ = _sets(100, 5)
    assert frechet_distance(a, a) == pytest.approx(0.0, abs=1e-9)
    assert frechet_distance(a, a + 2.0) == pytest.approx(20.0)
    # One number per map: (s - 2 s)^2 of the deviations.
    one = a[:, :1] - a[:, :1].mean()
    assert frechet_distance(one, 2.0 * one) == pytest.approx(one.var(ddof=1))


def test_fewer_vectors_than_numbers_are_no_obstacle() -> None:
    a, b = _sets(6, 20)
    assert np.isfinite(frechet_distance(a, b))
