import numpy as np
import pytest

pytest.importorskip("scipy")
from engine.packs.calibrate.landmark_shape import KNOWN_PAIRS, mirror_pairs, network_shape
from engine.packs.calibrate.landmark_table import geometric_median, nearest_on_line


def symmetric_face():
    """468 points, mirror twins at known numbers."""
    rng = np.random.default_rng(9)
    points = rng.uniform([0.1, -1.0, -0.4], [1.0, 1.0, 0.4], size=(468, 3))
    pairs = np.arange(468)
    known = {number for pair in KNOWN_PAIRS for number in pair}
    free = [k for k in range(468) if k not in known]
    twins = [pair for pair in KNOWN_PAIRS if pair[0] < pair[1]]
    twins += list(zip(free[0:430:2], free[1:430:2], strict=True))
    for a, b in twins:
        points[a] = points[b] * [-1.0, 1.0, 1.0]
        pairs[a], pairs[b] = b, a
    points[pairs == np.arange(468), 0] = 0.0
    return points, pairs


def test_mirror_pairs_are_found_on_a_turned_noisy_face():
    points, pairs = symmetric_face()
    angle = 0.3
    turn = np.array(
        [[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]]
    )
    noisy = points @ turn.T + np.random.default_rng(1).normal(scale=1e-3, size=points.shape)
    assert np.array_equal(mirror_pairs(noisy), pairs)


def test_network_shape_undoes_pose_and_pixels():
    points, _ = symmetric_face()
    pixels = points * [1.0, -1.0, -1.0]
    angle = 0.4
    turn = np.array(
        [[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]]
    )
    found = network_shape([100.0 * pixels + 50.0, 70.0 * pixels @ turn.T + 9.0])
    centred = points - points.mean(axis=0)
    expected = centred / np.sqrt((centred**2).sum(axis=1).mean())
    assert np.allclose(found, expected, atol=1e-6)


def test_median_ignores_a_few_wild_points():
    points = np.random.default_rng(2).normal(scale=1e-3, size=(40, 3))
    points[:8] += 0.5
    centre, spread = geometric_median(points)
    assert np.linalg.norm(centre) < 1e-3
    assert spread < 3e-3


def test_nearest_points_of_a_line():
    line = np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0]])
    found = nearest_on_line(line, np.array([[0.4, 0.3, 0.1], [3.0, 0.5, 0], [-1.0, -1, 0]]))
    assert np.allclose(found, [[0.4, 0, 0], [1, 0.5, 0], [0, 0, 0]])
