import numpy as np
import pytest

pytest.importorskip("scipy")
from engine.register.registration import (
    RegistrationSettings,
    fade_weights,
    fit_similarity,
    fit_thin_plate,
    point_matrix,
    register,
)
from engine.register.surface import triangulate

from .meshes import dome

SETTINGS = RegistrationSettings(
    rounds=15, stiffness_first=50.0, stiffness_last=0.2, fade_reach=0.2, smoothing=0.0
)


def turned(angle):
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


def warp(points):
    """A smooth known deformation of some millimetres."""
    x, y, z = points.T
    return np.stack(
        [x + 0.006 * np.sin(12 * y), y * 1.04 + 0.004 * x, z + 0.006 * np.cos(15 * x)], axis=1
    )


def test_similarity_is_recovered():
    points = np.random.default_rng(1).normal(size=(20, 3))
    rotation, shift = turned(0.4), np.array([1.0, -2.0, 0.5])
    found = fit_similarity(points, 1.7 * points @ rotation.T + shift)
    assert found.scale == pytest.approx(1.7)
    assert np.allclose(found.rotation, rotation)
    assert np.allclose(found.translation, shift)


def test_similarity_never_reflects():
    points = np.random.default_rng(2).normal(size=(20, 3))
    found = fit_similarity(points, points * [-1.0, 1.0, 1.0])
    assert np.linalg.det(found.rotation) == pytest.approx(1.0)


def test_spline_without_smoothing_meets_its_landmarks_and_keeps_affine_maps():
    rng = np.random.default_rng(5)
    source = rng.normal(size=(30, 3))
    target = source @ (np.eye(3) + 0.1 * rng.normal(size=(3, 3))) + 0.3
    spline = fit_thin_plate(source, target, 0.0)
    assert np.allclose(source + spline.displacement(source), target)
    away = rng.normal(size=(10, 3)) * 5.0
    affine = np.linalg.lstsq(np.c_[source, np.ones(30)], target, rcond=None)[0]
    assert np.allclose(away + spline.displacement(away), np.c_[away, np.ones(10)] @ affine)


def test_more_smoothing_follows_a_wrong_landmark_less():
    grid = np.stack(np.meshgrid(*[np.arange(4.0)] * 3), -1).reshape(-1, 3)
    goal = grid.copy()
    goal[20] += [0.0, 0.0, 1.0]
    moves = [fit_thin_plate(grid, goal, s).displacement(grid[20:21])[0, 2] for s in (0.0, 1.0, 9.0)]
    assert moves[0] > moves[1] > moves[2] > 0.0


def test_fading_is_one_at_the_anchors_and_zero_far_away():
    anchors = np.zeros((1, 3))
    distances = np.array([[0.0, 0, 0], [0.9, 0, 0], [1.5, 0, 0], [2.5, 0, 0]])
    assert fade_weights(distances, anchors, 1.0) == pytest.approx([1.0, 1.0, 0.5, 0.0])


def test_registration_recovers_a_known_warp():
    vertices, quads = dome()
    truth = warp(vertices)
    template = (vertices @ turned(0.3).T) * 5.0 + [1.0, 2.0, 3.0]
    picked = np.arange(0, len(vertices), 29)
    matrix = point_matrix(picked[:, None], np.ones((len(picked), 1)), len(vertices))
    triangles = triangulate(quads)
    result = register(template, triangles, truth, triangles, matrix, truth[picked], SETTINGS)
    inner = np.ones((25, 25), dtype=bool)
    inner[[0, -1], :] = inner[:, [0, -1]] = False
    error = np.linalg.norm(result.vertices - truth, axis=1)[inner.ravel()]
    assert np.median(error) < 3e-4
    assert error.max() < 2e-3
    assert np.nanmedian(result.distance) < 1e-4


def test_passive_vertices_follow_smoothly():
    vertices, quads = dome()
    truth = warp(vertices)
    active = vertices[:, 0] < 0.05
    picked = np.flatnonzero(active)[::17]
    matrix = point_matrix(picked[:, None], np.ones((len(picked), 1)), len(vertices))
    triangles = triangulate(quads)
    left = triangles[active[triangles].all(axis=1)]
    result = register(vertices, triangles, truth, left, matrix, truth[picked], SETTINGS, active)
    assert np.isnan(result.distance[~active]).all()
    moved = np.linalg.norm(result.vertices - vertices, axis=1)
    assert moved[~active].max() < 0.03  # no runaway where nothing pulls
