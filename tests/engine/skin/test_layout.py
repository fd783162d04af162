"""Regions of the FFHQ-UV layout lie where the anatomy is."""

import numpy as np
import pytest

from engine.protocol.errors import EngineError
from engine.skin.layout import landmarks_68, region_distances, region_masks


def test_masks_are_symmetric_bounded_and_read_only() -> None:
    for name, mask in region_masks(256).items():
        assert mask.shape == (256, 256) and mask.dtype == np.float32, name
        assert 0.0 <= mask.min() and mask.max() <= 1.0, name
        assert mask.max() > 0.2, f"{name} is empty"
        np.testing.assert_allclose(mask, mask[:, ::-1], atol=1e-6, err_msg=name)
        with pytest.raises(ValueError):
            mask[0, 0] = 1.0


def test_sizes_show_the_same_anatomy() -> None:
    small, large = region_masks(128), region_masks(512)
    for name in ("lips", "brows", "ears", "face", "scalp", "beard", "neck"):
        reduced = large[name].reshape(128, 4, 128, 4).mean(axis=(1, 3))
        assert np.abs(reduced - small[name]).max() < 0.02, name


def _at(mask: np.ndarray, point: np.ndarray) -> float:
    column, row = (point * len(mask) / 1024).astype(int)
    return float(mask[row, column])


def test_landmarks_lie_in_their_regions() -> None:
    points, masks = landmarks_68(), region_masks(1024)
    np.testing.assert_allclose(points[[30, 33, 51, 57, 62, 66], 0], 512.0)
    assert points[36, 0] < points[39, 0] < 512.0 < points[42, 0] < points[45, 0]
    # Landmarks sit on outlines: look a few pixels inside.
    for index in (50, 51, 52):
        assert _at(masks["lip_upper"], points[index] + [0, 9]) > 0.9
    for index in (56, 57, 58):
        assert _at(masks["lip_lower"], points[index] - [0, 9]) > 0.9
    for index in (18, 19, 20, 23, 24, 25):
        assert _at(masks["brows"], points[index] + [0, 8]) > 0.7
    for index in (37, 38, 43, 44):
        assert _at(masks["lid_upper"], points[index] - [0, 12]) > 0.9
    assert _at(masks["nose_tip"], points[30]) > 0.9
    for index in range(17):
        assert _at(masks["valid"], points[index]) == 1.0
    assert _at(masks["face"], points[8] - [0, 20]) > 0.9


def test_hairline_distance_changes_sign_at_the_hairline() -> None:
    distance = region_distances(1024)["scalp"]
    assert distance[60, 512] > 40.0 > 0.0 > distance[250, 512]
    assert abs(distance[138, 512]) < 6.0
    assert distance[500, 40] > 0.0 > distance[500, 150]  # hair behind the ear, skin on it


def test_valid_covers_every_island() -> None:
    masks = region_masks(256)
    for name in ("main", "sockets", "mouth_bag"):
        assert np.all(masks["valid"][masks[name] > 0.0] == 1.0), name
    assert 0.9 < masks["valid"].mean() < 0.99


@pytest.mark.parametrize("size", [0, 100, 63, 4096, -64])
def test_other_sizes_are_refused(size: int) -> None:
    with pytest.raises(EngineError, match="multiple of 64"):
        region_masks(size)
