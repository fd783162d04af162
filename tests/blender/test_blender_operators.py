"""The operators without a window, against the fake engine."""

import importlib
import threading
import time

import pytest

pytestmark = pytest.mark.blender


@pytest.fixture
def photo(tmp_path, tiny):
    """Make a photo file whose name tells the fake engine what to do."""

    def make(play):
        path = tmp_path / f"{play}.png"
        tiny.write_png(path, tiny._gradient(120, 160))
        return str(path)

    return make


def heads(bpy):
    return [item for item in bpy.data.objects if item.uvapm.role == "ROOT"]


def test_reconstruct_builds_what_build_scene_builds(blender, addon, fake_engine, photo, result):
    assert blender.ops.uvapm.reconstruct(filepath=photo("ok")) == {"FINISHED"}
    (root,) = heads(blender)
    status = addon.runtime.RUNTIME.session.status
    assert status.state.value == "done" and status.warnings == ("The photo is small.",)
    by_operator = sorted(len(part.data.vertices) for part in addon.heads.parts_of(root))
    by_function = sorted(len(part.data.vertices) for part in addon.build(result).parts)
    assert by_operator == by_function


def test_reconstruct_is_one_undo_step(blender, addon, fake_engine, photo):
    blender.ops.ed.undo_push(message="before")
    blender.ops.uvapm.reconstruct("EXEC_DEFAULT", True, filepath=photo("ok"))
    assert heads(blender)
    blender.ops.ed.undo()
    assert not heads(blender) and not blender.data.images
    blender.ops.ed.redo()
    assert len(heads(blender)) == 1


def test_results_lie_beside_a_saved_file(blender, addon, fake_engine, photo, tmp_path):
    blender.context.preferences.addons["uvapm"].preferences.results_folder = ""
    blender.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
    for expected in ("ok", "ok-2"):
        blender.ops.uvapm.reconstruct(filepath=photo("ok"))
        assert (tmp_path / "uvapm" / expected / "result.json").is_file()
    assert {root.uvapm.result_folder for root in heads(blender)} == {"//uvapm/ok", "//uvapm/ok-2"}


def test_results_folder_of_the_preferences(blender, addon, fake_engine, photo, tmp_path):
    preferences = blender.context.preferences.addons["uvapm"].preferences
    preferences.results_folder = str(tmp_path / "mine")
    blender.ops.uvapm.reconstruct(filepath=photo("ok"))
    assert (tmp_path / "mine" / "ok" / "result.json").is_file()


@pytest.mark.parametrize(
    ("play", "words"),
    [("error", "No face was found. Choose another photo."), ("crash", "gave no answer")],
)
def test_an_engine_error_is_reported_and_the_scene_untouched(
    blender, addon, fake_engine, photo, play, words
):
    before = set(blender.data.objects)
    with pytest.raises(RuntimeError, match=words):
        blender.ops.uvapm.reconstruct(filepath=photo(play))
    runtime = addon.runtime.RUNTIME
    assert set(blender.data.objects) == before and words in str(runtime.error)
    assert ("Segmentation fault" in runtime.log) == (play == "crash")
    assert blender.ops.uvapm.reconstruct(filepath=photo("ok")) == {"FINISHED"}
    assert runtime.error is None


def test_cancel_leaves_the_scene_untouched(blender, addon, fake_engine, photo):
    session = addon.runtime.RUNTIME.session

    def cancel_soon():
        while not (session.busy and session.status.stage):
            time.sleep(0.02)
        session.cancel()

    thread = threading.Thread(target=cancel_soon)
    thread.start()
    assert blender.ops.uvapm.reconstruct(filepath=photo("slow")) == {"CANCELLED"}
    thread.join()
    assert session.status.state.value == "cancelled" and not blender.data.objects
    assert addon.runtime.RUNTIME.error is None


