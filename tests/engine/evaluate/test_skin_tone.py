"""Skin tone of maps: known colours, dark and light apart."""

import numpy as np
import pytest

from engine.evaluate.skin_tone import REGIONS, angle_error, skin_angles, tone_errors
from engine.skin.colorimetry import individual_typology_angle

SIZE = 64
LIGHT, DARK = np.array([0.86, 0.70, 0.61]), np.array([0.33, 0.21, 0.15])


def _angles(colour: np.ndarray, texels: np.ndarray | None = None) -> dict[str, float]:
    image = np.broadcast_to(colour, (SIZE, SIZE, 3))
    return skin_angles(image, np.ones((SIZE, SIZE), bool) if texels is None else texels)


def test_the_angle_of_one_colour() -> None:
    expected = float(individual_typology_angle(LIGHT))
    assert _angles(LIGHT) == pytest.approx(dict.fromkeys(REGIONS, expected))


def test_dark_and_light_maps_are_averaged_apart() -> None:
    pairs = [
        (_angles(LIGHT), _angles(LIGHT * 0.97)),
        (_angles(LIGHT), _angles(LIGHT)),
        (_angles(DARK), _angles(DARK * 1.1)),
    ]
    errors = tone_errors(pairs)
    light, dark = angle_error(*pairs[0]), angle_error(*pairs[2])
    assert light > 0.5 and dark > 0.5
    assert (errors.dark, errors.light) == (1, 2)
    assert errors.light_error == pytest.approx(light / 2)
    assert errors.dark_error == pytest.approx(dark)
    assert errors.overall == pytest.approx((light + dark) / 3)


def test_maps_without_the_regions_do_not_count() -> None:
    nothing = _angles(LIGHT, np.zeros((SIZE, SIZE), bool))
    assert nothing == {}
    errors = tone_errors([(nothing, nothing)])
    assert (errors.overall, errors.dark, errors.light) == (None, 0, 0)
