"""The photo without its light, and the trust in its texels."""

import cv2
import numpy as np
import pytest

from engine.fit.albedo.unlit import closed_skin, inner_person, seen_texels, unlit_colour
from engine.fit.seen.texels import TexelObservation
from engine.fit.settings import AlbedoSettings, SeenSettings
from engine.protocol.conventions import ambient_light, srgb_to_linear

SIZE = 32


def observe(albedo: np.ndarray, shading: float, facing: float = 1.0) -> TexelObservation:
    """A flat face under white light, seen from the front but for its last column."""
    normal = np.zeros((SIZE, SIZE, 3))
    normal[..., 2] = 1.0
    ones = np.ones((SIZE, SIZE))
    visible = ones.astype(bool)
    visible[:, -1] = False
    colour = srgb_to_linear(albedo) * shading
    return TexelObservation(normal, normal, colour, facing * ones, visible, ones)


@pytest.mark.parametrize("shading", [0.4, 1.0, 1.6])
def test_light_is_divided_out_where_something_was_seen(shading: float) -> None:
    albedo = np.random.default_rng(0).uniform(0.2, 0.7, (SIZE, SIZE, 3))
    found = unlit_colour(observe(albedo, shading), ambient_light(shading), AlbedoSettings())
    np.testing.assert_allclose(found[:, :-1], albedo[:, :-1], atol=1e-4)
    assert (found[:, -1] == 0.0).all()


def test_grazing_hidden_and_foreign_texels_are_not_trusted() -> None:
    albedo = np.full((SIZE, SIZE, 3), 0.5)
    mask = np.ones((SIZE, SIZE), np.float32)
    skin = np.ones((SIZE, SIZE), np.float32)
    skin[:4] = 0.0  # hair, say
    settings = AlbedoSettings(), SeenSettings()
    front = seen_texels(observe(albedo, 1.0), mask, skin, *settings)
    side = seen_texels(observe(albedo, 1.0, 0.15), mask, skin, *settings)
    assert front[10, 10] == pytest.approx(1.0)
    assert (front[:, -1] == 0.0).all()
    assert front[1, 10] < 0.01
    assert side.max() == 0.0


def test_the_rim_of_the_person_is_left_out() -> None:
    person = np.zeros((100, 100), np.float32)
    person[:, 30:] = 1.0
    face = np.zeros((100, 100), np.float32)
    face[30:70, 30:70] = 1.0
    inner = inner_person(person, face, SeenSettings(rim=0.1))
    assert inner[50, 30] < 0.05
    assert inner[50, 40:].min() > 0.95
    assert (inner <= person).all()


def test_a_wide_rim_equals_the_slow_twin_at_full_size() -> None:
    """The disc of 41 pixels, wide enough to be used on a smaller picture."""
    y, x = np.mgrid[0:300, 0:240]
    person = np.clip(100.0 - np.hypot(y - 150, x - 120), 0.0, 1.0).astype(np.float32)
    face = np.ones((300, 240), np.float32)
    radius = round(0.075 * face.sum() ** 0.5)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    twin = cv2.GaussianBlur(cv2.erode(person, disc), (0, 0), radius / 2.0)
    found = inner_person(person, face, SeenSettings(rim=0.075))
    assert np.abs(found - np.minimum(twin, person)).max() < 0.12
    assert np.abs(found - np.minimum(twin, person)).mean() < 0.01


def test_small_gaps_of_the_skin_are_closed_but_not_where_glasses_sit() -> None:
    skin = np.ones((256, 256), np.float32)
    skin[100:104, 50:54] = 0.0  # a mole
    skin[100:104, 150:200] = 0.0  # a rim of glasses
    skin[150:190, 100:160] = 0.0  # a lock of hair
    closable = np.ones((256, 256), np.float32)
    closable[:, 140:210] = 0.0
    found = closed_skin(skin, closable, SeenSettings())
    assert found[100:104, 50:54].min() == 1.0
    assert found[100:104, 150:200].max() == 0.0
    assert found[155:185, 105:139].max() == 0.0
