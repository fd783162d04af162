"""Normals and roughness follow the detail sliders."""

import numpy as np
import pytest

from engine.protocol.detail_layers import BANDS, DetailStrengths, compose_detail, split_detail
from engine.protocol.detail_regions import region_weights
from engine.protocol.relief import (
    GROWTH,
    LEAST_SHARE,
    alpha_beside_relief,
    bent_normals,
    coarse_slopes,
    followed_roughness,
    relief_scale,
    scaled_slopes,
    shown_relief,
    slopes_of,
    square_slope,
    whole_alpha_square,
)
from engine.protocol.resample import resample

SIZE = 512


@pytest.fixture(scope="module")
def slopes():
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:SIZE, 0:SIZE]
    waves = [0.2 * np.sin(x / 5.0) * np.cos(y / 9.0), 0.15 * np.cos(x / 3.0)]
    return (np.stack(waves) + rng.normal(0, 0.05, (2, SIZE, SIZE))).astype(np.float32)


def test_slopes_and_normals_are_inverse(slopes):
    np.testing.assert_allclose(slopes_of(bent_normals(*slopes)), slopes, atol=2e-6)
    steep = bent_normals(np.full((4, 4), 1e6, np.float32), np.zeros((4, 4), np.float32))
    assert np.isfinite(slopes_of(steep)).all()


def test_alpha_is_inverse_above_and_below_the_floor():
    square, shown = np.meshgrid(np.linspace(0.01, 0.3, 30), np.linspace(0.0, 0.5, 30))
    alpha = alpha_beside_relief(square, shown)
    assert (alpha >= LEAST_SHARE * np.sqrt(square) - 1e-9).all()
    np.testing.assert_allclose(whole_alpha_square(alpha, shown), square, rtol=1e-9)


@pytest.mark.parametrize(
    "strengths",
    [
        DetailStrengths(),
        DetailStrengths(0.5),
        DetailStrengths(pores=0.0, stubble=2.0),
        DetailStrengths(coarse_wrinkles=0.0, fine_wrinkles=1.5, eyes=0.0, cheeks=2.0),
    ],
)
def test_slopes_follow_as_the_detail_does(slopes, strengths):
    """The slow twin: each slope as a detail map of its own, in bands."""
    of_bands = DetailStrengths(**{name: getattr(strengths, name) for name in BANDS})
    whole = sum(w * s for w, s in zip(region_weights(), strengths.of_regions, strict=True))
    whole = (strengths.strength * whole) ** GROWTH
    found = scaled_slopes(slopes, relief_scale(coarse_slopes(slopes), strengths))
    for part, slope in zip(found, slopes, strict=True):
        expected = whole * compose_detail(split_detail(slope), of_bands)
        np.testing.assert_allclose(part, expected, atol=2e-6)


@pytest.mark.parametrize("size", [64, 1024])
def test_other_sizes_keep_their_own_grain(size):
    rng = np.random.default_rng(1)
    slopes = rng.normal(0, 0.1, (2, size, size)).astype(np.float32)
    bands = coarse_slopes(slopes)
    np.testing.assert_array_equal(
        scaled_slopes(slopes, relief_scale(bands, DetailStrengths())), slopes
    )
    gone = scaled_slopes(slopes, relief_scale(bands, DetailStrengths(0.0)))
    assert not gone.any()
    no_pores = scaled_slopes(slopes, relief_scale(bands, DetailStrengths(pores=0.0, stubble=0.0)))
    if size == 1024:  # white noise is finer than any wrinkle
        assert no_pores.std() < 0.5 * slopes.std()


def test_roughness_stays_and_grows_where_relief_goes(slopes):
    shown = resample(shown_relief(square_slope(bent_normals(*slopes))), SIZE)
    rough = np.full((SIZE, SIZE), 0.55, np.float32)
    np.testing.assert_allclose(followed_roughness(rough, shown, shown), rough, atol=1e-6)
    flat = followed_roughness(rough, shown, 0.0 * shown)
    assert (flat >= rough).all() and flat.mean() > 0.56
    steep = followed_roughness(rough, shown, 4.0 * shown)
    assert (steep <= rough).all()
    assert steep.min() >= 0.55 * np.sqrt(LEAST_SHARE) - 1e-6
