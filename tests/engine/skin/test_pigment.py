"""Colour from pigments: physics that must hold, and the tones it must reach."""

import numpy as np
import pytest

from engine.skin.colorimetry import (
    WAVELENGTHS,
    individual_typology_angle,
    reflectance_to_srgb,
    srgb_to_lab,
)
from engine.skin.pigment import hair_colour, make_table, skin_reflectance


def test_white_and_grey_reflectors_stay_neutral() -> None:
    np.testing.assert_allclose(reflectance_to_srgb(np.ones(31)), 1.0, atol=1e-6)
    grey = reflectance_to_srgb(np.full(31, 0.18))
    np.testing.assert_allclose(grey, grey[0], atol=1e-6)
    np.testing.assert_allclose(srgb_to_lab(grey)[0], 49.5, atol=0.05)


def test_long_wavelengths_are_red() -> None:
    red, green, blue = reflectance_to_srgb(0.5 * (WAVELENGTHS > 600))
    assert red > 0.5 > green and red > 0.5 > blue


def test_lab_agrees_with_an_independent_implementation() -> None:
    color = pytest.importorskip("skimage.color")
    colours = np.random.default_rng(0).uniform(size=(200, 3))
    np.testing.assert_allclose(srgb_to_lab(colours), color.rgb2lab(colours), atol=0.05)


def test_more_pigment_reflects_less_everywhere() -> None:
    melanin = skin_reflectance(np.geomspace(0.005, 1.0, 12), np.full(12, 0.015))
    assert np.all(np.diff(melanin, axis=0) < 0)
    blood = skin_reflectance(np.full(12, 0.03), np.geomspace(0.002, 0.3, 12))
    assert np.all(np.diff(blood, axis=0) < 0)
    assert melanin.min() > 0.0 and melanin.max() < 1.0


def test_tone_runs_over_the_human_range() -> None:
    melanin = np.geomspace(0.004, 0.9, 30)
    angle = individual_typology_angle(reflectance_to_srgb(skin_reflectance(melanin, 0.011)))
    assert np.all(np.diff(angle) < 0)
    assert angle[0] > 65.0 and angle[-1] < -60.0


@pytest.mark.parametrize(
    ("melanin", "blood", "lab"),
    [
        (0.012, 0.009, (73.0, 8.5, 12.5)),
        (0.041, 0.015, (62.0, 12.0, 18.0)),
        (0.155, 0.017, (46.0, 13.0, 19.5)),
        (0.629, 0.017, (29.0, 8.5, 11.0)),
    ],
)
def test_model_runs_through_measured_skin_colours(
    melanin: float, blood: float, lab: tuple[float, float, float]
) -> None:
    colour = reflectance_to_srgb(skin_reflectance(np.array(melanin), np.array(blood)))
    assert np.linalg.norm(srgb_to_lab(colour) - lab) < 1.5


def test_blood_reddens() -> None:
    colour = reflectance_to_srgb(skin_reflectance(0.02, np.array([0.01, 0.05, 0.1])))
    assert np.all(np.diff(srgb_to_lab(colour)[:, 1]) > 3.0)


def test_table_equals_the_formula_and_clamps() -> None:
    rng = np.random.default_rng(1)
    melanin = np.exp(rng.uniform(np.log(0.004), np.log(1.0), (40, 40)))
    blood = np.exp(rng.uniform(np.log(0.005), np.log(0.2), (40, 40)))
    looked_up = make_table(0.2).look_up(np.log(melanin), np.log(blood))
    exact = reflectance_to_srgb(skin_reflectance(melanin, blood, 0.2))
    assert np.abs(looked_up - exact).max() < 0.003
    far = make_table(0.2).look_up(np.full((1, 1), 50.0), np.full((1, 1), -50.0))
    assert np.isfinite(far).all()


def test_hair_gets_fairer_redder_and_greyer() -> None:
    black, brown, blond = (hair_colour(e, 0.0, 0.0).mean() for e in (6.0, 0.6, 0.08))
    assert black < brown < blond and black < 0.2
    red, plain = hair_colour(0.3, 1.2, 0.0), hair_colour(0.3, 0.0, 0.0)
    assert red[0] / red[1] > 1.05 * plain[0] / plain[1]
    assert hair_colour(6.0, 0.0, 1.0).mean() > 0.5
