"""The detail that a photo shows: fine things come through, light and strangers do not."""

import numpy as np
import pytest

from engine.fit.detail.residual import cell_trust, detail_residual
from engine.fit.settings import DetailSettings

SIZE = 128
COARSE = np.full((SIZE, SIZE, 3), (0.7, 0.5, 0.4), np.float32)


def shaded(scale: np.ndarray) -> np.ndarray:
    return (COARSE * scale[..., None]).astype(np.float32)


def run(unlit: np.ndarray, seen: np.ndarray | None = None) -> np.ndarray:
    seen = np.ones((SIZE, SIZE), np.float32) if seen is None else seen
    return detail_residual(unlit, COARSE, seen, DetailSettings())


def test_a_wrinkle_comes_through_and_light_does_not() -> None:
    light = np.ones((SIZE, 1)) * np.linspace(0.75, 1.15, SIZE)[None]
    wrinkle = np.zeros((SIZE, SIZE))
    wrinkle[60:62] = -0.15
    both = run(shaded(light + wrinkle))
    only_light = run(shaded(light))
    inside = slice(16, -16)
    assert np.abs(only_light[inside, inside]).max() < 0.01
    assert both[60:62, inside].mean() == pytest.approx(-0.15 * 0.7, abs=0.035)


def test_unseen_texels_say_nothing_and_leave_no_edge() -> None:
    seen = np.ones((SIZE, SIZE), np.float32)
    seen[:, 64:] = 0.0
    unlit = shaded(np.full((SIZE, SIZE), 0.9))
    unlit[:, 64:] = 0.0
    found = run(unlit, seen)
    assert (found[:, 64:] == 0.0).all()
    assert np.abs(found).max() < 0.005


def test_strangers_are_limited() -> None:
    unlit = COARSE.copy()
    unlit[40:44, 40:44] = 0.0
    assert run(unlit).min() > -DetailSettings().limit


def test_cells_are_trusted_by_their_seen_share() -> None:
    seen = np.zeros((32, 32), np.float32)
    seen[:, :16] = 1.0
    seen[:4, 16:24] = 1.0
    trust = cell_trust(seen, 4, DetailSettings(least_cover=0.3, sure_cover=0.8))
    np.testing.assert_allclose(trust[:, :2], 1.0)
    np.testing.assert_allclose(trust[:, 3], 0.0)
    assert trust[0, 2] == pytest.approx(0.4)
    assert trust[1, 2] == 0.0
