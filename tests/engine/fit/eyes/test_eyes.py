"""The eyes: gaze and colours of a known eye are found again; lids stay when the gaze turns."""

import numpy as np
import pytest

from engine.fit.eyes.gaze import LID_POINTS, gaze_of, lens_gaze, with_gaze
from engine.fit.eyes.settings import EyeSettings
from engine.fit.eyes.stage import (
    EYE_SHADE,
    IRIS_ANGLE,
    UV_ANGLE,
    UV_RADIUS,
    EyeView,
    eye_directions,
    eye_model,
    fit_eyes,
    iris_share,
    tinted_eye,
    turned,
)
from engine.fit.shape.landmark_basis import LandmarkBasis
from engine.packs.build.textures import eye_texture
from engine.protocol.conventions import bytes_to_unit, srgb_to_linear
from engine.protocol.gaze import LOOKS

SETTINGS = EyeSettings()
IRIS = np.array([0.05, 0.08, 0.11])
WHITE = np.array([0.9, 0.8, 0.75])


@pytest.fixture(scope="module")
def texture() -> np.ndarray:
    return bytes_to_unit(eye_texture(512))


def seen_eye(texture: np.ndarray, gaze: np.ndarray) -> EyeView:
    """An eye opening of 100 by 40 degrees, lit evenly, that looks along `gaze`."""
    x, y = np.meshgrid(np.linspace(-0.8, 0.8, 41), np.linspace(-0.35, 0.35, 19))
    z = np.ones_like(x)
    directions = np.column_stack([x.ravel(), y.ravel(), z.ravel()])
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    model = eye_model(texture)
    polar = np.arccos(turned(directions, gaze)[:, 2])
    share = iris_share(polar)[:, None]
    iris = np.interp(polar, model.polar, model.iris)[:, None] * IRIS
    colour = EYE_SHADE * (share * iris + (1.0 - share) * model.white * WHITE)
    ones = np.ones(len(colour))
    return EyeView(colour, directions, np.ones_like(colour), ones)


@pytest.mark.parametrize("gaze", [(0.0, 0.0), (0.21, 0.03), (-0.18, -0.06)])
def test_gaze_and_colours_are_found_again(texture, gaze) -> None:
    found = fit_eyes(
        seen_eye(texture, np.array(gaze)), eye_model(texture), np.zeros(2), True, SETTINGS
    )
    assert found.gaze == pytest.approx(gaze, abs=0.04)
    assert found.iris == pytest.approx(IRIS, abs=0.03)
    assert found.white == pytest.approx(WHITE, abs=0.08)


def test_eyes_that_tell_nothing_look_at_the_lens(texture) -> None:
    view = seen_eye(texture, np.zeros(2))
    grey = EyeView(np.full_like(view.colour, 0.2), view.direction, view.shading, view.weight)
    lens = np.array([0.12, -0.05])
    assert fit_eyes(grey, eye_model(texture), lens, True, SETTINGS).gaze == pytest.approx(lens)


def test_the_lens_is_to_the_left_and_above() -> None:
    gaze = lens_gaze(np.zeros(3), np.array([1.0, 0.5, 1.0]))
    assert gaze == pytest.approx([np.pi / 4.0, np.arctan2(0.5, np.sqrt(2.0))])


def test_a_held_gaze_stays(texture) -> None:
    view = seen_eye(texture, np.array([0.2, 0.0]))
    assert np.array_equal(
        fit_eyes(view, eye_model(texture), np.zeros(2), False, SETTINGS).gaze, np.zeros(2)
    )


def test_turning_goes_to_the_subjects_left_and_up() -> None:
    yaw, pitch = 0.2, 0.1
    axis = np.array([[np.sin(yaw), 0.0, np.cos(yaw)], [0.0, np.sin(pitch), np.cos(pitch)]])
    ahead = np.array([0.0, 0.0, 1.0])
    assert turned(axis[:1], np.array([yaw, 0.0]))[0] == pytest.approx(ahead, abs=1e-9)
    assert turned(axis[1:], np.array([0.0, pitch]))[0] == pytest.approx(ahead, abs=1e-9)


def test_directions_follow_the_layout() -> None:
    radius = UV_RADIUS * IRIS_ANGLE / UV_ANGLE
    uv = 0.5 + np.array([[0.0, 0.0], [radius, 0.0], [0.0, radius]])
    found = eye_directions(uv)
    sine, cosine = np.sin(IRIS_ANGLE), np.cos(IRIS_ANGLE)
    wanted = [[0.0, 0.0, 1.0], [sine, 0.0, cosine], [0.0, sine, cosine]]
    assert found == pytest.approx(np.array(wanted), abs=1e-9)


def test_tinted_texture_has_the_colours_and_keeps_the_pupil(texture) -> None:
    view = seen_eye(texture, np.zeros(2))
    eyes = fit_eyes(view, eye_model(texture), np.zeros(2), True, SETTINGS)
    linear = srgb_to_linear(tinted_eye(texture, eyes))
    row, middle = linear[256], 256
    iris = middle + round(512 * UV_RADIUS * 0.6 * IRIS_ANGLE / UV_ANGLE)
    assert row[middle].max() < 0.01
    assert row[iris, 2] > row[iris, 0]  # blue, where the pack's own eye is brown
    white = middle + round(512 * UV_RADIUS * 1.6 * IRIS_ANGLE / UV_ANGLE)
    assert 0.3 < row[white].mean() < 0.7


@pytest.fixture
def basis() -> LandmarkBasis:
    """eyeLookDownLeft lowers the left lids by 4 mm, eyeBlinkLeft by 8, mouthLeft moves the rest."""
    names = [*LOOKS, "eyeBlinkLeft", "eyeWideLeft", "mouthLeft"]
    shapes = np.zeros((len(names), 468, 3))
    left = list(LID_POINTS[16:])
    shapes[names.index("eyeLookDownLeft"), left, 1] = -0.004
    shapes[names.index("eyeBlinkLeft"), left, 1] = -0.008
    shapes[names.index("eyeWideLeft"), left, 1] = 0.004
    zeros = np.zeros((468, 3))
    return LandmarkBasis(zeros, np.zeros((1, 468, 3)), shapes, zeros, np.ones(468))


def test_looking_down_leaves_the_lids(basis) -> None:
    names = [*LOOKS, "eyeBlinkLeft", "eyeWideLeft", "mouthLeft"]
    before = np.zeros(len(names))
    before[names.index("eyeBlinkLeft")] = 0.3
    before[names.index("mouthLeft")] = 0.5
    found = with_gaze(before, names, basis, np.array([0.0, -0.0995]))
    assert found[names.index("eyeLookDownLeft")] == pytest.approx(0.5, abs=1e-6)
    assert found[names.index("eyeLookUpLeft")] == 0.0
    change = np.tensordot(found - before, basis.expression, 1)
    assert np.abs(change).max() < 1e-4
    assert found[names.index("mouthLeft")] == 0.5
    assert (found >= 0.0).all() and (found <= 1.0).all()


def test_gaze_adds_to_what_was_there(basis) -> None:
    names = [*LOOKS, "eyeBlinkLeft", "eyeWideLeft", "mouthLeft"]
    once = with_gaze(np.zeros(len(names)), names, basis, np.array([0.1, 0.0]))
    back = with_gaze(once, names, basis, np.array([-0.1, 0.0]))
    assert once[names.index("eyeLookOutLeft")] > 0.3 and once[names.index("eyeLookInRight")] > 0.3
    assert gaze_of(once, names) == pytest.approx([0.1, 0.0], abs=1e-9)
    assert back == pytest.approx(np.zeros(len(names)), abs=1e-9)
