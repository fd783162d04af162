"""Exposure and tint of the light: priors of skin, and the white of the eyes."""

from dataclasses import replace

import numpy as np
import pytest

from engine.fit.albedo.exposure import SkinPrior, skin_cost, solve_exposure
from engine.fit.albedo.exposure_settings import ExposureSettings
from engine.fit.eyes.settings import EyeSettings
from engine.fit.eyes.stage import IRIS_ANGLE, EyeView
from engine.fit.eyes.white import EyeWhite, log_tint, white_colour
from engine.protocol.conventions import srgb_to_linear

SKIN = np.array([0.75, 0.55, 0.46])
SETTINGS = ExposureSettings(gain=0.0, dark_gain=0.0, eye_red=0.0)
WARM = np.array([1.3, 1.0, 0.75])


@pytest.fixture
def prior() -> SkinPrior:
    along = np.full((3, 3), 0.02) + 0.001 * np.eye(3)
    return SkinPrior(SKIN, 0.02, np.zeros(3), np.linalg.inv(along))


def white_in(light: np.ndarray, lid: float = 0.0) -> EyeWhite:
    """Eyes in a light, with this share of lid in front of the white."""
    own, skin = log_tint(np.array([0.64, 0.58, 0.54])), log_tint(srgb_to_linear(SKIN) * light)
    return EyeWhite((1.0 - lid) * (log_tint(light) + own) + lid * skin, own)


def test_likely_skin_and_white_light_are_preferred(prior) -> None:
    usual = solve_exposure(srgb_to_linear(SKIN), prior, None, 0.0, SETTINGS)
    np.testing.assert_allclose(usual, 1.0, atol=0.12)
    warm = solve_exposure(srgb_to_linear(SKIN) * WARM, prior, None, 0.0, SETTINGS)
    assert warm[0] > warm[1] > warm[2]


@pytest.mark.parametrize("light", [WARM, 1.0 / WARM])
def test_the_white_of_the_eyes_tells_the_tint(prior, light) -> None:
    seen = srgb_to_linear(SKIN) * light
    told = solve_exposure(seen, prior, white_in(light), 0.0, SETTINGS)
    guessed = solve_exposure(seen, prior, None, 0.0, SETTINGS)
    off = [np.abs(log_tint(found) - log_tint(light)).max() for found in (told, guessed)]
    assert off[0] < 0.06
    assert off[0] < 0.75 * off[1]


def test_a_little_lid_does_no_harm_and_closed_eyes_tell_nothing(prior) -> None:
    seen = srgb_to_linear(SKIN)
    some = solve_exposure(seen, prior, white_in(np.ones(3), 0.15), 0.0, SETTINGS)
    assert np.abs(log_tint(some)).max() < 0.08
    closed = solve_exposure(seen, prior, white_in(np.ones(3), 1.0), 0.0, SETTINGS)
    assert np.array_equal(closed, solve_exposure(seen, prior, None, 0.0, SETTINGS))


def test_darker_skin_is_believed_to_get_more_light(prior) -> None:
    dark = srgb_to_linear(np.array([0.4, 0.25, 0.18]))
    even = solve_exposure(dark, prior, None, 0.0, SETTINGS)
    more = solve_exposure(dark, prior, None, 0.0, replace(SETTINGS, dark_gain=0.2))
    assert (more > even).all()


def test_the_line_of_skin_bends() -> None:
    bend, k = np.array([-0.4, 0.1, 0.3]), 0.2
    prior = SkinPrior(SKIN, 0.02, bend, np.eye(3))
    on_line = SKIN + k + bend * (k**2 - 0.02)
    assert skin_cost(on_line, prior) == pytest.approx(3.0 * k**2)


def test_colour_of_the_white_leaves_out_iris_and_lashes() -> None:
    polar = np.linspace(0.0, 2.0 * IRIS_ANGLE, 2000)
    direction = np.column_stack([np.sin(polar), 0.0 * polar, np.cos(polar)])
    iris = (polar < IRIS_ANGLE)[:, None]
    colour = np.where(iris, [0.05, 0.06, 0.2], [0.5, 0.45, 0.4])
    lashes = np.arange(2000) % 3 == 0
    colour = np.where(lashes[:, None], [0.02, 0.01, 0.0], colour)
    view = EyeView(colour, direction, np.ones_like(colour), np.where(lashes, 0.0, 1.0))
    found = white_colour(view, np.zeros(2), EyeSettings())
    assert found == pytest.approx([0.5, 0.45, 0.4])
    few = EyeView(colour[:200], direction[:200], colour[:200], view.weight[:200])
    assert white_colour(few, np.zeros(2), EyeSettings()) is None
