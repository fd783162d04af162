"""Shape and normals."""

import math

import pytest
import torch

from engine.head.normals import face_normals, unit, vertex_normals
from engine.head.shape import evaluate_shape


def sphere(rows: int, columns: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Unit sphere as a closed grid with pole vertices, counter-clockwise from outside."""
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
    north, south = len(ring), len(ring) + 1
    faces = []
    for r in range(rows - 2):
        for c in range(columns):
            a, b = r * columns + c, r * columns + (c + 1) % columns
            d, e = a + columns, b + columns
            faces += [[a, d, e], [a, e, b]]
    for c in range(columns):
        faces.append([north, c, (c + 1) % columns])
        last = (rows - 2) * columns
        faces.append([south, last + (c + 1) % columns, last + c])
    return torch.cat([ring, poles]), torch.tensor(faces)


def test_shape_is_the_sum_of_its_components():
    generator = torch.Generator().manual_seed(0)
    mean = torch.randn(7, 3, generator=generator)
    identity = torch.randn(4, 7, 3, generator=generator)
    expression = torch.randn(2, 7, 3, generator=generator)
    z, w = torch.randn(4, generator=generator), torch.rand(2, generator=generator)
    wanted = mean.clone()
    for k in range(4):
        wanted += z[k] * identity[k]
    for e in range(2):
        wanted += w[e] * expression[e]
    torch.testing.assert_close(evaluate_shape(mean, identity, expression, z, w), wanted)


def test_shape_without_expressions():
    mean, identity = torch.rand(5, 3), torch.rand(2, 5, 3)
    out = evaluate_shape(mean, identity, torch.zeros(0, 5, 3), torch.zeros(2), torch.zeros(0))
    torch.testing.assert_close(out, mean)


def test_shape_refuses_wrong_coefficient_count():
    with pytest.raises(RuntimeError):
        evaluate_shape(
            torch.zeros(5, 3),
            torch.zeros(2, 5, 3),
            torch.zeros(1, 5, 3),
            torch.ones(3),
            torch.ones(1),
        )


def test_sphere_normals_point_outwards():
    vertices, triangles = sphere(40, 80)
    normals = vertex_normals(vertices, triangles)
    assert ((normals * vertices).sum(-1) > 0.999).all()
    centres = unit(vertices[triangles].mean(1))
    assert ((face_normals(vertices, triangles) * centres).sum(-1) > 0.99).all()


def test_vertex_normals_against_a_loop():
    generator = torch.Generator().manual_seed(1)
    vertices = torch.randn(12, 3, generator=generator, dtype=torch.float64)
    triangles = torch.randint(0, 12, (30, 3), generator=generator)
    wanted = torch.zeros(12, 3, dtype=torch.float64)
    for a, b, c in triangles.tolist():
        area = torch.linalg.cross(vertices[b] - vertices[a], vertices[c] - vertices[a])
        for corner in (a, b, c):
            wanted[corner] += area
    lengths = wanted.norm(dim=-1, keepdim=True)
    wanted = torch.where(lengths > 0, wanted / lengths.clamp(min=1e-30), 0.0)
    torch.testing.assert_close(vertex_normals(vertices, triangles), wanted)


def test_normals_of_millimetre_triangles_are_unit_in_single_precision():
    vertices, triangles = sphere(8, 16)
    small = (vertices * 1e-5).float()
    torch.testing.assert_close(
        vertex_normals(small, triangles).norm(dim=-1), torch.ones(len(small))
    )


def test_degenerate_faces_give_zero_normals_and_finite_gradients():
    vertices = torch.tensor([[0.0, 0, 0], [1, 0, 0], [2, 0, 0], [0, 1, 0]], requires_grad=True)
    triangles = torch.tensor([[0, 1, 2], [3, 3, 3]])
    normals = vertex_normals(vertices, triangles)
    assert (normals == 0).all()
    normals.sum().backward()
    assert torch.isfinite(vertices.grad).all()


def test_normal_gradients():
    vertices, triangles = sphere(4, 5)
    vertices = (vertices + 0.1 * torch.sin(7 * vertices)).requires_grad_()
    assert torch.autograd.gradcheck(lambda v: vertex_normals(v, triangles), (vertices,))