def test_a_missing_engine_is_told_plainly(blender, addon, photo, tmp_path):
    preferences = blender.context.preferences.addons["uvapm"].preferences
    preferences.engine_python = str(tmp_path / "no" / "python")
    with pytest.raises(RuntimeError, match=r"was not found.*Choose an existing Python"):
        blender.ops.uvapm.reconstruct(filepath=photo("ok"))
    error = addon.runtime.RUNTIME.error
    assert error.code.value == "engine_missing" and not blender.data.objects
    assert not addon.runtime.RUNTIME.session.busy


@pytest.mark.parametrize(
    ("name", "words"),
    [("", "No photo was chosen"), ("gone.png", "not found"), ("text.txt", "not a photo")],
)
def test_a_photo_that_is_none(blender, addon, fake_engine, tmp_path, name, words):
    (tmp_path / "text.txt").write_text("no photo")
    path = str(tmp_path / name) if name else ""
    with pytest.raises(RuntimeError, match=words):
        blender.ops.uvapm.reconstruct(filepath=path)


def test_a_broken_result_is_told_plainly(blender, addon, result):
    (result / "maps" / "albedo.png").write_bytes(b"changed")
    with pytest.raises(RuntimeError, match=r"albedo\.png was changed"):
        blender.ops.uvapm.import_result(directory=str(result))
    assert not blender.data.objects and addon.runtime.RUNTIME.error is not None
    with pytest.raises(RuntimeError, match="is not a folder"):
        blender.ops.uvapm.import_result(directory=str(result / "nothing"))


def test_buttons_say_why_they_are_grey(blender, addon, result):
    for operator in ("export_head", "show_photo", "remove_head", "cancel"):
        assert not getattr(blender.ops.uvapm, operator).poll()
    addon.build(result)
    assert blender.ops.uvapm.export_head.poll() and blender.ops.uvapm.remove_head.poll()
    with pytest.raises(RuntimeError, match="No reconstruction is running"):
        blender.ops.uvapm.cancel()


def test_match_photo_goes_back_to_a_head(blender, addon, tiny, result, tmp_path):
    first = addon.build(result)
    camera = tiny.TinyCamera(width=90, height=200)
    second = addon.build(tiny.write_tiny_result(tmp_path / "b", tmp_path / "b.png", camera))
    scene = blender.context.scene
    assert scene.camera == second.camera and scene.render.resolution_y == 200
    blender.context.view_layer.objects.active = first.parts[2]
    assert blender.ops.uvapm.show_photo() == {"FINISHED"}
    assert scene.camera == first.camera and scene.world == first.world
    assert (scene.render.resolution_x, scene.render.resolution_y) == (160, 120)


def test_register_and_unregister_twice(blender, addon, fake_engine, photo):
    import bpy

    blender.ops.uvapm.reconstruct(filepath=photo("ok"))
    session = addon.runtime.RUNTIME.session
    assert session.warm
    module = importlib.import_module("uvapm.uvapm_blender")
    for _ in range(2):
        module.unregister()
        assert not session.warm, "the engine must leave with the add-on"
        assert not hasattr(bpy.types.Object, "uvapm")
        assert not [name for name in dir(bpy.types) if name.startswith("UVAPM")]
        assert not bpy.app.timers.is_registered(addon.runtime.idle_tick)
        module.register()
    assert blender.ops.uvapm.reconstruct(filepath=photo("ok")) == {"FINISHED"}


def test_an_idle_engine_is_closed(blender, addon, fake_engine, photo, monkeypatch):
    blender.ops.uvapm.reconstruct(filepath=photo("ok"))
    session = addon.runtime.RUNTIME.session
    assert addon.runtime.idle_tick() > 0 and session.warm
    later = time.monotonic() + 3600
    monkeypatch.setattr(session, "_clock", lambda: later)
    addon.runtime.idle_tick()
    assert not session.warm


def test_every_class_has_its_id_from_declarations(blender, addon):
    declared = importlib.import_module("uvapm.uvapm_blender.declarations")
    registration = importlib.import_module("uvapm.uvapm_blender.registration")
    ids = {str(c.bl_idname) for c in registration.CLASSES if hasattr(c, "bl_idname")}
    assert ids == {*declared.Operators, *declared.Panels, declared.BASE_PACKAGE}
