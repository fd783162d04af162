"""The fast sRGB curve against the conventions' own."""

import numpy as np
import pytest

from engine.head.transfer import picture_to_bytes, picture_to_linear, picture_to_srgb
from engine.protocol.conventions import linear_to_srgb, srgb_to_linear, unit_to_bytes

RAMP = np.concatenate([np.linspace(0.0, 1.3, 4000), [0.04045, 0.0031308, 1e-7, 0.0, 1.0, 0.2]])
SHAPES = [(-1,), (2, -1), (6, -1, 1), (-1, 2, 3)]


@pytest.mark.parametrize("shape", SHAPES)
def test_both_ways_equal_the_slow_twins(shape: tuple[int, ...]) -> None:
    values = RAMP[:4002].astype(np.float32).reshape(shape)
    exact = values.astype(np.float64)
    for fast, slow in ((picture_to_linear, srgb_to_linear), (picture_to_srgb, linear_to_srgb)):
        found = fast(values)
        assert found.shape == values.shape and found.dtype == np.float32
        np.testing.assert_allclose(found, slow(exact), rtol=2e-6, atol=1e-7)
    assert np.array_equal(values, RAMP[:4002].astype(np.float32).reshape(shape))  # left as it was


def test_the_ends_of_the_range_are_exact_to_a_float() -> None:
    ends = np.float32([[0.0, 1.0]])
    np.testing.assert_allclose(picture_to_srgb(ends), ends, atol=2e-7)
    np.testing.assert_allclose(picture_to_linear(ends), ends, atol=2e-7)


@pytest.mark.parametrize("shape", [(-1, 13), (10, -1, 1), (4, -1, 3), (5, -1, 4)])
def test_bytes_equal_the_slow_twin(shape: tuple[int, ...]) -> None:
    steps = np.linspace(-0.2, 1.2, 7800)
    ties = (np.arange(0, 780) % 256 + 0.5) / 255.0
    values = np.concatenate([steps, ties])[:7800].astype(np.float32).reshape(shape)
    difference = picture_to_bytes(values).astype(int) - unit_to_bytes(values)
    assert picture_to_bytes(values).shape == values.shape
    assert np.abs(difference).max() <= 1 and (difference != 0).mean() < 1e-3
