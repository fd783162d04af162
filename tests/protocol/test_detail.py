"""The one formula of the detail map against Python's own HSV."""

import colorsys

import numpy as np
import pytest

from engine.protocol.detail import add_detail, detail_of, value

RNG = np.random.default_rng(4)


def test_adding_a_detail_is_hsv_with_another_v() -> None:
    coarse, detail = RNG.random((200, 3)), RNG.normal(0.0, 0.3, 200)
    for colour, change, found in zip(coarse, detail, add_detail(coarse, detail), strict=True):
        h, s, v = colorsys.rgb_to_hsv(*colour)
        expected = colorsys.hsv_to_rgb(h, s, min(max(v + change, 0.0), 1.0))
        assert found == pytest.approx(expected, abs=1e-9)


def test_the_detail_of_a_map_gives_its_v_back() -> None:
    coarse, original = RNG.random((8, 8, 3)) * 0.9, RNG.random((8, 8, 3))
    found = add_detail(coarse, detail_of(original, coarse))
    assert value(found) == pytest.approx(value(original), abs=1e-9)


def test_black_takes_a_detail_as_grey() -> None:
    found = add_detail(np.zeros((1, 3)), np.array([0.25]))
    assert found.tolist() == [[0.25, 0.25, 0.25]]


def test_detail_is_not_clipped() -> None:
    assert detail_of(np.zeros((1, 3)), np.full((1, 3), 1.5)).tolist() == [-1.5]


def test_torch_gives_the_same_values_and_a_finite_gradient() -> None:
    torch = pytest.importorskip("torch")
    coarse, detail = RNG.random((50, 3)), RNG.normal(0.0, 0.3, 50)
    coarse[0] = 0.0
    change = torch.tensor(detail, requires_grad=True)
    found = add_detail(torch.tensor(coarse), change, torch)
    assert found.detach().numpy() == pytest.approx(add_detail(coarse, detail), abs=1e-12)
    found.sum().backward()
    assert torch.isfinite(change.grad).all()
