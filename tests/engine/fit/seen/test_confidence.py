"""The confidence map: sharp and seen counts, mirrored less, guessed nothing."""

import numpy as np
import pytest
import torch

from engine.fit.seen.confidence import confidence_map, photo_density
from engine.fit.settings import ConfidenceSettings
from engine.head.camera import Camera
from engine.protocol.conventions import FRONTAL_ROTATION, mirror_texels

SIZE = 32
WHOLE = np.ones((SIZE, SIZE), dtype=bool)


def camera(focal: float, distance: float = 1.0) -> Camera:
    intrinsics = torch.tensor([[focal, 0.0, 200.0], [0.0, focal, 200.0], [0.0, 0.0, 1.0]])
    rotation = torch.from_numpy(FRONTAL_ROTATION).float()
    return Camera(intrinsics, rotation, torch.tensor([0.0, 0.0, distance]), 400, 400)


def sheet(slope: float = 0.0) -> np.ndarray:
    """(S, S, 3): a square of 0.1 m; with a slope it leans away from the camera."""
    y, x = np.mgrid[0:SIZE, 0:SIZE] * (0.1 / SIZE)
    return np.stack([x, 0.1 - y, -slope * x], -1)


def test_density_counts_pixels_across_a_texel() -> None:
    found = photo_density(sheet(), WHOLE, camera(640.0), SIZE)
    assert found[1:-1, 1:-1] == pytest.approx(2.0, rel=1e-3)  # 64 px over 32 texels
    half = photo_density(sheet(), WHOLE, camera(640.0), 2 * SIZE)
    np.testing.assert_allclose(half, found / 2)


def test_density_is_less_where_the_surface_turns_away() -> None:
    turned = np.stack([0.2 * sheet()[..., 0], *np.moveaxis(sheet()[..., 1:], -1, 0)], -1)
    found = photo_density(turned, WHOLE, camera(640.0), SIZE)
    assert found[5, 5] == pytest.approx(2.0 * 0.2**0.5, rel=1e-3)


def test_seen_mirrored_and_guessed() -> None:
    seen = np.ones((SIZE, SIZE), np.float32)
    seen[:, SIZE // 2 :] = 0.0
    seen[:8] = 0.0
    density = np.full((SIZE, SIZE), 5.0, np.float32)
    settings = ConfidenceSettings()
    found = confidence_map(seen, density, WHOLE, settings)
    assert (found[8:, : SIZE // 2] == 1.0).all() and (found[:8] == 0.0).all()
    assert found[8:, SIZE // 2 :] == pytest.approx(settings.mirrored)
    blurred = confidence_map(seen, 0.1 * settings.sharp_density * (density > 0), WHOLE, settings)
    assert blurred == pytest.approx(0.1 * found)
    half = WHOLE & (mirror_texels(seen) > 0.5)
    assert (confidence_map(seen, density, half, settings)[~half] == 0.0).all()
