"""The detail sliders through saving, loading, export, and results that are gone."""

import importlib
import shutil

import numpy as np
import pytest

from engine.protocol.detail_layers import (
    DetailStrengths,
)
from tests.blender.detail_picture import LEVEL, assert_seen, root_of, seen

pytestmark = [
    pytest.mark.blender,
    pytest.mark.filterwarnings("ignore:Setting the shape on a NumPy array:DeprecationWarning"),
]


def reload(bpy, path):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.wm.open_mainfile(filepath=str(path))


@pytest.mark.parametrize("gone", [False, True])
def test_saving_keeps_the_picture_and_the_sliders(
    blender, addon, result, expected, engine, tmp_path, gone
):
    built = addon.build(result)
    detail = built.root.uvapm.detail
    detail.strength, detail.photo, detail.directions[1] = 0.5, 0.25, 1.0
    picture = seen(addon, built)
    blender.ops.wm.save_as_mainfile(filepath=str(tmp_path / "head.blend"))
    if gone:
        shutil.rmtree(result)
    reload(blender, tmp_path / "head.blend")
    detail = root_of(blender).uvapm.detail
    assert (detail.strength, detail.photo, detail.directions[1]) == (0.5, 0.25, 1.0)
    assert_seen(addon, root_of(blender), picture)
    assert not addon.runtime.RUNTIME.session.decoding.active
    if not gone:
        detail.directions[1] = 0.0
        assert_seen(addon, root_of(blender), expected(DetailStrengths(0.5), 0.25))


def test_saving_twice_keeps_the_newest_picture(blender, addon, result, tmp_path):
    built = addon.build(result)
    for strength in (0.0, 2.0):
        built.root.uvapm.detail.strength = strength
        blender.ops.wm.save_as_mainfile(filepath=str(tmp_path / "head.blend"))
    picture = seen(addon, built)
    shutil.rmtree(result)
    reload(blender, tmp_path / "head.blend")
    assert_seen(addon, root_of(blender), picture)


def test_a_file_saved_without_our_handlers_shows_its_sliders(
    blender, addon, live, result, expected, tmp_path, monkeypatch
):
    """As an automatic save: properties are new, packed pixels are old."""
    handlers = importlib.import_module("uvapm.uvapm_blender.detail.handlers")
    built = addon.build(result)
    built.root.uvapm.detail.strength = 0.0
    monkeypatch.setattr(handlers, "heads", list)
    blender.ops.wm.save_as_mainfile(filepath=str(tmp_path / "head.blend"))
    monkeypatch.undo()
    reload(blender, tmp_path / "head.blend")
    assert_seen(addon, root_of(blender), expected(DetailStrengths(0.0)))


def test_a_missing_result_is_told_and_can_be_shown_again(
    blender, addon, live, result, expected, tmp_path
):
    built = addon.build(result)
    moved = result.rename(tmp_path / "moved")
    built.root.uvapm.detail.strength = 0.0
    problem = live.CACHE.problems[live.key_of(built.root)]
    assert "was not found" in problem.message and str(result) in problem.message
    assert_seen(addon, built, expected())
    other = tmp_path / "other"
    shutil.copytree(moved, other)
    (other / "result.json").write_text("{}")
    with pytest.raises(RuntimeError, match="another result"):
        blender.ops.uvapm.find_result(directory=str(other))
    assert blender.ops.uvapm.find_result(directory=str(moved)) == {"FINISHED"}
    assert live.key_of(built.root) not in live.CACHE.problems
    assert_seen(addon, built, expected(DetailStrengths(0.0)))


def test_a_changed_map_is_told(blender, addon, live, result):
    built = addon.build(result)
    (result / "maps" / "albedo_coarse.png").write_bytes(b"other")
    built.root.uvapm.detail.strength = 0.0
    assert "albedo_coarse.png was changed" in str(live.CACHE.problems[live.key_of(built.root)])


@pytest.mark.parametrize("suffix", [".fbx", ".glb"])
def test_export_writes_what_is_seen(blender, addon, result, tmp_path, suffix):
    built = addon.build(result)
    built.root.uvapm.detail.strength = 0.0
    built.root.uvapm.detail.photo = 0.0
    path = tmp_path / f"head{suffix}"
    addon.export_head(built.root, path, blender.context)
    blender.ops.wm.read_factory_settings(use_empty=True)
    if suffix == ".fbx":
        blender.ops.import_scene.fbx(filepath=str(path))
    else:
        blender.ops.import_scene.gltf(filepath=str(path))
    pictures = [addon.images.read_pixels(image)[..., :3] for image in blender.data.images]
    grey = [np.abs(p - 0.5).max() for p in pictures if p.shape == (64, 64, 3)]
    assert min(grey) < 2 * LEVEL, "the coarse albedo of the tiny result is plain grey"
