"""Meshes of the render tests."""

import math

import pytest
import torch


def make_sphere(rows: int, columns: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Closed unit sphere with pole vertices, counter-clockwise from outside."""
    theta = torch.arange(1, rows, dtype=torch.float64) * math.pi / rows
    phi = torch.arange(columns, dtype=torch.float64) * 2 * math.pi / columns
    ring = torch.stack(
        [
            theta.sin()[:, None] * phi.sin(),
            theta.cos()[:, None].expand(-1, columns),
            theta.sin()[:, None] * phi.cos(),
        ],
        -1,
    ).reshape(-1, 3)
    poles = torch.tensor([[0.0, 1.0, 0.0], [0.0, -1.0, 0.0]], dtype=torch.float64)
    index = torch.arange((rows - 1) * columns).reshape(rows - 1, columns)
    a, d = index[:-1], index[1:]
    b, e = a.roll(-1, 1), d.roll(-1, 1)
    first, last = index[0], index[-1]
    north, south = torch.full_like(first, len(ring)), torch.full_like(first, len(ring) + 1)
    faces = [
        torch.stack([a, d, e], -1).reshape(-1, 3),
        torch.stack([a, e, b], -1).reshape(-1, 3),
        torch.stack([north, first, first.roll(-1)], -1),
        torch.stack([south, last.roll(-1), last], -1),
    ]
    return torch.cat([ring, poles]), torch.cat(faces)


@pytest.fixture(scope="session")
def sphere():
    """Function (rows, columns) -> vertices (V, 3) double, triangles (T, 3)."""
    return make_sphere
