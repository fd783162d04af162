"""Projection and unit vectors against the formulas as they are written in books."""

import pytest
import torch

from engine.head.camera import Camera, project
from engine.head.normals import unit

POINTS = torch.randn(5, 40, 3, generator=torch.Generator().manual_seed(0)).double()
CAMERA = Camera(
    torch.tensor([[500.0, 2.0, 64.0], [0.0, 510.0, 60.0], [0.0, 0.0, 1.0]]).double(),
    torch.linalg.qr(POINTS[0, :3])[0],
    torch.tensor([0.1, -0.2, 6.0]).double(),
    128,
    128,
)


def plain_projection(points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    in_camera = points @ CAMERA.rotation.T + CAMERA.translation
    homogeneous = in_camera @ CAMERA.intrinsics.T
    return homogeneous[..., :2] / homogeneous[..., 2:], in_camera[..., 2]


def plain_unit(vectors: torch.Tensor) -> torch.Tensor:
    return vectors / vectors.norm(dim=-1, keepdim=True)


@pytest.mark.parametrize(
    ("fast", "slow"),
    [
        (lambda x: project(x, CAMERA)[0], lambda x: plain_projection(x)[0]),
        (lambda x: project(x, CAMERA)[1], lambda x: plain_projection(x)[1]),
        (unit, plain_unit),
    ],
)
def test_values_and_gradients(fast, slow) -> None:
    values, slopes = [], []
    for each in (fast, slow):
        points = POINTS.clone().requires_grad_(True)
        found = each(points)
        (found * torch.linspace(-1.0, 1.0, found.numel()).reshape(found.shape)).sum().backward()
        values.append(found)
        slopes.append(points.grad)
    torch.testing.assert_close(*values)
    torch.testing.assert_close(*slopes)


def test_zero_vectors_stay_zero_without_gradient() -> None:
    vectors = torch.zeros(2, 3, requires_grad=True)
    unit(vectors).sum().backward()
    assert torch.equal(unit(vectors), torch.zeros(2, 3))
    assert torch.equal(vectors.grad, torch.zeros(2, 3))
