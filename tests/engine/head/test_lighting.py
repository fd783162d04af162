"""Spherical-harmonic shading against its definition."""

import math

import numpy as np
import pytest
import torch

from engine.head import lighting
from engine.head.camera import rotation_from_vector
from engine.head.normals import unit
from engine.protocol import conventions


def some_normals(count: int = 40) -> torch.Tensor:
    generator = torch.Generator().manual_seed(5)
    return unit(torch.randn(count, 3, generator=generator, dtype=torch.float64))


def some_light(seed: int = 6) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    light = 0.06 * torch.randn(9, 3, generator=generator, dtype=torch.float64)
    return light + torch.tensor(conventions.ambient_light(1.0))


def test_uniform_environment_shades_everything_alike():
    light = torch.tensor(conventions.ambient_light(0.7))
    shading = lighting.shade(some_normals(), light)
    torch.testing.assert_close(shading, torch.full_like(shading, 0.7))


def test_shading_is_the_cosine_integral_of_the_radiance_map():
    light = some_light()
    height = 180
    radiance = conventions.radiance_to_equirectangular(light.numpy(), height)
    assert radiance.min() > 0  # else the map was clipped and no longer the same light
    directions = conventions.equirectangular_directions(height) @ conventions.MODEL_TO_BLENDER
    latitude = (np.arange(height) + 0.5) / height * math.pi
    solid_angle = np.sin(latitude)[:, None] * (math.pi / height) ** 2
    normals = some_normals(6)
    for normal in normals.numpy():
        cosine = np.maximum(directions @ normal, 0.0)
        wanted = (radiance * (cosine * solid_angle)[..., None]).sum((0, 1)) / math.pi
        ours = lighting.shade(torch.tensor(normal), light).numpy()
        np.testing.assert_allclose(ours, wanted, rtol=2e-3)


def test_directional_light_is_brightest_where_it_faces():
    direction = unit(torch.tensor([0.3, 0.8, 0.5], dtype=torch.float64))
    colour = torch.tensor([1.0, 0.5, 0.25], dtype=torch.float64)
    light = lighting.directional_light(direction, colour)
    torch.testing.assert_close(lighting.shade(direction, light), 1.0625 * colour)
    normals = some_normals(500)
    cosine = (normals @ direction).clamp(min=0)
    error = lighting.shade(normals, light)[:, 0] - cosine
    assert error.abs().max() < 0.13  # bound of a degree-2 clamped cosine
    assert abs(float(error.mean())) < 0.02


def test_rotating_the_light_and_the_normals_changes_nothing():
    light, normals = some_light(), some_normals()
    rotation = rotation_from_vector(torch.tensor([0.4, -1.1, 0.3], dtype=torch.float64))
    turned = lighting.rotate_light(light, rotation)
    torch.testing.assert_close(
        lighting.shade(normals @ rotation.T, turned), lighting.shade(normals, light)
    )


def test_a_turned_light_has_the_same_bits_wherever_it_lies_in_memory():
    """A solver does not: its result shows in the pictures of a fit."""
    light, rotation = some_light().float(), rotation_from_vector(torch.tensor([0.1, -0.7, 0.0]))
    found, between = set(), []
    for number in range(100):
        between.append(bytearray(37 * number % 997))  # other addresses each time
        found.add(lighting.rotate_light(light, rotation).numpy().tobytes())
    assert len(found) == 1


def ffhq_uv_shading(normal: list[float], gamma: np.ndarray) -> np.ndarray:
    """That code's shading written out from its published basis (independent of ours)."""
    x, y, z = normal
    first, second, third = 0.886227, 1.772454, 2.427032
    basis = np.array(
        [
            first,
            -second * y,
            second * z,
            -second * x,
            third * x * y,
            -third * y * z,
            third / (2 * math.sqrt(3)) * (3 * z * z - 1),
            -third * x * z,
            third / 2 * (x * x - y * y),
        ]
    )
    coefficients = gamma.reshape(3, 9).copy()
    coefficients[:, 0] += 0.8
    return coefficients @ basis


def test_ffhq_uv_light_shades_as_that_code_does():
    gamma = np.random.default_rng(0).normal(0, 0.3, 27)
    light = lighting.light_from_ffhq_uv(torch.tensor(gamma))
    for normal in some_normals(10):
        wanted = ffhq_uv_shading(normal.tolist(), gamma)
        np.testing.assert_allclose(lighting.shade(normal, light).numpy(), wanted, atol=2e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_ffhq_uv_round_trip(dtype):
    light = some_light().to(dtype)
    back = lighting.light_from_ffhq_uv(lighting.light_to_ffhq_uv(light))
    torch.testing.assert_close(back, light)


def test_shading_gradients():
    normals = some_normals(3).requires_grad_()
    light = some_light().requires_grad_()
    assert torch.autograd.gradcheck(lighting.shade, (normals, light))
