"""Error figures: known values, the slow window sum, and scikit-image."""

import math

import numpy as np
import pytest
from skimage.metrics import structural_similarity as skimage_ssim

from engine.evaluate.image_metrics import (
    SSIM_C1,
    SSIM_C2,
    SSIM_RADIUS,
    SSIM_SIGMA,
    compare,
    mean_squared_error,
    ssim_map,
    structural_similarity,
)
from engine.protocol.similarity import MOST_PSNR, psnr_of


def _pair(height: int, width: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    a = rng.random((height, width, 3))
    return a, np.clip(a + 0.1 * rng.standard_normal(a.shape), 0.0, 1.0)


def test_an_error_of_two_grey_levels_is_four_and_42_decibels() -> None:
    a = np.full((8, 9, 3), 0.5)
    everywhere = np.ones((8, 9), bool)
    assert mean_squared_error(a, a + 2.0 / 255.0, everywhere) == pytest.approx(4.0)
    assert psnr_of(4.0) == pytest.approx(20.0 * math.log10(255.0 / 2.0))
    # The paper's mean MSE, turned into decibels, is near its PSNR.
    assert psnr_of(14.35) == pytest.approx(36.56, abs=0.005)


def test_equal_pictures() -> None:
    a, _ = _pair(20, 20)
    everywhere = np.ones((20, 20), bool)
    figures = compare(a, a, everywhere, everywhere)
    assert (figures.mse, figures.psnr) == (0.0, MOST_PSNR)
    assert figures.ssim == pytest.approx(1.0)


def test_only_the_chosen_texels_count() -> None:
    a, b = _pair(30, 30)
    texels = np.zeros((30, 30), bool)
    texels[5:12, 6:20] = True
    valid = texels.copy()
    spoilt = np.where(texels[..., None], b, 0.0)
    assert compare(a, spoilt, valid, texels) == compare(a, b, valid, texels)


@pytest.mark.parametrize("shape", [(32, 48), (40, 40)])
def test_ssim_equals_scikit_image(shape: tuple[int, int]) -> None:
    a, b = _pair(*shape)
    everywhere = np.ones(shape, bool)
    _, twin = skimage_ssim(
        a * 255.0,
        b * 255.0,
        data_range=255.0,
        channel_axis=2,
        gaussian_weights=True,
        sigma=SSIM_SIGMA,
        use_sample_covariance=False,
        full=True,
    )
    np.testing.assert_allclose(ssim_map(a, b, everywhere), twin, atol=2e-6)


def test_masked_ssim_equals_the_plain_window_sum() -> None:
    a, b = _pair(24, 24, seed=3)
    valid = np.random.default_rng(1).random((24, 24)) > 0.3
    axis = np.arange(-SSIM_RADIUS, SSIM_RADIUS + 1)
    row = np.exp(-0.5 * (axis / SSIM_SIGMA) ** 2)
    y, x, c = 12, 11, 1
    near = (slice(y - 5, y + 6), slice(x - 5, x + 6))
    w = np.outer(row, row) * valid[near]
    w /= w.sum()
    p, q = a[near][..., c] * 255.0, b[near][..., c] * 255.0
    mp, mq = (w * p).sum(), (w * q).sum()
    vp, vq = (w * (p - mp) ** 2).sum(), (w * (q - mq) ** 2).sum()
    pq = (w * (p - mp) * (q - mq)).sum()
    expected = (2 * mp * mq + SSIM_C1) * (2 * pq + SSIM_C2)
    expected /= (mp**2 + mq**2 + SSIM_C1) * (vp + vq + SSIM_C2)
    assert ssim_map(a, b, valid)[y, x, c] == pytest.approx(expected, abs=2e-6)


def test_ssim_of_a_part_equals_the_whole_map_averaged_there() -> None:
    a, b = _pair(40, 36)
    valid = np.ones((40, 36), bool)
    texels = np.zeros_like(valid)
    texels[10:25, 12:20] = True
    expected = ssim_map(a, b, valid)[texels].mean()
    assert structural_similarity(a, b, valid, texels) == pytest.approx(expected, abs=1e-6)
