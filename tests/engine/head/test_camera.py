"""Projection, weak perspective, resizing and cropping, rotation vectors."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from engine.head import camera as cameras
from engine.protocol import conventions

FRONTAL = torch.tensor(conventions.FRONTAL_ROTATION)


def make_camera(width: int = 640, height: int = 480) -> cameras.Camera:
    intrinsics = torch.tensor([[800.0, 0, 330], [0, 790, 250], [0, 0, 1]], dtype=torch.float64)
    turn = cameras.rotation_from_vector(torch.tensor([0.1, -0.3, 0.05], dtype=torch.float64))
    translation = torch.tensor([0.02, -0.01, 1.1], dtype=torch.float64)
    return cameras.Camera(intrinsics, FRONTAL @ turn, translation, width, height)


def some_points(count: int = 50) -> torch.Tensor:
    generator = torch.Generator().manual_seed(3)
    return 0.2 * torch.randn(count, 3, generator=generator, dtype=torch.float64)


def test_frontal_camera_sees_the_subjects_left_on_the_right_and_up_on_top():
    eye = torch.eye(3, dtype=torch.float64)
    camera = cameras.Camera(eye, FRONTAL, torch.tensor([0.0, 0, 2], dtype=torch.float64), 4, 4)
    left, up, nose = torch.eye(3, dtype=torch.float64)
    assert cameras.project(left, camera)[0][0] > 0
    assert cameras.project(up, camera)[0][1] < 0
    assert cameras.project(nose, camera)[1] < 2


def test_projection_matches_the_matrix_product():
    camera, points = make_camera(), some_points()
    pixels, depth = cameras.project(points, camera)
    for point, pixel, z in zip(points, pixels, depth, strict=True):
        x = camera.intrinsics @ (camera.rotation @ point + camera.translation)
        torch.testing.assert_close(pixel, x[:2] / x[2])
        torch.testing.assert_close(z, x[2])


def test_camera_centre_has_no_depth():
    camera = make_camera()
    in_camera = camera.rotation @ cameras.camera_centre(camera) + camera.translation
    assert in_camera.abs().max() < 1e-12


def test_points_behind_the_camera_stay_finite():
    points = torch.tensor([[0.0, 0, 5], [0, 0, 1.1]], dtype=torch.float64, requires_grad=True)
    pixels, depth = cameras.project(points, make_camera())
    assert depth[0] < 0 and torch.isfinite(pixels).all()
    pixels.sum().backward()
    assert torch.isfinite(points.grad).all()


@pytest.mark.parametrize("distance", [10.0, 100.0, 1000.0])
def test_weak_perspective_converges_to_scaled_orthography(distance):
    scale, centre = 900.0, torch.tensor([111.0, 120.0], dtype=torch.float64)
    rotation = make_camera().rotation
    camera = cameras.weak_perspective_camera(scale, rotation, centre, 224, 224, distance)
    points = some_points()
    turned = points @ rotation.T
    orthographic = scale * turned[:, :2] + centre
    pixels, _ = cameras.project(points, camera)
    # First order of the perspective term: an offset of d in depth scales by 1 - d / distance.
    bound = (scale * turned[:, :2].abs() * turned[:, 2:].abs() / distance * 1.1) + 1e-9
    assert ((pixels - orthographic).abs() <= bound).all()


def test_weak_perspective_passes_gradients():
    scale = torch.tensor(900.0, dtype=torch.float64, requires_grad=True)
    centre = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
    vector = torch.zeros(3, dtype=torch.float64, requires_grad=True)

    def pixels(s, c, v):
        rotation = FRONTAL @ cameras.rotation_from_vector(v)
        camera = cameras.weak_perspective_camera(s, rotation, c, 9, 9)
        return cameras.project(some_points(4), camera)[0]

    assert torch.autograd.gradcheck(pixels, (scale, centre, vector))


def test_resized_camera_matches_the_resized_image():
    camera, points = make_camera(641, 480), some_points()
    resized = cameras.scale_camera(camera, 0.5)
    assert (resized.width, resized.height) == (320, 240)
    factor = torch.tensor([320 / 641, 0.5], dtype=torch.float64)
    before, _ = cameras.project(points, camera)
    after, _ = cameras.project(points, resized)
    torch.testing.assert_close(after, before * factor)


def test_cropped_camera_shifts_pixels():
    camera, points = make_camera(), some_points()
    cropped = cameras.crop_camera(camera, 30, -12, 100, 90)
    assert (cropped.width, cropped.height) == (100, 90)
    before, _ = cameras.project(points, camera)
    after, _ = cameras.project(points, cropped)
    torch.testing.assert_close(after, before - torch.tensor([30.0, -12.0], dtype=torch.float64))
    rest = cameras.crop_camera(camera, 40, 80)
    assert (rest.width, rest.height) == (600, 400)


vectors = st.tuples(*[st.floats(-math.pi, math.pi)] * 3)


@settings(deadline=None, max_examples=60)
@given(vectors)
def test_rotation_vectors_match_scipy_both_ways(vector):
    ours = cameras.rotation_from_vector(torch.tensor(vector, dtype=torch.float64))
    theirs = Rotation.from_rotvec(vector)
    np.testing.assert_allclose(ours.numpy(), theirs.as_matrix(), atol=1e-12)
    back = cameras.vector_from_rotation(ours)
    np.testing.assert_allclose(
        cameras.rotation_from_vector(back).numpy(), theirs.as_matrix(), atol=1e-9
    )
    assert back.norm() <= math.pi + 1e-9


@pytest.mark.parametrize("angle", [0.0, 1e-12, 1e-5, 0.00999, 0.0101, 3.1, math.pi])
def test_rotation_round_trip_at_awkward_angles(angle):
    axis = torch.tensor([0.6, -0.48, 0.64], dtype=torch.float64)
    matrix = cameras.rotation_from_vector(angle * axis)
    torch.testing.assert_close(
        matrix @ matrix.T, torch.eye(3, dtype=torch.float64), atol=1e-14, rtol=0
    )
    back = cameras.vector_from_rotation(matrix)
    if angle == math.pi:  # both axis directions are right
        back = back * torch.sign(back @ axis)
    torch.testing.assert_close(back, angle * axis, atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize("scale", [0.0, 1e-4, 0.02, 2.0])
def test_rotation_gradients_and_batches(scale):
    vector = scale * torch.tensor([[0.5, -0.7, 0.2], [0.1, 0.9, 0.4]], dtype=torch.float64)
    vector.requires_grad_()
    assert torch.autograd.gradcheck(cameras.rotation_from_vector, (vector,))

    def there_and_back(v):
        return cameras.vector_from_rotation(cameras.rotation_from_vector(v))

    assert torch.autograd.gradcheck(there_and_back, (vector,))


def test_rotation_gradient_at_zero_is_the_cross_product():
    zero = torch.zeros(3, dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(cameras.rotation_from_vector, zero)
    point = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)
    for axis in range(3):
        direction = torch.eye(3, dtype=torch.float64)[axis]
        torch.testing.assert_close(
            jacobian[..., axis] @ point, torch.linalg.cross(direction, point)
        )
