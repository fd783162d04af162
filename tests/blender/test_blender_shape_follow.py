"""Identity sliders that others move, and heads that cannot follow: no pack, another mesh."""

import importlib
import shutil

import numpy as np
import pytest

from tests.blender.shaped_head import (
    CLOSE,
    assert_shape,
    parts_of,
    points_of,
    root_of,
    tiny_basis,
    write_pack,
    write_shaped_result,
)

pytestmark = pytest.mark.blender


@pytest.fixture
def basis(tiny):
    return tiny_basis(tiny)


@pytest.fixture
def result(tiny, tmp_path, basis, addon, monkeypatch):
    """Folder of a tiny result whose head pack is at hand."""
    yield write_shaped_result(tiny, tmp_path, basis, monkeypatch, addon.locations)
    importlib.import_module("uvapm.uvapm_blender.shape.cache").CACHE.clear()


def test_animated_components_are_followed(blender, addon, tiny, result, basis):
    root = addon.build(result).root
    item = root.uvapm.shape.components[1]
    for frame, value in ((1, 0.0), (11, 2.0)):
        item.value = value
        assert root.keyframe_insert("uvapm.shape.components[1].value", frame=frame)
    blender.context.scene.frame_set(11)
    assert_shape(tiny, basis, root, [0, 2, 0, 0])
    blender.context.scene.frame_set(1)
    assert_shape(tiny, basis, root, [0, 0, 0, 0])


def test_a_rendered_animation_follows_too(blender, addon, tiny, result, basis, tmp_path):
    """A render has an evaluation of its own, whose values Blender brings to nobody."""
    root = addon.build(result).root
    for frame, value in ((1, 0.0), (2, 2.0)):
        root.uvapm.shape.components[1].value = value
        root.keyframe_insert("uvapm.shape.components[1].value", frame=frame)
    scene, seen = blender.context.scene, {}
    scene.frame_start, scene.frame_end = 1, 2
    scene.render.engine, scene.cycles.samples = "CYCLES", 1
    scene.render.resolution_x = scene.render.resolution_y = 8
    scene.render.filepath = str(tmp_path / "frame")

    def look(scene, *_):
        seen[scene.frame_current] = points_of(parts_of(root_of(blender))[0])

    blender.app.handlers.render_post.append(look)
    try:
        blender.ops.render.render(animation=True)
    finally:
        blender.app.handlers.render_post.remove(look)
    assert np.abs(seen[2] - seen[1]).max() > 0.003
    scene.frame_set(2)
    np.testing.assert_allclose(points_of(parts_of(root)[0]), seen[2], atol=CLOSE)


def test_a_driver_moves_a_component(blender, addon, tiny, result, basis):
    root = addon.build(result).root
    curve = root.driver_add("uvapm.shape.components[2].value")
    curve.driver.type = "SUM"
    variable = curve.driver.variables.new()
    variable.targets[0].id, variable.targets[0].data_path = root, "location.z"
    root.location.z = 1.25
    blender.context.view_layer.update()
    assert_shape(tiny, basis, root, [0, 0, 1.25, 0])


@pytest.mark.parametrize("trouble", ["gone", "another", "broken"])
def test_without_its_pack_a_head_says_why(blender, addon, tiny, result, basis, tmp_path, trouble):
    cache = importlib.import_module("uvapm.uvapm_blender.shape.cache").CACHE
    root = addon.build(result).root
    cache.clear()
    folder, away = tmp_path / "packs" / "tiny", tmp_path / "away"
    shutil.copytree(folder, away)
    if trouble == "broken":
        (folder / "head.safetensors").write_bytes(b"nothing")
    else:
        shutil.rmtree(folder)
    if trouble == "another":
        write_pack(folder, basis * 2)
    root.uvapm.shape.components[0].value = 1.0
    assert_shape(tiny, basis, root, [0, 0, 0, 0])
    words = {"gone": "not found", "another": "not the one", "broken": "not the one"}
    assert words[trouble] in str(cache.problem(root))
    with pytest.raises(RuntimeError, match=words[trouble]):
        blender.ops.uvapm.randomise_shape(seed=1)
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(away, folder)
    blender.ops.uvapm.look_again()
    assert cache.problem(root) is None
    assert_shape(tiny, basis, root, [1, 0, 0, 0])


def test_a_remodelled_mesh_is_left_alone(blender, addon, result):
    cache = importlib.import_module("uvapm.uvapm_blender.shape.cache").CACHE
    built = addon.build(result)
    parts_of(built.root)[-1].data.vertices.add(1)
    before = [points_of(part) for part in parts_of(built.root)]
    built.root.uvapm.shape.components[0].value = 1.0
    assert "remodelled" in str(cache.problem(built.root))
    for part, points in zip(parts_of(built.root), before, strict=True):
        assert np.array_equal(points_of(part), points)


def test_deleted_vertices_do_no_harm(blender, addon, result):
    root = addon.build(result).root
    blender.ops.object.mode_set(mode="EDIT")
    blender.ops.mesh.select_all(action="DESELECT")
    blender.ops.object.mode_set(mode="OBJECT")
    skin = parts_of(root)[0]
    skin.data.vertices[5].select = True
    blender.ops.object.mode_set(mode="EDIT")
    blender.ops.mesh.delete(type="VERT")
    blender.ops.object.mode_set(mode="OBJECT")
    before = points_of(skin)
    root.uvapm.shape.components[0].value = 1.0
    assert np.abs(points_of(skin) - before).max() > 1e-3
