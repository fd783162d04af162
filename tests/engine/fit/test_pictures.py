"""render.png and residual.png: the head over the photo, at its size or a screen's."""

from types import SimpleNamespace

import numpy as np
import pytest

from engine.fit.pictures import LARGEST_RENDER, LARGEST_RESIDUAL, over_photo, residual_picture
from engine.photo.load import Photo
from engine.photo.prepare import WorkingCrop


def fitted(
    size: tuple[int, int], corner: tuple[float, float], side: int, scale: float
) -> SimpleNamespace:
    """What `over_photo` reads of a fit: a grey photo and a square working crop of it."""
    width, height = size
    pixels = np.full((height, width, 3), 0.5, np.float32)
    photo = Photo(pixels, width, height, None, "0" * 64, "grey.png")
    image = np.zeros((round(side * scale), round(side * scale), 3), np.float32)
    crop = WorkingCrop(image, image[..., 0], *corner, scale)
    return SimpleNamespace(prepared=SimpleNamespace(photo=photo, crop=crop))


def test_at_the_photos_own_size_the_head_lies_pixel_by_pixel() -> None:
    result = fitted((200, 120), (30.0, 20.0), 80, 1.0)
    rng = np.random.default_rng(0)
    rgb = rng.random((80, 80, 3), np.float32)
    alpha = rng.random((80, 80), np.float32)
    expected = result.prepared.photo.pixels.copy()
    expected[20:100, 30:110] = rgb * alpha[..., None] + 0.5 * (1.0 - alpha[..., None])
    np.testing.assert_allclose(over_photo(result, rgb, alpha), expected, atol=1e-6)
    assert (result.prepared.photo.pixels == 0.5).all()


@pytest.mark.parametrize("scale", [0.25, 0.6])
def test_of_a_large_photo_only_a_screens_size_is_written(scale: float) -> None:
    result = fitted((3000, 2000), (1000.0, 600.0), 800, scale)
    side = len(result.prepared.crop.image)
    white = np.ones((side, side, 3), np.float32)
    picture = over_photo(result, white, white[..., 0])
    assert picture.shape == (1024, LARGEST_RENDER, 3)
    shown = np.argwhere(picture[..., 0] > 0.9)
    share = LARGEST_RENDER / 3000
    np.testing.assert_allclose(shown.min(0), [600 * share, 1000 * share], atol=1.0)
    np.testing.assert_allclose(shown.max(0), [1400 * share, 1800 * share], atol=2.0)


def test_the_residual_lies_over_the_photo_where_the_face_is() -> None:
    result = fitted((3000, 2000), (1000.0, 600.0), 800, 0.6)
    side = len(result.prepared.crop.image)
    result.face = np.zeros((side, side), np.float32)
    result.face[: side // 2] = 1.0
    picture = residual_picture(result, np.ones((side, side, 3), np.float32))
    assert picture.shape == (512, LARGEST_RESIDUAL, 4)
    share = LARGEST_RESIDUAL / 3000
    shown = np.argwhere(picture[..., 3] > 0.9)
    np.testing.assert_allclose(shown.min(0), [600 * share, 1000 * share], atol=1.0)
    np.testing.assert_allclose(shown.max(0), [1000 * share, 1800 * share], atol=2.0)
    assert picture[..., :3][picture[..., 3] > 0.9].min() > 0.5  # all of it is hottest
