"""Albedo models of other sizes than the settings were made for."""

import numpy as np
import pytest

from engine.fit.albedo.model_size import reduce_model
from engine.protocol.albedo import decode_albedo
from engine.protocol.albedo_pack import AlbedoModel

COMPONENTS = 3


def disc_model(size: int) -> AlbedoModel:
    axis = np.linspace(-1.0, 1.0, size)
    x, y = np.meshgrid(axis, axis)
    valid = x**2 + y**2 < 0.8
    rng = np.random.default_rng(size)
    count = int(valid.sum())
    return AlbedoModel(
        mean=rng.uniform(0.3, 0.7, (3, count)).astype(np.float32),
        basis=(0.05 * rng.standard_normal((3, COMPONENTS, count))).astype(np.float32),
        sigma=np.ones((3, COMPONENTS), np.float32),
        valid=valid,
        covariance=np.eye(3 * COMPONENTS, dtype=np.float32),
    )


@pytest.mark.parametrize(("size", "step"), [(64, 4), (48, 3), (32, 2)])
def test_reducing_and_decoding_commute(size: int, step: int) -> None:
    model = disc_model(size)
    small = reduce_model(model, 16)
    assert small.valid.shape == (16, 16) and small.basis.dtype == np.float32
    coefficients = np.random.default_rng(0).standard_normal((3, COMPONENTS))
    image = decode_albedo(model.mean, model.basis, model.valid, coefficients)
    reduced = decode_albedo(small.mean, small.basis, small.valid, coefficients)
    for row, column in np.ndindex(16, 16):
        block = (slice(row * step, (row + 1) * step), slice(column * step, (column + 1) * step))
        inside = model.valid[block]
        assert small.valid[row, column] == (inside.mean() >= 0.5)
        if small.valid[row, column]:
            expected = image[block][inside].mean(axis=0)
            np.testing.assert_allclose(reduced[row, column], expected, atol=1e-5)


@pytest.mark.parametrize("size", [8, 16, 31, 33])
def test_small_and_indivisible_models_stay(size: int) -> None:
    model = disc_model(size)
    assert reduce_model(model, 16) is model


def test_sizes_between_take_the_largest_step_that_divides() -> None:
    assert reduce_model(disc_model(50), 16).valid.shape == (25, 25)
