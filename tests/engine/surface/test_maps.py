"""Whole maps: flat without detail, the same for the same seed, pores where skin is."""

import numpy as np
import pytest

from engine.surface.maps import FineMaps, fine_maps
from engine.surface.regions import masks
from engine.surface.roughness import roughness_map, zone_roughness

from .conftest import tube

LARGE = 2048


def cheek_noise(value: np.ndarray) -> np.ndarray:
    """Detail whose texture is strong on one half of the map and weak on the other."""
    noise = np.random.default_rng(3).normal(0.0, 0.012, value.shape)
    noise[:, 256:] *= 0.1
    return noise.astype(np.float32)


@pytest.fixture(scope="module")
def fine() -> FineMaps:
    value = np.full((512, 512), 0.7, np.float32)
    valid = np.ones((512, 512), bool)
    return fine_maps(cheek_noise(value), value, tube(), valid, LARGE, seed=5)


def large_mask(name: str) -> np.ndarray:
    return masks(512)[name].repeat(4, 0).repeat(4, 1)


def test_without_detail_the_skin_is_flat_and_has_its_zones(
    value: np.ndarray, valid: np.ndarray
) -> None:
    maps = fine_maps(0.0 * value, value, tube(), valid)
    assert np.array_equal(maps.normal, np.tile(np.float32([0, 0, 1]), (512, 512, 1)))
    np.testing.assert_allclose(maps.roughness, zone_roughness(), atol=1e-5)
    assert maps.detail is None


def test_maps_as_coarse_as_the_detail_have_wide_pores(value: np.ndarray, valid: np.ndarray) -> None:
    """A faint even texture: the relief of the cheeks is pores, and the lips have none."""
    noise = np.random.default_rng(1).normal(0.0, 0.004, value.shape).astype(np.float32)
    maps = fine_maps(noise, value, tube(), valid)
    slope = np.hypot(maps.normal[..., 0], maps.normal[..., 1])
    cheek, lips = slope[275:305, 150:190], slope[masks(512)["lips"] > 0.9]
    assert np.percentile(cheek, 95) > 1.5 * np.percentile(lips, 95)


def test_what_lies_outside_the_islands_does_not_count(value: np.ndarray) -> None:
    valid = np.zeros((512, 512), bool)
    valid[100:400, 100:400] = True
    inside = 0.3 * cheek_noise(value)
    one = fine_maps(inside, value, tube(), valid)
    two = fine_maps(np.where(valid, inside, 9.0), value * np.where(valid, 1, 0), tube(), valid)
    assert np.array_equal(one.normal, two.normal) and np.isfinite(one.roughness).all()


def test_other_sizes_are_a_mistake(value: np.ndarray, valid: np.ndarray) -> None:
    with pytest.raises(ValueError, match="1024"):
        fine_maps(value, value, tube(), valid, 1024)
    with pytest.raises(ValueError, match="256"):
        fine_maps(value[:256, :256], value, tube(), valid)


def test_ranges(fine: FineMaps) -> None:
    assert fine.normal.shape == (LARGE, LARGE, 3) and fine.roughness.shape == (LARGE, LARGE)
    assert fine.normal[..., 2].min() > 0.5
    assert 0.1 < fine.roughness.min() and fine.roughness.max() < 0.9
    assert fine.height.min() > -0.001


@pytest.mark.parametrize("name", ["sockets", "mouth_bag", "scalp"])
def test_nothing_is_drawn_in_openings_and_hair(fine: FineMaps, name: str) -> None:
    inside = large_mask(name) > 0.97
    assert np.abs(fine.normal[inside][:, :2]).max() < 0.02


def test_pores_follow_the_texture_seen(fine: FineMaps) -> None:
    rows, left, right = slice(1080, 1240), slice(600, 760), slice(1290, 1450)  # both cheeks
    coarse, calm = (np.std(fine.normal[rows, each, 0]) for each in (left, right))
    assert coarse > 1.5 * calm > 0.0


def test_no_tile_repeats(fine: FineMaps) -> None:
    """Autocorrelation of the forehead: one peak, at no shift."""
    patch = fine.normal[380:636, 880:1136, 0]
    patch = patch - patch.mean()
    power = np.abs(np.fft.rfft2(patch, (512, 512))) ** 2
    correlation = np.fft.irfft2(power)
    correlation /= correlation[0, 0]
    correlation[:12, :12] = correlation[-12:, :12] = 0.0
    correlation[:12, -12:] = correlation[-12:, -12:] = 0.0
    assert np.abs(correlation).max() < 0.2


def test_the_fine_detail_is_the_detail_with_dark_pits(fine: FineMaps, value: np.ndarray) -> None:
    assert fine.detail is not None
    reduced = fine.detail.reshape(512, 4, 512, 4).mean((1, 3))
    forehead = (slice(95, 160), slice(220, 290))
    change = (reduced - cheek_noise(value))[forehead]
    assert -0.03 < change.mean() < 0.0
    left = (slice(380, 640), slice(880, 1000))
    both = np.corrcoef(fine.detail[left].ravel(), fine.height[left].ravel())[0, 1]
    assert both > 0.4


def test_the_seed_decides(fine: FineMaps, value: np.ndarray, valid: np.ndarray) -> None:
    again, other = (
        fine_maps(cheek_noise(value), value, tube(), valid, LARGE, seed) for seed in (5, 6)
    )
    assert np.array_equal(again.normal, fine.normal)
    assert np.array_equal(again.roughness, fine.roughness)
    assert not np.array_equal(other.normal, fine.normal)


def test_oily_and_wet_parts_are_smoother() -> None:
    zones, m = zone_roughness(), masks(512)
    mean = {name: zones[m[name] > 0.8 * m[name].max()].mean() for name in m}
    assert mean["nose"] < mean["forehead"] < mean["cheeks"] < mean["neck"]
    assert mean["lips"] < mean["nose"] and mean["sockets"] < mean["lips"]


def test_pits_are_rough_and_drawn_slopes_leave_less_to_the_microfacets() -> None:
    flat = np.zeros((512, 512), np.float32)
    up = np.tile(np.float32([0, 0, 1]), (512, 512, 1))
    skin = np.ones_like(flat)
    level = roughness_map(flat, up, skin)
    pit = flat.copy()
    pit[256, 256] = -0.00005
    assert roughness_map(pit, up, skin)[256, 256] > level[256, 256] + 0.015
    deep = roughness_map(40.0 * pit, up, skin)
    assert deep[256, 256] < level[256, 256] + 0.05, "a furrow must not show as a white tick"
    slope = 0.1
    tilted = up.copy()
    tilted[::2, :, 0], tilted[1::2, :, 0] = slope, -slope
    tilted /= np.linalg.norm(tilted, axis=-1, keepdims=True)
    shown = roughness_map(flat, tilted, skin)
    assert shown[300, 256] ** 4 == pytest.approx(level[300, 256] ** 4 - slope**2, rel=0.02)
    assert roughness_map(flat, up, 0.0 * skin).mean() > level.mean() + 0.04
