"""Texture lookups and shrinking against obvious twins."""

import math

import cv2
import numpy as np
import pytest
import torch

from engine.render.texture import resize_area, sample_image, sample_texture


def random(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(*shape, generator=generator, dtype=torch.float64)


def slow_sample(image, pixels):
    height, width = image.shape[:2]
    rows = []
    for x, y in pixels:
        x, y = (x - 0.5).clamp(0, width - 1), (y - 0.5).clamp(0, height - 1)
        x0 = min(math.floor(float(x.detach())), width - 2)
        y0 = min(math.floor(float(y.detach())), height - 2)
        fx, fy = x - x0, y - y0
        top = (1 - fx) * image[y0, x0] + fx * image[y0, x0 + 1]
        bottom = (1 - fx) * image[y0 + 1, x0] + fx * image[y0 + 1, x0 + 1]
        rows.append((1 - fy) * top + fy * bottom)
    return torch.stack(rows)


def test_bilinear_values_and_gradients_match_the_twin():
    image = random(5, 7, 3).requires_grad_()
    pixels = (random(60, 2, seed=1) * torch.tensor([9.0, 7.0]) - 1).requires_grad_()
    ours, theirs = sample_image(image, pixels), slow_sample(image, pixels)
    torch.testing.assert_close(ours, theirs)
    weight = random(60, 3, seed=2)
    mine = torch.autograd.grad((ours * weight).sum(), (image, pixels))
    other = torch.autograd.grad((theirs * weight).sum(), (image, pixels))
    for a, b in zip(mine, other, strict=True):
        torch.testing.assert_close(a, b)


def test_texel_centres_are_exact_and_v_points_up():
    texture = random(4, 8, 3)
    for row, column in ((0, 0), (3, 7), (1, 5)):
        uv = torch.tensor([(column + 0.5) / 8, 1 - (row + 0.5) / 4], dtype=torch.float64)
        torch.testing.assert_close(sample_texture(texture, uv), texture[row, column])


def test_edges_are_repeated():
    texture = random(4, 4, 1)
    corners = torch.tensor([[-3.0, 9.0], [0.0, 1.0], [1.0, 0.0]], dtype=torch.float64)
    out = sample_texture(texture, corners)
    torch.testing.assert_close(out[:, 0], texture[[0, 0, 3], [0, 0, 3], 0])


def test_leading_shape_is_kept():
    assert sample_image(random(4, 4, 2), random(3, 5, 2)).shape == (3, 5, 2)


@pytest.mark.parametrize("size", [(10, 15), (7, 11), (20, 10), (19, 29), (1, 1), (20, 30)])
def test_shrinking_is_the_exact_area_mean(size):
    image = random(20, 30, 3)
    wanted = cv2.resize(image.numpy(), size[::-1], interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(resize_area(image, *size).numpy(), wanted, atol=1e-6)
    torch.testing.assert_close(resize_area(image, *size).mean(), image.mean())


def test_shrinking_is_differentiable_and_refuses_to_enlarge():
    image = random(5, 4, 1).requires_grad_()
    assert torch.autograd.gradcheck(lambda i: resize_area(i, 2, 3), (image,))
    with pytest.raises(ValueError, match="smaller"):
        resize_area(image, 6, 3)
