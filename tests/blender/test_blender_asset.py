"""Heads in the asset browser."""

import json
import shutil

import numpy as np
import pytest

from engine.protocol.result import file_sha256

pytestmark = pytest.mark.blender


def preview_of(collection):
    size = collection.preview.image_size
    pixels = np.empty(4 * size[0] * size[1], np.float32)
    collection.preview.image_pixels_float.foreach_get(pixels)
    return pixels.reshape(size[1], size[0], 4)


def test_a_head_is_marked_with_a_picture_of_it(blender, addon, tiny, result):
    render = np.zeros((120, 160, 3))
    render[:60] = 1.0  # the upper half is white
    tiny.write_png(result / "render.png", render)
    manifest = json.loads((result / "result.json").read_text())
    manifest["files"]["render.png"] = file_sha256(result / "render.png")
    (result / "result.json").write_text(json.dumps(manifest))
    built = addon.build(result)
    assert blender.ops.uvapm.mark_asset() == {"FINISHED"}
    data = built.collection.asset_data
    assert {tag.name for tag in data.tags} == {"head", "UVAPM"} and "photo" in data.description
    picture = preview_of(built.collection)
    assert picture.shape == (256, 256, 4)
    assert picture[-1, :, 0].min() > 0.9 and picture[0, :, 0].max() < 0.1  # bottom row first
    assert not blender.ops.uvapm.mark_asset.poll(), "it is one already"


def test_a_head_without_its_result_is_marked_all_the_same(blender, addon, result):
    built = addon.build(result)
    shutil.rmtree(result)
    assert blender.ops.uvapm.mark_asset() == {"FINISHED"}
    assert built.collection.asset_data is not None


def test_marking_survives_saving(blender, addon, result, tmp_path):
    name = addon.build(result).collection.name
    blender.ops.uvapm.mark_asset()
    blender.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
    blender.ops.wm.open_mainfile(filepath=str(tmp_path / "a.blend"))
    collection = blender.data.collections[name]
    assert collection.asset_data is not None and tuple(collection.preview.image_size) == (256, 256)
