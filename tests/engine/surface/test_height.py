"""What becomes relief and what does not."""

from dataclasses import replace

import numpy as np
import pytest

from engine.surface.height import darkness_of, relief_of
from engine.surface.metric import texel_metric
from engine.surface.regions import masks
from engine.surface.settings import SurfaceSettings

from .conftest import drawn, tube

SETTINGS = SurfaceSettings()
FOREHEAD = (256, 130)


def depth_at(detail: np.ndarray, value: np.ndarray, where: tuple[int, int]) -> float:
    """Metres below the skin near a place, column and row."""
    metric = texel_metric(tube(), np.ones_like(value, bool))
    height = relief_of(detail, value, metric, SETTINGS).height
    column, row = where
    return -float(height[row - 8 : row + 9, column - 8 : column + 9].min())


def test_a_wrinkle_is_a_furrow_of_true_depth(value: np.ndarray) -> None:
    depth = depth_at(drawn(("line", (216, 130), (296, 130), 2)), value, FOREHEAD)
    assert 0.00005 < depth < SETTINGS.line_limit + 2 * SETTINGS.fine_limit


def test_a_mole_is_not_a_pit(value: np.ndarray) -> None:
    wrinkle = depth_at(drawn(("line", (216, 130), (296, 130), 4)), value, FOREHEAD)
    for radius in (3, 4, 6):
        mole = depth_at(drawn(("disc", FOREHEAD, (0, 0), radius)), value, FOREHEAD)
        assert mole < 0.2 * wrinkle and mole < 0.00005


def test_a_tone_patch_is_flat(value: np.ndarray) -> None:
    column, row = np.meshgrid(np.arange(512), np.arange(512))
    patch = -0.1 * np.exp(-((column - 256) ** 2 + (row - 130) ** 2) / (2 * 25.0**2))
    assert depth_at(patch.astype(np.float32), value, FOREHEAD) < 3e-6


@pytest.mark.parametrize("region", ["brows", "sockets", "mouth_bag", "scalp", "mouth_slit"])
def test_hair_and_openings_have_no_grooves(value: np.ndarray, region: str) -> None:
    noise = np.random.default_rng(0).normal(0.0, 0.006, value.shape).astype(np.float32)
    metric = texel_metric(tube(), np.ones_like(value, bool))
    height = relief_of(noise, value, metric, SETTINGS).height
    mask = masks(512)[region]
    inside = mask > 0.9 * mask.max()
    assert np.abs(height[inside]).mean() < 0.25 * np.abs(height[100:150, 230:280]).mean()


def test_stubble_is_hair_and_not_relief(value: np.ndarray) -> None:
    metric = texel_metric(tube(), np.ones_like(value, bool))
    noise = np.random.default_rng(0).normal(0.0, 1.0, value.shape).astype(np.float32)
    skin, stubble = (relief_of(noise * level, value, metric, SETTINGS) for level in (0.005, 0.08))
    chin = (slice(345, 365), slice(240, 272))
    assert skin.skin[chin].min() > 0.95 and stubble.skin[chin].max() < 0.2
    assert np.abs(stubble.height[chin]).mean() < 2.0 * np.abs(skin.height[chin]).mean()


def test_the_same_furrow_on_dark_skin_is_as_deep(value: np.ndarray) -> None:
    """Relative darkening counts: 0.1 of 0.7 is 0.05 of 0.35, in the power law of sRGB."""
    detail = drawn(("line", (216, 130), (296, 130), 2))
    light, dark = (depth_at(detail * share, value * share, FOREHEAD) for share in (1.0, 0.5))
    assert dark == pytest.approx(light, rel=0.2)


def test_no_detail_is_flat_and_darkness_is_bounded(value: np.ndarray) -> None:
    metric = texel_metric(tube(), np.ones_like(value, bool))
    relief = relief_of(np.zeros_like(value), value, metric, SETTINGS)
    assert not relief.height.any()
    assert np.isfinite(darkness_of(np.full_like(value, -1.0), value)).all()
    assert not darkness_of(np.zeros_like(value), 0.0 * value).any()


def test_depth_follows_the_size_of_texels(value: np.ndarray) -> None:
    detail = drawn(("line", (216, 130), (296, 130), 1)) * 0.2
    far = replace(SETTINGS, fine_limit=1.0, line_limit=1.0)
    valid = np.ones_like(value, bool)
    one, two = (
        relief_of(detail, value, texel_metric(tube() * scale, valid), far).height.min()
        for scale in (1.0, 2.0)
    )
    assert two == pytest.approx(2.0 * one, rel=1e-3)


def test_completed_lines_count_less_than_seen_ones(value: np.ndarray) -> None:
    detail = drawn(("line", (216, 130), (296, 130), 3))
    metric = texel_metric(tube(), np.ones_like(value, bool))
    seen, guessed, default = (
        relief_of(detail, value, metric, SETTINGS, sure).height.min()
        for sure in (np.ones_like(value), np.zeros_like(value), None)
    )
    assert seen == default and 0.9 * seen < guessed < 0.0


def test_a_dash_is_not_a_wrinkle(value: np.ndarray) -> None:
    wrinkle = depth_at(drawn(("line", (216, 130), (296, 130), 2)), value, FOREHEAD)
    dash = depth_at(drawn(("line", (254, 130), (258, 130), 2)), value, FOREHEAD)
    assert dash < 0.35 * wrinkle


def test_directions_are_those_of_the_lines(value: np.ndarray) -> None:
    metric = texel_metric(tube(), np.ones_like(value, bool))
    lines = [("line", (200, row), (310, row - 55), 1) for row in range(120, 220, 12)]
    relief = relief_of(drawn(*lines), value, metric, SETTINGS)
    rise = np.arctan2(55 * 0.24, 110 * 0.30)  # rows count downwards, the angle upwards
    assert relief.angle[140, 256] == pytest.approx(rise, abs=0.12)
    assert relief.lined[140, 256] > 0.8
