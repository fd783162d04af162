"""Crops: where a pixel comes from, in continuous coordinates."""

import math

import numpy as np
import pytest

from engine.nets.crop import SquareCrop, check_photo, cut
from engine.protocol.errors import EngineError


def ramp(height, width):
    """A picture whose colours are the continuous coordinates of the pixel: (x, y, 1)."""
    y, x = np.mgrid[0:height, 0:width] + 0.5
    return np.stack([x, y, np.ones_like(x)], axis=-1).astype(np.float32)


@pytest.mark.parametrize("side", [20.0, 40.0, 87.3, 150.0])
@pytest.mark.parametrize("angle", [0.0, 0.4, -2.0])
def test_crop_shows_what_to_photo_says(side, angle):
    crop = SquareCrop(120.3, 110.8, side, angle, 40)
    y, x = np.mgrid[0:40, 0:40] + 0.5
    places = crop.to_photo(np.stack([x, y], axis=-1))
    # OpenCV rounds sampling places to 1/32 pixel, of the shrunk picture where there is one
    limit = 0.04 * max(1.0, side / 40)
    np.testing.assert_allclose(cut(ramp(220, 240), crop)[..., :2], places, atol=limit)


def test_crop_of_whole_pixels_copies_them():
    photo = np.random.default_rng(0).random((50, 60, 3)).astype(np.float32)
    part = cut(photo, SquareCrop(30.0, 25.0, 20.0, 0.0, 20))
    np.testing.assert_array_equal(part, photo[15:35, 20:40])


def test_positive_angle_turns_the_crops_x_axis_downwards():
    crop = SquareCrop(50.0, 50.0, 20.0, math.pi / 2, 20)
    np.testing.assert_allclose(crop.to_photo(np.array([20.0, 10.0])), [50.0, 60.0], atol=1e-9)


def test_large_crops_are_smoothed_not_skipped():
    stripes = np.zeros((400, 400, 3), np.float32)
    stripes[:, ::2] = 1.0
    part = cut(stripes, SquareCrop(200.0, 200.0, 320.0, 0.0, 32))
    assert np.abs(part - 0.5).max() < 0.05


def test_crop_beside_the_photo_is_black():
    assert not cut(ramp(50, 50), SquareCrop(-500.0, 20.0, 40.0, 0.3, 16)).any()


@pytest.mark.parametrize(
    "photo",
    [
        np.zeros((50, 50), np.float32),
        np.zeros((50, 50, 4), np.float32),
        np.zeros((50, 50, 3), np.uint8),
        np.zeros((8, 50, 3), np.float32),
    ],
)
def test_pictures_of_another_form_are_refused(photo):
    with pytest.raises(EngineError):
        check_photo(photo)
