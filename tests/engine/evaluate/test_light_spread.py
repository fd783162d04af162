"""Spread of maps between lights: against the plain definition, and on light left in on purpose."""

from itertools import combinations

import numpy as np
import pytest

from engine.evaluate.light_spread import slow_part, spread

SIZE = 32
TEXELS = np.zeros((SIZE, SIZE), bool)
TEXELS[4:28, 6:30] = True


def _maps(seed: int, count: int = 4) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.02, (count, SIZE, SIZE))


def test_the_spread_is_the_rms_over_all_pairs() -> None:
    maps = _maps(0) + np.array([0.0, 0.01, 0.02, 0.03])[:, None, None]
    found = spread(maps, _maps(1), TEXELS, None)
    pairs = [((a - b)[TEXELS] ** 2).mean() for a, b in combinations(maps, 2)]
    assert found.difference == pytest.approx(255 * np.sqrt(np.mean(pairs)))
    assert found.rms == pytest.approx(255 * np.sqrt(np.mean([m[TEXELS].var() for m in maps])))
    assert (found.error, found.likeness) == (None, None)


def test_equal_and_unrelated_maps() -> None:
    same = np.repeat(_maps(2)[:1], 4, axis=0)
    equal = spread(same, _maps(3), TEXELS, same[0])
    assert (equal.difference, equal.ratio, equal.leak, equal.error) == (0.0, 0.0, 0.0, 0.0)
    assert equal.likeness == pytest.approx(1.0)
    other = spread(_maps(4), _maps(5), TEXELS, _maps(6)[0])
    assert other.ratio == pytest.approx(np.sqrt(2), rel=0.05)
    assert abs(other.leak) < 0.1 and abs(other.likeness) < 0.1
    assert other.error == pytest.approx(np.sqrt(2), rel=0.1)


def test_light_left_in_the_maps_is_seen() -> None:
    truth = _maps(7)[0]
    side = np.linspace(-1, 1, SIZE)[None, :, None] * np.array([-1.0, -0.5, 0.5, 1.0])[:, None, None]
    shading = 0.6 + 0.3 * np.swapaxes(side, 1, 2)
    shading = np.broadcast_to(shading, (4, SIZE, SIZE))
    lit = truth + 0.02 * shading
    assert spread(lit, shading, TEXELS, truth).leak == pytest.approx(1.0)
    assert spread(truth - 0.02 * shading, shading, TEXELS, truth).leak == pytest.approx(-1.0)


def test_the_slow_part_knows_only_the_chosen_texels() -> None:
    flat = np.where(TEXELS, 0.25, 9.0)[None]
    np.testing.assert_allclose(slow_part(flat, TEXELS, 3.0)[0][TEXELS], 0.25, atol=1e-5)
    noise = _maps(8)
    slow = slow_part(noise, TEXELS, 3.0)
    assert slow[:, TEXELS].std() < 0.25 * noise[:, TEXELS].std()
