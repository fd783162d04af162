"""Steps of the refinement: gain and curvature against dense matrices, L-BFGS on a quadratic."""

import numpy as np
import pytest
import torch
from tiny_detail import CELLS, SIZE, LinearCoder

from engine.fit.detail.prior import DetailPrior, PriorEnergy
from engine.fit.detail.steps import Curvature, LimitedMemory, latent_curvature, latent_gain

SHAPE = (2, CELLS, CELLS)
COUNT = 2 * CELLS * CELLS


def jacobian(coder: LinearCoder) -> np.ndarray:
    """(texels, latents): each latent moved by itself."""
    eye = np.eye(COUNT, dtype=np.float32).reshape(COUNT, *SHAPE)
    return np.stack([coder.decode(torch.from_numpy(row)).numpy().ravel() for row in eye], axis=1)


@pytest.fixture
def prior() -> DetailPrior:
    rng = np.random.default_rng(0)
    return DetailPrior(0.5 * rng.normal(size=(5, COUNT)), rng.uniform(0.1, 0.6, COUNT))


def test_gain_sums_over_cells_to_the_squared_jacobian(coder: LinearCoder) -> None:
    squared = (jacobian(coder) ** 2).reshape(SIZE, SIZE, *SHAPE).sum((3, 4)).transpose(2, 0, 1)
    np.testing.assert_allclose(latent_gain(coder), squared, atol=1e-7)


def test_curvature_is_the_diagonal_of_the_dense_one(coder: LinearCoder) -> None:
    weight = np.full((SIZE, SIZE), 7.0)
    weight[:, : SIZE // 2] = 0.0
    dense = (jacobian(coder) ** 2 * weight.reshape(-1, 1)).sum(0).reshape(SHAPE)
    found = latent_curvature(coder, weight)
    np.testing.assert_allclose(found[:, :, 3], dense[:, :, 3], rtol=0.1)
    assert found[:, :, 0].max() < 0.1 * dense.max()


def dense_model(prior: DetailPrior, data: np.ndarray, free: np.ndarray) -> np.ndarray:
    chosen = np.broadcast_to(free, SHAPE).ravel()
    sigma = prior.directions.T @ prior.directions + np.diag(prior.variance)
    whole = np.linalg.inv(sigma) + np.diag(data.ravel())
    return whole[np.ix_(chosen, chosen)]


@pytest.mark.parametrize("all_free", [True, False])
def test_solve_equals_the_dense_one(prior: DetailPrior, all_free: bool) -> None:
    rng = np.random.default_rng(1)
    free = np.ones((CELLS, CELLS), bool)
    free[:, 2:] = all_free
    data, gradient = rng.uniform(0.0, 5.0, SHAPE), rng.normal(size=SHAPE)
    chosen = np.broadcast_to(free, SHAPE)
    expected = np.zeros(SHAPE)
    expected[chosen] = np.linalg.solve(dense_model(prior, data, free), gradient[chosen])
    found = Curvature(PriorEnergy(prior, torch.float64), data, free).solve(gradient)
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_memory_corrects_a_model_that_is_wrong(prior: DetailPrior) -> None:
    """A quadratic whose data weigh a third to three times what the model takes them for."""
    rng = np.random.default_rng(2)
    free = np.ones((CELLS, CELLS), bool)
    data = rng.uniform(1.0, 3.0, SHAPE)
    true = dense_model(prior, data * rng.uniform(0.33, 3.0, SHAPE), free)
    goal = rng.normal(size=SHAPE)

    def gradient(at: np.ndarray) -> np.ndarray:
        return (true @ (at - goal).ravel()).reshape(SHAPE)

    memory = LimitedMemory(Curvature(PriorEnergy(prior, torch.float64), data, free))
    at, before = np.zeros(SHAPE), gradient(np.zeros(SHAPE))
    for _ in range(12):
        step = memory.step(before)
        after = gradient(at + step)
        assert memory.learn(step, after - before)
        at, before = at + step, after
    np.testing.assert_allclose(at, goal, atol=1e-2)
    assert not memory.learn(goal, -goal)
    assert not memory.learn(0.0 * goal, 0.0 * goal)
