"""Figures of `evaluate light` and `evaluate tone`, and the light they are measured in."""

from pathlib import Path

import numpy as np
import pytest
import torch

from engine.evaluate.albedo_error import albedo_errors, best_scale, mean_tone
from engine.evaluate.known_heads import read_obj
from engine.evaluate.light import constant_albedo
from engine.evaluate.rig import FIVE_LIGHTS, Environment, Lamp, light_vertices
from engine.evaluate.skin_tone import skin_angles
from engine.evaluate.tone import GROUPS, ToneSample, by_group, person_of_group
from engine.head.normals import vertex_normals
from engine.protocol.conventions import sh_basis, srgb_to_linear
from engine.protocol.errors import EngineError
from engine.render.shadows import reached_by_light
from engine.skin.generate import generate_skin


def _colours(count: int = 500) -> np.ndarray:
    rng = np.random.default_rng(0)
    return srgb_to_linear(np.array([0.75, 0.55, 0.46]) + rng.normal(0.0, 0.03, (count, 3)))


def test_a_brightness_scale_is_found_and_only_that_is_forgiven() -> None:
    truth, all_texels = _colours(), np.ones(500, bool)
    assert best_scale(truth * 0.6, truth) == pytest.approx(1.0 / 0.6, rel=0.03)
    dark = albedo_errors([truth * 0.6, truth * 1.1], truth, all_texels)
    assert dark.scaled < 0.3 and dark.spread < 0.4
    assert dark.raw > 3.0 and dark.spread_raw > 3.0
    tinted = albedo_errors([truth * [1.2, 1.0, 0.8], truth], truth, all_texels)
    assert tinted.scaled > 2.0 and tinted.spread > 4.0
    assert mean_tone(truth * 0.5) < mean_tone(truth)


def test_light_of_a_constant_albedo_leaves_it_even() -> None:
    normals = np.random.default_rng(1).normal(size=(400, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    light = np.zeros((9, 3))
    light[0], light[3] = 3.0, 0.8
    photo = np.array([0.5, 0.3, 0.2]) * (sh_basis(normals) @ light)
    found = constant_albedo(photo, normals)
    np.testing.assert_allclose(found / found.mean(axis=0), 1.0, atol=1e-6)


def _two_plates() -> tuple[torch.Tensor, torch.Tensor]:
    """A fine plate in the plane y = 0, and a small one above its middle."""
    line = torch.linspace(-1.0, 1.0, 21)
    x, z = torch.meshgrid(line, line, indexing="ij")
    low = torch.stack([x.flatten(), torch.zeros(441), z.flatten()], -1)
    cell = torch.arange(441).reshape(21, 21)
    a, b, c, d = cell[:-1, :-1], cell[:-1, 1:], cell[1:, 1:], cell[1:, :-1]
    triangles = torch.cat([torch.stack(t, -1).reshape(-1, 3) for t in ((a, b, c), (a, c, d))])
    high = torch.tensor([[-0.3, 0.5, -0.3], [-0.3, 0.5, 0.3], [0.3, 0.5, 0.3], [0.3, 0.5, -0.3]])
    roof = torch.tensor([[441, 442, 443], [441, 443, 444]])
    return torch.cat([low, high]), torch.cat([triangles, roof])


def test_a_roof_casts_a_shadow_and_only_there() -> None:
    vertices, triangles = _two_plates()
    normals = vertex_normals(vertices, triangles)
    reached = reached_by_light(vertices, triangles, normals, torch.tensor([0.0, 1.0, 0.0]), 128)
    inside = (vertices[:441, [0, 2]].abs() < 0.25).all(1)
    outside = (vertices[:441, [0, 2]].abs() > 0.4).any(1)
    assert reached[:441][inside].max() < 0.1
    assert reached[:441][outside].min() > 0.9


def test_a_lamp_gives_its_shading_and_exposure_scales_all() -> None:
    vertices, triangles = _two_plates()
    eye = torch.tensor([0.0, 0.0, 5.0])
    lamp = Lamp((0.0, 1.0, 0.0), (1.0, 0.5, 0.25))
    once, twice = (Environment("lamp", (0.0, 0.0, 0.0), (), (lamp,), level) for level in (1.0, 2.0))
    one, two = light_vertices(vertices, triangles, [once, twice], eye)
    torch.testing.assert_close(two.diffuse, 2.0 * one.diffuse)
    corner = one.diffuse[0]
    assert corner[0] > 0.0
    torch.testing.assert_close(corner / corner[0], torch.tensor([1.0, 0.5, 0.25]))
    assert len({light.name for light in FIVE_LIGHTS}) == 5


def test_tones_are_grouped_and_the_bias_keeps_its_sign() -> None:
    samples = [ToneSample("tan", 20.0, "soft", tone, 20.0, 1.0) for tone in (15.0, 17.0)]
    samples.append(ToneSample("dark", -50.0, "soft", -48.0, -50.0, 1.0))
    tan, dark = by_group(samples)
    assert (tan.name, dark.name) == ("tan", "dark")
    assert tan.error == pytest.approx(4.0) and tan.bias == pytest.approx(-4.0)
    assert dark.bias == pytest.approx(2.0) and tan.photos == 2
    lows, highs = [low for _, low, _ in GROUPS], [high for _, _, high in GROUPS]
    assert highs[1:] == lows[:-1]


def test_a_mesh_is_read_and_one_without_uv_refused(tmp_path: Path) -> None:
    path = tmp_path / "head.obj"
    corners = ("0 0", "1 0", "1 1", "0 1")
    lines = [f"v {c} 0" for c in corners] + [f"vt {c}" for c in corners] + ["f 1/1 2/2 3/3 4/4"]
    path.write_text("\n".join(lines))
    vertices, triangles, uv = read_obj(path)
    assert vertices.shape == (4, 3) and triangles.tolist() == [[0, 1, 2], [0, 2, 3]]
    np.testing.assert_array_equal(uv[1], [[0, 0], [1, 1], [0, 1]])
    path.write_text("v 0 0 0\nf 1 1 1\n")
    with pytest.raises(EngineError):
        read_obj(path)


def test_people_are_of_the_group_they_stand_for() -> None:
    name, low, high = GROUPS[3]
    person, rng = person_of_group(3, 0)
    skin = generate_skin(person, 128, rng)
    angles = skin_angles(skin, np.ones(skin.shape[:2], bool))
    assert name == "tan"
    assert low < np.mean(list(angles.values())) < high
