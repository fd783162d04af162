"""Texel sizes and slopes, against the surface itself moved by the height."""

import numpy as np
import pytest

from engine.surface.metric import nearest_filled, resized_metric, texel_metric
from engine.surface.normals import slopes, tangent_normals

from .conftest import HEIGHT, SIZE, WIDTH, tube

INNER = (slice(20, -20), slice(20, -20))


def displaced_normals(position: np.ndarray, height: np.ndarray) -> np.ndarray:
    """The slow twin: move every point by its height, and look at the new surface's normal from the
    frame of the old one: tangent along u, bitangent at a right angle to it, towards +v."""

    def frame(points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        u = np.gradient(points, axis=1)
        v = -np.gradient(points, axis=0)
        normal = np.cross(u, v)
        normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
        tangent = u / np.linalg.norm(u, axis=-1, keepdims=True)
        return tangent, np.cross(normal, tangent), normal

    tangent, bitangent, normal = frame(position)
    moved = frame(position + height[..., None] * normal)[2]
    return np.stack([(moved * axis).sum(-1) for axis in (tangent, bitangent, normal)], -1)


@pytest.mark.parametrize("shear", [0.0, 0.4, -0.7])
def test_texels_have_their_size(shear: float, valid: np.ndarray) -> None:
    metric = texel_metric(tube(shear), valid)
    np.testing.assert_allclose(metric.along, WIDTH / SIZE, rtol=1e-3)
    np.testing.assert_allclose(metric.across, HEIGHT / SIZE, rtol=1e-3)
    np.testing.assert_allclose(metric.shear, shear * HEIGHT / SIZE, atol=1e-6)
    fine = resized_metric(metric, 2048)
    np.testing.assert_allclose(fine.along, WIDTH / 2048, rtol=1e-3)


@pytest.mark.parametrize("shear", [0.0, 0.5])
def test_normals_are_those_of_the_moved_surface(shear: float, valid: np.ndarray) -> None:
    position = tube(shear)
    column, row = np.meshgrid(np.arange(SIZE), np.arange(SIZE))
    height = 2e-4 * np.sin(column / 7.0) * np.cos(row / 5.0 + 0.3)
    normal = tangent_normals(height.astype(np.float32), texel_metric(position, valid))
    expected = displaced_normals(position, height)
    # Steep slopes are bent a little on purpose: compare where they are not.
    gentle = np.hypot(expected[..., 0], expected[..., 1])[INNER] < 0.15
    assert gentle.mean() > 0.2
    assert np.abs(normal - expected)[INNER][gentle].max() < 0.006
    np.testing.assert_allclose(np.linalg.norm(normal, axis=-1), 1.0, atol=1e-5)


def test_a_ramp_that_rises_upwards_leans_down_in_green(valid: np.ndarray) -> None:
    """+y of a normal map is up: a slope that rises with v faces down, its green is below half."""
    rise = np.repeat(np.linspace(0.01, 0.0, SIZE, dtype=np.float32)[:, None], SIZE, 1)
    metric = texel_metric(tube(), valid)
    tangent, bitangent = slopes(rise, metric)
    np.testing.assert_allclose(bitangent[INNER], 0.01 / HEIGHT, rtol=5e-3)
    assert np.abs(tangent[INNER]).max() < 1e-4
    assert tangent_normals(rise, metric)[INNER][..., 1].max() < 0.0


def test_half_the_texel_twice_the_slope(valid: np.ndarray) -> None:
    height = 1e-4 * np.sin(np.arange(SIZE, dtype=np.float32) / 9.0)[None].repeat(SIZE, 0)
    wide, narrow = (texel_metric(tube() * scale, valid) for scale in (1.0, 0.5))
    ratio = slopes(height, narrow)[0][INNER] / (slopes(height, wide)[0][INNER] + 1e-12)
    assert np.median(ratio) == pytest.approx(2.0, rel=1e-3)


def test_islands_far_apart_do_not_stretch_texels() -> None:
    position = tube()
    position[:, SIZE // 2 :] += 10.0
    valid = np.ones((SIZE, SIZE), bool)
    valid[:, SIZE // 2 - 5 : SIZE // 2] = False
    metric = texel_metric(position, valid)
    np.testing.assert_allclose(metric.along, WIDTH / SIZE, rtol=1e-3)


def test_holes_take_the_nearest_value() -> None:
    valid = np.zeros((8, 8), bool)
    valid[2, 1], valid[6, 6] = True, True
    values = np.arange(64.0).reshape(8, 8)
    filled = nearest_filled(values, valid)
    assert set(np.unique(filled)) == {values[2, 1], values[6, 6]}
    assert filled[0, 0] == values[2, 1] and filled[7, 7] == values[6, 6]
    stacked = nearest_filled(np.stack([values, -values], -1), valid)
    assert np.array_equal(stacked[..., 1], -filled)
