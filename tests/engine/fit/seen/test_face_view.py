"""The face's pixels: against the slow twin at several sizes, and what may enter."""

import numpy as np
import pytest
import torch
from tiny_detail import LIGHT, SIZE, coarse_map, flat_face, photo_of

from engine.fit.seen.face_view import MOST_SAMPLES, face_view, fitting_size

ALL = np.ones((1, 1), np.float32)
COARSE = torch.from_numpy(coarse_map())


@pytest.mark.parametrize(("pixels", "samples"), [(32, 1), (24, 1), (24, 3), (8, 4)])
def test_picture_is_what_the_camera_sees(pixels: int, samples: int) -> None:
    """The map is smooth, so one lookup at a pixel's centre and the mean over it agree."""
    photo = photo_of(np.zeros((SIZE, SIZE)), pixels)
    view = flat_face(pixels, LIGHT).look(photo, ALL, 1.0, samples)
    found = view.picture(view.sample(COARSE))
    assert found.shape == (pixels, pixels, 3)
    np.testing.assert_allclose(found.numpy(), photo, atol=4e-3)


@pytest.mark.parametrize("samples", [1, 3])
def test_the_still_picture_is_the_picture(samples: int) -> None:
    view = flat_face(24, LIGHT).look(photo_of(np.zeros((SIZE, SIZE))), ALL, 1.0, samples)
    albedo = view.sample(COARSE)
    torch.testing.assert_close(view.still_picture(albedo), view.picture(albedo), rtol=0, atol=1e-5)


def test_a_large_photo_is_shrunk() -> None:
    photo = photo_of(np.zeros((SIZE, SIZE)), 64)
    view = flat_face(64, LIGHT).look(photo, ALL, 0.25, 1)
    assert view.target.shape == (16, 16, 3)
    np.testing.assert_allclose(view.picture(view.sample(COARSE)), view.target, atol=6e-3)


def test_texels_without_trust_have_no_weight() -> None:
    trust = np.ones((SIZE, SIZE), np.float32)
    trust[:, SIZE // 2 :] = 0.0
    view = flat_face(24, LIGHT).look(photo_of(np.zeros((SIZE, SIZE))), trust, 1.0, 1)
    weight = view.weight.numpy()
    assert (weight[:, 13:] == 0.0).all()
    assert (weight[:, :11] > 0.99).all()


@pytest.mark.parametrize(
    ("side", "scale", "samples"),
    [(100, 1.0, 1), (200, 0.5, 1), (50, 1.0, 2), (5, 1.0, MOST_SAMPLES)],
)
def test_fitting_size(side: int, scale: float, samples: int) -> None:
    face = np.ones((side, side), np.float32)
    assert fitting_size(face, 100 * 100) == (pytest.approx(scale), samples)


def test_a_face_that_is_not_in_the_picture_has_no_pixels() -> None:
    flat = flat_face(24, LIGHT)
    image = np.zeros((24, 24, 3), np.float32)
    view = face_view(flat.geometry, flat.camera, image, image[..., 0], 1.0, 1)
    assert float(view.weight.sum()) == 0.0
    assert torch.isfinite(view.picture(view.sample(COARSE))).all()
