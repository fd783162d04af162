"""Residuals and shares of the layers, on a picture whose parts are known."""

import numpy as np
import pytest
from tiny_detail import LIGHT, SIZE, LinearCoder, coarse_map, flat_face, photo_of, random_detail

from engine.fit.detail.layer_errors import layer_errors
from engine.protocol.detail import add_detail

ALL = np.ones((1, 1), np.float32)


def test_shares_are_of_the_variance_and_a_perfect_layer_explains_the_rest(
    coder: LinearCoder,
) -> None:
    truth = random_detail(coder, 1)
    photo, coarse = photo_of(truth), coarse_map()
    view = flat_face(24, LIGHT).look(photo, ALL, 1.0, 1)
    flat = photo_of(np.zeros((SIZE, SIZE)))
    found = layer_errors(view, coarse, coarse, add_detail(coarse, truth))
    expected = np.sqrt(((photo - flat) ** 2).mean())
    assert found["residual_coarse"] == pytest.approx(expected, rel=0.02)
    assert found["residual_detail"] == found["residual_coarse"]
    assert found["share_detail"] == 0.0
    assert found["residual_photo"] < 0.05 * expected
    shares = [found[f"share_{name}"] for name in ("coarse", "detail", "photo")]
    assert sum(shares) == pytest.approx(1.0, abs=0.01)
    variance = ((photo - photo.mean(axis=(0, 1))) ** 2).mean()
    assert found["share_photo"] == pytest.approx(expected**2 / variance, rel=0.03)


def test_a_layer_that_harms_has_a_negative_share(coder: LinearCoder) -> None:
    truth = random_detail(coder, 1)
    coarse = coarse_map()
    view = flat_face(24, LIGHT).look(photo_of(truth), ALL, 1.0, 1)
    found = layer_errors(view, coarse, add_detail(coarse, -truth), coarse)
    assert found["share_detail"] < 0.0 < found["share_photo"]
