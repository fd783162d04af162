"""Close-ups: the right part of the photo, at the right size."""

from types import SimpleNamespace

import numpy as np
import pytest

from engine.evaluate.photo_zoom import REGIONS, ZOOM_TILE, photo_window, region_window


def fitted(scale: float, x0: float, y0: float) -> SimpleNamespace:
    """A face 200 photo pixels tall whose named landmarks all lie at (300, 400)."""
    landmarks = np.full((468, 3), (300.0, 400.0, 0.0))
    landmarks[0, 1], landmarks[1, 1] = 280.0, 480.0
    crop = SimpleNamespace(x0=x0, y0=y0, scale=scale)
    return SimpleNamespace(prepared=SimpleNamespace(landmarks=landmarks, crop=crop))


@pytest.mark.parametrize("region", sorted(REGIONS))
@pytest.mark.parametrize(("scale", "x0", "y0"), [(1.0, 0.0, 0.0), (0.5, 100.0, 40.0)])
def test_a_window_is_round_its_landmarks(region: str, scale: float, x0: float, y0: float) -> None:
    x, y, side = region_window(fitted(scale, x0, y0), region)
    assert side == pytest.approx(REGIONS[region][1] * 200.0 * scale)
    assert x + side / 2 == pytest.approx((300.0 - x0) * scale)
    assert y + side / 2 == pytest.approx((400.0 - y0) * scale)


def test_a_window_of_the_photo_is_enlarged_without_a_shift() -> None:
    ramp = np.stack(np.meshgrid(np.arange(64.0), np.arange(64.0)), axis=-1) / 64.0
    image = np.concatenate([ramp, 0.0 * ramp[..., :1]], axis=-1).astype(np.float32)
    found = photo_window(image, 10.0, 20.0, 32.0)
    assert found.shape == (ZOOM_TILE, ZOOM_TILE, 3)
    centre = (np.arange(ZOOM_TILE) + 0.5) / ZOOM_TILE * 32.0 - 0.5
    np.testing.assert_allclose(found[100, :, 0], (10.0 + centre) / 64.0, atol=5e-3)
    np.testing.assert_allclose(found[:, 100, 1], (20.0 + centre) / 64.0, atol=5e-3)
