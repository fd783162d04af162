"""Completion of the latent: against dense matrices, and as a distribution."""

import numpy as np
import pytest
import torch

from engine.fit.detail.prior import (
    DetailPrior,
    PriorEnergy,
    complete,
    conditional_mean,
    draw_prior,
    solve_covariance,
)

SHAPE = (2, 4, 4)
COUNT = 32


@pytest.fixture
def prior() -> DetailPrior:
    rng = np.random.default_rng(0)
    return DetailPrior(0.5 * rng.normal(size=(5, COUNT)), rng.uniform(0.1, 0.6, COUNT))


def dense(prior: DetailPrior) -> np.ndarray:
    return prior.directions.T @ prior.directions + np.diag(prior.variance)


def test_solve_equals_the_dense_one(prior: DetailPrior) -> None:
    rng = np.random.default_rng(1)
    noise, values = rng.uniform(0.0, 2.0, COUNT), rng.normal(size=COUNT)
    expected = np.linalg.solve(dense(prior) + np.diag(noise), values)
    np.testing.assert_allclose(solve_covariance(prior, noise, values), expected, atol=1e-10)


def test_mean_equals_the_dense_one_and_keeps_what_is_known(prior: DetailPrior) -> None:
    values = draw_prior(prior, np.random.default_rng(2))
    seen = np.arange(COUNT) < 20
    found = conditional_mean(prior, values, np.where(seen, 0.0, np.inf))
    sigma = dense(prior)
    expected = sigma[:, seen] @ np.linalg.solve(sigma[np.ix_(seen, seen)], values[seen])
    np.testing.assert_allclose(found, expected, atol=1e-9)
    np.testing.assert_allclose(found[seen], values[seen], atol=1e-9)


def test_energy_equals_the_dense_one_with_its_gradient(prior: DetailPrior) -> None:
    energy = PriorEnergy(prior, torch.float64)
    values = draw_prior(prior, np.random.default_rng(3))
    alpha = torch.from_numpy(values.reshape(SHAPE)).requires_grad_(True)
    found = energy(alpha)
    inverse = np.linalg.inv(dense(prior))
    np.testing.assert_allclose(float(found.detach()), values @ inverse @ values, rtol=1e-9)
    found.backward()
    np.testing.assert_allclose(alpha.grad.numpy().ravel(), 2.0 * inverse @ values, atol=1e-9)


def half_seen() -> np.ndarray:
    trust = np.zeros(SHAPE[1:])
    trust[:, :2] = 1.0
    return trust


def test_draws_have_the_conditional_spread(prior: DetailPrior) -> None:
    """Over many seeds the draw has mean 0 and the covariance that the seen cells leave."""
    alpha = np.zeros(SHAPE)
    draws = np.stack(
        [
            complete(prior, alpha, half_seen(), 1.0, np.random.default_rng(seed)).draw.ravel()
            for seed in range(3000)
        ]
    )
    seen = np.broadcast_to(half_seen(), SHAPE).ravel() > 0
    sigma = dense(prior)
    gain = np.linalg.solve(sigma[np.ix_(seen, seen)], sigma[np.ix_(seen, ~seen)])
    left = sigma[np.ix_(~seen, ~seen)] - sigma[np.ix_(~seen, seen)] @ gain
    assert np.abs(draws[:, seen]).max() < 1e-5
    assert np.abs(np.cov(draws[:, ~seen].T) - left).max() < 0.12 * left.max()
    assert np.abs(draws.mean(axis=0)).max() < 0.06


def test_strength_scales_the_draw_only(prior: DetailPrior) -> None:
    alpha = np.random.default_rng(5).standard_normal(SHAPE)
    whole, half = (
        complete(prior, alpha, half_seen(), strength, np.random.default_rng(0))
        for strength in (1.0, 0.5)
    )
    np.testing.assert_array_equal(whole.mean, half.mean)
    np.testing.assert_allclose(half.draw, 0.5 * whole.draw, atol=1e-6)


def test_equal_seeds_equal_draws_and_nothing_is_mirrored(prior: DetailPrior) -> None:
    alpha = np.random.default_rng(6).standard_normal(SHAPE)

    def run(seed: int) -> np.ndarray:
        rng = np.random.default_rng(seed)
        return complete(prior, alpha, half_seen(), 1.0, rng).draw

    np.testing.assert_array_equal(run(1), run(1))
    assert np.abs(run(1) - run(2)).max() > 0.1


def test_a_cell_that_was_not_seen_has_no_say(prior: DetailPrior) -> None:
    alpha = np.random.default_rng(7).standard_normal(SHAPE)
    wild = alpha.copy()
    wild[:, :, 2:] = 1e3
    one = complete(prior, alpha, half_seen(), 1.0, np.random.default_rng(0))
    two = complete(prior, wild, half_seen(), 1.0, np.random.default_rng(0))
    np.testing.assert_array_equal(one.mean, two.mean)
    np.testing.assert_array_equal(one.draw, two.draw)
