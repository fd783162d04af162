import numpy as np
import pytest

pytest.importorskip("scipy")
from engine.register.surface import (
    SurfaceIndex,
    border_vertices,
    closest_barycentric,
    triangulate,
)

from .meshes import dome


def sampled_distance(point, corners, steps=120):
    """Slow twin: nearest of many points of the triangle."""
    i, j = np.meshgrid(np.arange(steps + 1), np.arange(steps + 1))
    keep = i + j <= steps
    u, v = i[keep] / steps, j[keep] / steps
    points = (1 - u - v)[:, None] * corners[0] + u[:, None] * corners[1] + v[:, None] * corners[2]
    return np.linalg.norm(points - point, axis=1).min()


def test_closest_point_of_a_triangle_is_the_nearest_one():
    rng = np.random.default_rng(3)
    corners = rng.normal(size=(200, 3, 3))
    points = rng.normal(size=(200, 3)) * 1.5
    bary = closest_barycentric(points, corners)
    assert np.allclose(bary.sum(axis=1), 1.0)
    assert bary.min() > -1e-9
    found = np.linalg.norm(np.einsum("nk,nkc->nc", bary, corners) - points, axis=1)
    slow = np.array([sampled_distance(p, c) for p, c in zip(points, corners, strict=True)])
    assert np.all(found <= slow + 1e-9)
    assert np.all(found >= slow - 0.05)


def test_index_finds_the_nearest_triangle_of_all():
    vertices, quads = dome()
    triangles = triangulate(quads)
    points = np.random.default_rng(4).uniform(-0.1, 0.1, size=(40, 3)) + [0.0, 0.0, 0.08]
    found = SurfaceIndex(vertices, triangles).closest(points)
    for point, distance in zip(points, found.distance, strict=True):
        repeated = np.repeat(point[None], len(triangles), axis=0)
        bary = closest_barycentric(repeated, vertices[triangles])
        every = np.einsum("nk,nkc->nc", bary, vertices[triangles]) - point
        assert distance == pytest.approx(np.linalg.norm(every, axis=1).min(), abs=1e-9)


def test_normals_tell_two_close_sheets_apart():
    vertices, quads = dome(bumps=0.0)
    lower = vertices - [0.0, 0.0, 0.002]
    both = np.concatenate([vertices, lower])
    triangles = triangulate(np.concatenate([quads, quads[:, ::-1] + len(vertices)]))
    index = SurfaceIndex(both, triangles, normal_weight=0.01)
    points = vertices[300:310] - [0.0, 0.0, 0.0015]  # nearer to the lower sheet
    up = np.repeat([[0.0, 0.0, 1.0]], len(points), axis=0)
    assert np.all(index.closest(points, up).triangle < 2 * len(quads))
    assert np.all(index.closest(points, -up).triangle >= 2 * len(quads))


def test_border_of_a_grid_is_its_rim():
    _, quads = dome(5, 7)
    rim = border_vertices(triangulate(quads), 35).reshape(5, 7)
    assert rim.sum() == 2 * 7 + 2 * 3
    assert not rim[1:-1, 1:-1].any()
