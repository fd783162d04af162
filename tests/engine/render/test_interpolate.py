"""Perspective-correct interpolation: values and gradients against slow twins."""

import pytest
import torch

from engine.head.camera import Camera, project, weak_perspective_camera
from engine.protocol import conventions
from engine.render.interpolate import barycentric, interpolate
from engine.render.rasterize import rasterize

FRONTAL = torch.tensor(conventions.FRONTAL_ROTATION)


def tilted_quad():
    """A quad seen at a slant: near on the left, far on the right."""
    points = torch.tensor(
        [[-0.5, -0.4, 0.5], [0.5, -0.4, -1.5], [0.5, 0.4, -1.5], [-0.5, 0.4, 0.5]]
    )
    intrinsics = torch.tensor([[60.0, 0, 20], [0, 60, 16], [0, 0, 1]])
    camera = Camera(intrinsics, FRONTAL.float(), torch.tensor([0.0, 0, 2]), 40, 32)
    return points.double(), torch.tensor([[0, 1, 2], [0, 2, 3]]), camera.to(points.double())


def test_plane_is_perspective_correct():
    points, triangles, camera = tilted_quad()
    pixels, depth = project(points, camera)
    raster = rasterize(pixels, depth, triangles, 32, 40)
    seen = interpolate(points, raster, triangles)
    # Analytic: the ray of each pixel met with the plane through the first three corners.
    y, x = torch.meshgrid(torch.arange(32) + 0.5, torch.arange(40) + 0.5, indexing="ij")
    homogeneous = torch.stack([x, y, torch.ones_like(x)], -1).double()
    rays = homogeneous @ torch.linalg.inv(camera.intrinsics).T
    placed = points @ camera.rotation.T + camera.translation
    normal = torch.linalg.cross(placed[1] - placed[0], placed[2] - placed[0])
    distance = (placed[0] @ normal) / (rays @ normal)
    wanted = (distance[..., None] * rays - camera.translation) @ camera.rotation
    hit = raster.triangle >= 0
    assert int(hit.sum()) > 100
    torch.testing.assert_close(seen[hit], wanted[hit], rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(raster.depth[hit], distance[hit], rtol=1e-6, atol=1e-6)
    assert (seen[~hit] == 0).all()


def test_weak_perspective_is_affine():
    points, triangles, _ = tilted_quad()
    centre = torch.tensor([20.0, 16.0], dtype=torch.float64)
    camera = weak_perspective_camera(30.0, FRONTAL, centre, 40, 32, distance=1e6)
    pixels, depth = project(points, camera)
    raster = rasterize(pixels, depth, triangles, 32, 40)
    hit = raster.triangle >= 0
    y, x = torch.meshgrid(torch.arange(32) + 0.5, torch.arange(40) + 0.5, indexing="ij")
    seen = interpolate(points, raster, triangles)
    wanted = torch.stack([(x - 20) / 30, -(y - 16) / 30], -1).double()
    torch.testing.assert_close(seen[..., :2][hit], wanted[hit], atol=1e-5, rtol=0)


def slow_weights(pixels, depth, triangles, raster):
    """Weights pixel by pixel, through a linear solve; differentiable."""
    height, width = raster.triangle.shape
    rows = []
    for row in range(height):
        for column in range(width):
            number = int(raster.triangle[row, column])
            if number < 0:
                rows.append(pixels.new_zeros(3))
                continue
            corner = triangles[number]
            matrix = torch.cat([pixels[corner].T, pixels.new_ones(1, 3)])
            at = pixels.new_tensor([column + 0.5, row + 0.5, 1.0])
            share = torch.linalg.solve(matrix, at) / depth[corner]
            rows.append(share / share.sum())
    return torch.stack(rows).reshape(height, width, 3)


def slow_interpolate(attributes, weights, triangles, raster):
    rows = []
    for number, weight in zip(raster.triangle.flatten(), weights.reshape(-1, 3), strict=True):
        per_corner = attributes.dim() == 3
        corner = attributes[number] if per_corner else attributes[triangles[number]]
        rows.append((weight[:, None] * corner).sum(0) * (number >= 0))
    return torch.stack(rows).reshape(raster.triangle.shape + (-1,))


def assert_same_direction(ours, theirs, tolerance=1e-4):
    """As vectors: cosine and relative norm."""
    ours, theirs = ours.double().flatten(), theirs.double().flatten()
    assert torch.nn.functional.cosine_similarity(ours, theirs, dim=0) > 1 - tolerance
    assert abs(float(ours.norm() / theirs.norm()) - 1) < tolerance


@pytest.mark.parametrize("per_corner", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_values_and_gradients_match_the_slow_twin(dtype, per_corner):
    generator = torch.Generator().manual_seed(11)
    random = lambda *shape: torch.rand(*shape, generator=generator, dtype=torch.float64)  # noqa: E731
    base = random(9, 2) * 22 - 1
    base_depth = random(9) + 0.5
    triangles = torch.tensor([[0, 1, 2], [2, 3, 4], [4, 5, 6], [6, 7, 8], [1, 5, 8], [0, 4, 7]])
    values = random(6, 3, 4) if per_corner else random(9, 4)
    target = random(20, 21, 4)
    raster = rasterize(base.to(dtype), base_depth.to(dtype), triangles, 20, 21)
    leaves = [v.to(dtype).requires_grad_() for v in (base, base_depth, values)]
    weights = barycentric(leaves[0], leaves[1], triangles, raster)
    ours = interpolate(leaves[2], raster, None if per_corner else triangles, weights)
    torch.testing.assert_close(weights.detach(), raster.barycentric)
    twins = [v.clone().requires_grad_() for v in (base, base_depth, values)]
    slow = slow_weights(twins[0], twins[1], triangles, raster)
    theirs = slow_interpolate(twins[2], slow, triangles, raster)
    torch.testing.assert_close(ours.double(), theirs, atol=1e-4, rtol=1e-4)
    our_gradients = torch.autograd.grad(((ours - target.to(dtype)) ** 2).sum(), leaves)
    their_gradients = torch.autograd.grad(((theirs - target) ** 2).sum(), twins)
    for mine, other in zip(our_gradients, their_gradients, strict=True):
        assert_same_direction(mine, other)


def test_gradients_in_full():
    points, triangles, camera = tilted_quad()
    pixels, depth = project(points, camera)
    raster = rasterize(pixels / 4, depth, triangles, 8, 10)

    def picture(p, z, a):
        return interpolate(a, raster, triangles, barycentric(p, z, triangles, raster))

    inputs = ((pixels / 4).requires_grad_(), depth.requires_grad_(), points.requires_grad_())
    assert torch.autograd.gradcheck(picture, inputs)


def test_slivers_keep_values_and_gradients_finite():
    pixels = torch.tensor([[0.5, 0.5], [30.5, 0.5], [60.5, 0.5 + 1e-6]], requires_grad=True)
    depth = torch.ones(3, requires_grad=True)
    triangles = torch.tensor([[0, 1, 2], [0, 2, 1]])
    raster = rasterize(pixels, depth, triangles, 2, 64)
    weights = barycentric(pixels, depth, triangles, raster)
    weights.sum().backward()
    assert torch.isfinite(weights).all() and torch.isfinite(pixels.grad).all()


def test_vertex_attributes_need_triangles():
    raster = rasterize(torch.zeros(0, 2), torch.zeros(0), torch.zeros(0, 3).long(), 4, 5)
    with pytest.raises(ValueError, match="need triangles"):
        interpolate(torch.zeros(3, 1), raster)
