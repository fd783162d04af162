"""Undo, saving and export."""

import numpy as np
import pytest

pytestmark = [
    pytest.mark.blender,
    # io_scene_fbx of Blender 5.2 sets array shapes in place, which numpy 2.5 calls deprecated
    pytest.mark.filterwarnings("ignore:Setting the shape on a NumPy array:DeprecationWarning"),
]

KINDS = ("objects", "meshes", "materials", "images", "cameras", "worlds", "collections")


def counts(bpy):
    return {kind: len(getattr(bpy.data, kind)) for kind in KINDS}


def find(bpy, ending):
    return next(item for item in bpy.data.objects if item.name.endswith(ending))


def image_pixels(bpy, addon):
    return {image.name: addon.images.read_pixels(image).copy() for image in bpy.data.images}


def assert_same_pixels(before, after):
    assert before.keys() == after.keys()
    for name, pixels in before.items():
        np.testing.assert_allclose(after[name], pixels, rtol=2e-3, atol=2e-3, err_msg=name)


def test_import_is_one_undo_step(blender, addon, result):
    blender.ops.ed.undo_push(message="before")
    before = counts(blender)
    done = blender.ops.uvapm.import_result("EXEC_DEFAULT", True, directory=str(result))
    assert done == {"FINISHED"}
    built, pixels = counts(blender), image_pixels(blender, addon)
    blender.ops.ed.undo()
    assert counts(blender) == before and blender.context.scene.world is None
    blender.ops.ed.redo()
    assert counts(blender) == built
    assert_same_pixels(pixels, image_pixels(blender, addon))
    keys = find(blender, "head").data.shape_keys.key_blocks
    assert keys["jawOpen"].value == 0.5 and blender.context.scene.camera is not None
    root = addon.heads.head_of(find(blender, "tongue"))
    assert root.uvapm.world == blender.context.scene.world


def test_save_and_reload(blender, addon, result, tmp_path):
    built = addon.build(result)
    lens, shift = built.camera.data.lens, built.camera.data.shift_x
    pose = np.array(built.camera.matrix_world)
    before, pixels = counts(blender), image_pixels(blender, addon)
    blender.ops.wm.save_as_mainfile(filepath=str(tmp_path / "head.blend"))
    for path in [*result.rglob("*.png"), tmp_path / "portrait.png"]:
        path.unlink()  # the .blend must not need them
    blender.ops.wm.open_mainfile(filepath=str(tmp_path / "head.blend"))
    assert counts(blender) == before
    assert all(image.packed_file for image in blender.data.images)
    assert_same_pixels(pixels, image_pixels(blender, addon))
    camera = blender.context.scene.camera
    assert (camera.data.lens, camera.data.shift_x) == (lens, shift)
    blender.context.view_layer.update()
    np.testing.assert_allclose(np.array(camera.matrix_world), pose, atol=1e-6)
    head = find(blender, "head")
    assert head.data.shape_keys.key_blocks["jawOpen"].value == 0.5
    driven = find(blender, "tongue").data.shape_keys.key_blocks["jawOpen"]
    head.data.shape_keys.key_blocks["jawOpen"].value = 0.75
    blender.context.view_layer.update()
    assert driven.value == 0.75
    assert addon.heads.head_of(head).uvapm.camera == camera


def test_the_result_folder_is_stored_relative_to_a_saved_file(blender, addon, result, tmp_path):
    blender.ops.wm.save_as_mainfile(filepath=str(tmp_path / "head.blend"))
    assert addon.build(result).root.uvapm.result_folder == "//result"


def test_headless_build(blender, addon, result, tmp_path):
    import importlib

    headless = importlib.import_module("uvapm.uvapm_blender.headless")
    written = headless.build_head(result, tmp_path, ("blend", "fbx", "glb"))
    assert {path.name for path in written} == {"head.blend", "head.fbx", "head.glb"}
    assert all(path.stat().st_size > 1000 for path in written)
    blender.ops.wm.open_mainfile(filepath=str(tmp_path / "head.blend"))
    assert blender.context.scene.camera is not None
    with pytest.raises(Exception, match="Expected formats"):
        headless.build_head(result, tmp_path, ("stl",))
