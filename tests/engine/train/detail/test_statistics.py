"""Statistics of the latent: mean, deviations, directions, and what they leave."""

import numpy as np

from engine.train.detail.statistics import draw_latents, latent_statistics

SHAPE = (4, 3, 3)


def _latents(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Two strong directions and a little noise, of very different sizes per number."""
    rng = np.random.default_rng(0)
    size = np.exp(rng.uniform(-2.0, 2.0, SHAPE))
    directions = rng.standard_normal((2, *SHAPE)) * np.array([0.8, 0.4])[:, None, None, None]
    along = rng.standard_normal((count, 2))
    alpha = np.tensordot(along, directions, 1) + 0.2 * rng.standard_normal((count, *SHAPE))
    return (5.0 + size * alpha).astype(np.float32), size


def test_the_prior_has_the_variance_of_the_latents() -> None:
    latents, _ = _latents(400)
    found = latent_statistics(latents, np.zeros(SHAPE), 5)
    np.testing.assert_allclose(found.mean, latents.mean(0), rtol=1e-4)
    np.testing.assert_allclose(found.sigma, latents.std(0), rtol=1e-3)
    variance = (found.directions**2).sum(0) + found.residual_sigma**2
    np.testing.assert_allclose(variance, 1.0, atol=0.01)
    lengths = np.linalg.norm(found.directions.reshape(5, -1), axis=1)
    assert np.all(np.diff(lengths) < 0.0) and lengths[1] > 3.0 * lengths[2]
    assert 0.7 < found.explained < 1.0
    drawn = draw_latents(found, 3000, 0)
    np.testing.assert_allclose(drawn.mean(0), found.mean, atol=0.1 * found.sigma.max())
    np.testing.assert_allclose(drawn.std(0) / found.sigma, 1.0, atol=0.12)


def test_directions_are_those_of_a_plain_decomposition() -> None:
    latents, _ = _latents(60)
    found = latent_statistics(latents, np.zeros(SHAPE), 2)
    alpha = ((latents - latents.mean(0)) / latents.std(0)).reshape(60, -1)
    _, values, rows = np.linalg.svd(alpha, full_matrices=False)
    for direction, value, row in zip(found.directions.reshape(2, -1), values, rows, strict=False):
        expected = row * value / np.sqrt(59)
        np.testing.assert_allclose(np.abs(direction), np.abs(expected), atol=1e-4)
        assert direction[np.abs(direction).argmax()] > 0.0


def test_numbers_that_tell_nothing_keep_the_posteriors_width() -> None:
    latents = np.zeros((10, *SHAPE), np.float32)
    latents[:, 0] = np.random.default_rng(0).standard_normal((10, 3, 3))
    found = latent_statistics(latents, np.full(SHAPE, 0.01), 20)
    np.testing.assert_allclose(found.sigma[1], 0.1, rtol=1e-4)
    assert found.directions.shape == (20, *SHAPE)
    assert np.all(found.directions[9:] == 0.0) and np.all(found.residual_sigma >= 0.02 - 1e-6)
    assert np.abs(found.directions[:, 1]).max() < 1e-6
