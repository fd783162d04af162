"""Shading of random photos against the smooth cases that can be worked out."""

import numpy as np
import torch

from engine.head.lighting import shade
from engine.train.regressor.lights import (
    environment_light,
    random_environment,
    shade_vertices,
    sphere,
    visibility,
)


def _ball(side: int = 24) -> tuple[np.ndarray, np.ndarray]:
    """A closed mesh of a ball of 10 cm: points (V, 3) and triangles."""
    across = np.linspace(0.0, 2.0 * np.pi, side, endpoint=False)
    down = np.linspace(0.02, np.pi - 0.02, side)
    a, d = (grid.ravel() for grid in np.meshgrid(across, down))
    points = 0.1 * np.stack([np.sin(d) * np.cos(a), np.cos(d), np.sin(d) * np.sin(a)], -1)
    triangles = []
    for row in range(side - 1):
        for column in range(side):
            corner, right = row * side + column, row * side + (column + 1) % side
            triangles += [(corner, right, corner + side), (right, right + side, corner + side)]
    return points, np.array(triangles)


def test_a_ball_hides_the_sky_behind_itself_and_nothing_else() -> None:
    points, triangles = _ball()
    directions = sphere(60)
    seen = visibility(points, triangles, directions)
    cosine = points @ directions.T / 0.1
    assert (seen[cosine > 0.35] == 1.0).all()
    assert (seen[cosine < -0.35] == 0.0).mean() > 0.99  # the poles are open


def test_shading_of_open_points_is_that_of_the_environments_harmonics() -> None:
    directions = sphere(400)
    # A smooth sky: all of it lies in the first two bands.
    radiance = (1.0 + 0.6 * directions @ [0.6, 0.64, 0.48])[:, None] * [1.0, 0.8, 0.5]
    normals = sphere(30)
    diffuse, _ = shade_vertices(
        normals, normals, radiance, directions, np.ones((30, 400), np.float32)
    )
    light = torch.from_numpy(environment_light(radiance, directions))
    wanted = shade(torch.from_numpy(normals), light).numpy()
    bounced = wanted + 0.08 * wanted.mean(0)
    # Red bleeds round the terminator; green and blue are plain cosines.
    assert np.abs(diffuse - bounced)[:, 1:].max() < 0.02


def test_environments_are_positive_and_of_unit_brightness() -> None:
    directions = sphere()
    for seed in range(20):
        radiance = random_environment(np.random.default_rng(seed), directions)
        assert radiance.min() >= 0.0
        assert abs(radiance.mean() - 1.0) < 1e-6
