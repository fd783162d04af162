"""The meter reads the share of light that was left in an albedo."""

import numpy as np
import pytest

from engine.fit.albedo.baked_light import baked_light
from engine.protocol.conventions import ambient_light, linear_to_srgb, sh_basis

SIZE = 96


def _dome() -> np.ndarray:
    line = np.linspace(-0.9, 0.9, SIZE)
    x, y = np.meshgrid(line, -line)
    normals = np.stack([x, y, np.sqrt(np.maximum(1.5 - x**2 - y**2, 0.05))], -1)
    return normals / np.linalg.norm(normals, axis=-1, keepdims=True)


def _side_light() -> np.ndarray:
    light = ambient_light(0.8)
    light[3] = 0.8
    return light


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0, -0.5])
def test_the_share_of_light_is_read(share: float) -> None:
    normals, light = _dome(), _side_light()
    spots = 1.0 + 0.2 * np.random.default_rng(0).standard_normal((SIZE, SIZE, 1))
    shading = np.maximum(sh_basis(normals) @ light, 0.05)
    albedo = linear_to_srgb(np.clip(0.25 * spots * shading**share, 0.0, 1.0))
    number, where = baked_light(albedo, normals, light, np.ones((SIZE, SIZE)))
    assert number == pytest.approx(abs(share), abs=0.12)
    assert 0.0 <= where.min() and where.max() <= 1.0


def test_unseen_texels_and_even_light_read_nothing() -> None:
    normals = _dome()
    albedo = np.random.default_rng(1).uniform(0.2, 0.8, (SIZE, SIZE, 3))
    weight = np.ones((SIZE, SIZE))
    assert baked_light(albedo, normals, ambient_light(), weight)[0] < 0.05
    weight[:, :40] = 0.0
    assert baked_light(albedo, normals, _side_light(), weight)[1][:, :40].max() == 0.0
