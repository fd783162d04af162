"""Motions of parts and places in the layout against slow or exact answers."""

import numpy as np
import pytest

from engine.packs.heads.match import spread
from engine.packs.heads.motion import Motions, affine_motion, follow
from engine.packs.heads.places import LayoutIndex, vertex_uv, within


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_a_similarity_is_found_again(rng):
    points, centre = rng.normal(size=(30, 3)), np.array([0.1, 0.2, 0.3])
    true = Motions(centre, rng.normal(size=(2, 3)), rng.normal(size=2), rng.normal(size=(2, 3)))
    moves = true.of(points)
    found = follow(points, moves, rng.uniform(0.1, 1.0, 30), centre)
    for name in ("shift", "growth", "turn"):
        assert getattr(found, name) == pytest.approx(getattr(true, name), abs=1e-9)
    still = follow(points, moves, np.ones(30), centre, turning=False, growing=False)
    assert not still.turn.any() and not still.growth.any()


def test_an_affine_field_is_found_again(rng):
    points, gradient = rng.normal(size=(20, 3)), rng.normal(size=(2, 3, 3))
    offset = points - points.mean(axis=0)
    moves = 0.5 + np.einsum("mca,na->mnc", gradient, offset)
    shift, found = affine_motion(points, moves)
    assert shift == pytest.approx(np.full((2, 3), 0.5))
    assert found == pytest.approx(gradient)


def large_beside_small():
    """Corner UVs: one large quad beside a strip of 900 small ones, and a triangle on top."""
    steps = np.linspace(0.0, 1.0, 31)
    low = np.stack(np.meshgrid(0.5 + 0.1 * steps[:-1], steps[:-1], indexing="ij"), -1)
    low = low.reshape(-1, 1, 2)
    small = low + np.array([[0, 0], [0.1 / 30, 0], [0.1 / 30, 1 / 30], [0, 1 / 30]])
    large = np.array([[[0, 0], [0.5, 0], [0.5, 1], [0, 1]]])
    triangle = np.array([[[0.7, 0.5], [0.9, 0.5], [0.8, 0.8], [0.8, 0.8]]])
    return np.concatenate([large, small, triangle])


def test_points_are_found_beside_smaller_faces(rng):
    corner_uv = large_beside_small()
    faces = np.arange(4 * len(corner_uv)).reshape(-1, 4)
    index = LayoutIndex(corner_uv, np.ones(len(corner_uv), bool))
    points = np.concatenate([rng.uniform(0.0, 1.0, (200, 2)) * [0.6, 1.0], [[0.499, 0.5]]])
    places = index.locate(points)
    triangles = np.stack([faces[:, [0, 1, 2]], faces[:, [0, 2, 3]]], 1).reshape(-1, 3)
    back = places.operator(triangles, faces.size) @ corner_uv.reshape(-1, 2)
    assert back == pytest.approx(points, abs=1e-9)
    assert (places.distance < 1e-9).all()


def test_what_lies_nowhere_has_no_place():
    corner_uv = large_beside_small()
    index = LayoutIndex(corner_uv, np.ones(len(corner_uv), bool))
    found = within(index.locate(np.array([[0.2, 0.2], [0.65, 0.9], [np.nan, 0.1]])), 0.004)
    assert np.isfinite(found.distance).tolist() == [True, False, False]


def test_vertices_of_other_faces_have_no_uv():
    faces = np.array([[0, 1, 2, 3], [3, 4, 5, 5]])
    corner_uv = np.arange(16.0).reshape(2, 4, 2)
    uv = vertex_uv(faces, corner_uv, np.array([True, False]), 7)
    assert uv[:4].tolist() == corner_uv[0].tolist()
    assert np.isnan(uv[4:]).all()


def test_unknown_values_are_the_mean_of_their_neighbours():
    grid = np.arange(25).reshape(5, 5)
    faces = np.stack([grid[:-1, :-1], grid[:-1, 1:], grid[1:, 1:], grid[1:, :-1]], -1)
    values = (np.arange(25) % 5).astype(float)[:, None]
    known = (np.arange(25) % 5 == 0) | (np.arange(25) % 5 == 4)
    found = spread(np.where(known[:, None], values, 99.0), known, faces.reshape(-1, 4))
    assert found == pytest.approx(values, abs=1e-6)
