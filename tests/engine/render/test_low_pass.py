"""The wide Gaussian: near the direct sum, blind to what has no weight, linear."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from engine.render.low_pass import LowPass


def direct(values: np.ndarray, weight: np.ndarray, sigma: float) -> np.ndarray:
    """The slow obvious twin."""

    def blur(plane: np.ndarray) -> np.ndarray:
        return gaussian_filter(plane, sigma, mode="constant", truncate=6.0)

    top = np.stack([blur(weight * values[..., c]) for c in range(values.shape[-1])], axis=-1)
    return top / (blur(weight) + 1e-4)[..., None]


def scene() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    y, x = np.mgrid[:90, :77] / 40.0
    values = np.stack([np.sin(2 * x + y), x * y], -1) + 0.2 * rng.normal(size=(90, 77, 2))
    weight = (np.hypot(x - 0.8, y - 1.2) < 0.7).astype(float)
    return values, weight


@pytest.mark.parametrize("sigma", [1.5, 4.0, 9.0])
def test_close_to_the_direct_sum(sigma: float) -> None:
    values, weight = scene()
    fast = LowPass(torch.from_numpy(weight), sigma)(torch.from_numpy(values)).numpy()
    slow = direct(values, weight, sigma)
    inside = weight > 0
    spread = values[inside].std(axis=0).max()
    assert np.abs(fast - slow)[inside].max() < 0.08 * spread
    assert np.sqrt(((fast - slow)[inside] ** 2).mean()) < 0.015 * spread


def test_values_without_weight_do_not_enter() -> None:
    values, weight = scene()
    other = np.where(weight[..., None] > 0, values, 1e3)
    low = LowPass(torch.from_numpy(weight), 6.0)
    first, second = low(torch.from_numpy(values)), low(torch.from_numpy(other))
    torch.testing.assert_close(first, second)


def test_a_constant_stays() -> None:
    _, weight = scene()
    found = LowPass(torch.from_numpy(weight), 5.0)(torch.full((90, 77, 1), 0.3).double())
    assert np.abs(found[weight > 0].numpy() - 0.3).max() < 1e-3


def test_gradient() -> None:
    values, weight = scene()
    low = LowPass(torch.from_numpy(weight[30:50, 20:40]), 4.0)
    start = torch.from_numpy(values[30:50, 20:40]).requires_grad_(True)
    torch.autograd.gradcheck(low, (start,), fast_mode=True)
