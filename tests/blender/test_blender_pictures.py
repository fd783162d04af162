"""Turntable and contact sheet: what is written, and that the user's file stays as it was."""

import importlib

import numpy as np
import pytest

pytestmark = pytest.mark.blender

KINDS = ("scenes", "objects", "cameras", "worlds", "images", "meshes", "collections")


def load(name):
    return importlib.import_module(f"uvapm.uvapm_blender.{name}")


@pytest.fixture
def studio(blender, addon, result, tmp_path):
    """A head, ready for small quick pictures; returns the folder that they go to."""
    addon.build(result)
    scene = blender.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.use_denoising = False
    wish = scene.uvapm
    wish.size, wish.samples, wish.frames, wish.seconds = 32, 1, 3, 0.25
    wish.folder = str(tmp_path / "pictures")
    return tmp_path / "pictures"


def state(bpy):
    """What pictures must not change."""
    scene = bpy.context.scene
    render = scene.render
    blocks = {kind: list(getattr(bpy.data, kind)) for kind in KINDS}
    blocks["images"] = [each for each in blocks["images"] if each.type != "RENDER_RESULT"]
    return (
        {kind: len(each) for kind, each in blocks.items()},
        (render.resolution_x, render.resolution_y, render.filepath, render.use_stamp),
        (render.image_settings.file_format, scene.world, scene.camera, scene.frame_current),
        (scene.view_settings.view_transform, scene.cycles.samples),
        bpy.context.preferences.view.render_display_type,
        [tuple(map(tuple, item.matrix_world)) for item in scene.objects],
    )


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_frames(blender, addon, studio):
    before = state(blender)
    blender.context.scene.uvapm.output = "FRAMES"
    assert blender.ops.uvapm.turntable() == {"FINISHED"}
    assert names(studio) == ["portrait_turntable"]
    folder = studio / "portrait_turntable"
    assert names(folder) == ["0001.png", "0002.png", "0003.png"]
    front, side, _ = (addon.images.read_file(path) for path in sorted(folder.iterdir()))
    assert front.shape == (32, 32, 4)
    assert 0.1 < (front[..., 3] > 0.5).mean() < 0.9 and not front[0, :, 3].any()
    assert np.abs(front - side).max() > 0.05
    assert state(blender) == before


def test_video(blender, studio):
    before = state(blender)
    assert blender.ops.uvapm.turntable() == {"FINISHED"}
    assert blender.ops.uvapm.turntable() == {"FINISHED"}
    assert names(studio) == ["portrait_turntable-2.mp4", "portrait_turntable.mp4"]
    assert state(blender) == before
    film = blender.data.images.load(str(studio / "portrait_turntable.mp4"))
    assert film.source == "MOVIE" and film.frame_duration == 3 and tuple(film.size) == (32, 32)


def test_contact_sheet(blender, addon, studio, monkeypatch):
    few = load("relight.environments").environments()[:3]  # all take long
    monkeypatch.setattr(load("relight.run"), "environments", lambda: few)
    before = state(blender)
    assert blender.ops.uvapm.contact_sheet() == {"FINISHED"}
    assert names(studio) == ["portrait_lights.png"]
    sheet = addon.images.read_file(studio / "portrait_lights.png")
    assert sheet.shape[:2] == (32, 96)
    cells = [sheet[:, 32 * column : 32 * column + 32] for column in range(3)]
    assert all(np.abs(cells[0] - cell).max() > 0.05 for cell in cells[1:])
    assert state(blender) == before


def test_a_world_chosen_meanwhile_stays(blender, studio):
    room = load("relight.run").DARKROOM
    scene, root = blender.context.scene, blender.context.active_object.parent
    room.open_sheet(scene, root, studio / "lights.png")
    for _ in range(3):
        assert room.advance("EXEC_DEFAULT")
    blender.context.view_layer.objects.active = root
    city = next(e.id for e in load("relight.environments").environments() if e.label == "City")
    blender.ops.uvapm.light(environment=city)
    room.close()
    assert scene.world.name == "UVAPM City" and len(blender.data.worlds) == 2
    assert load("scene.environment").picture_of(scene.world).image.size[0] == 1024
    assert "uvapm_studio" not in scene.world


@pytest.mark.parametrize("how", ["stopped", "head removed", "scene removed"])
def test_a_run_that_ends_early_leaves_nothing(blender, studio, how):
    room, error = load("relight.run").DARKROOM, load("relight.run").EngineError
    before = state(blender)[0]
    scene, root = blender.context.scene, blender.context.active_object.parent
    room.open_turntable(scene, root, studio / "film.mp4")
    assert room.advance("EXEC_DEFAULT")
    assert len(names(studio)) == 1  # the work folder
    if how == "stopped":
        assert blender.ops.uvapm.stop_pictures() == {"FINISHED"}
        assert not room.advance("EXEC_DEFAULT") and room.finish() is None
        assert state(blender)[0] == before
    else:
        if how == "head removed":
            blender.ops.uvapm.remove_head()
        else:
            blender.data.scenes.remove(blender.data.scenes["UVAPM Studio"])
        with pytest.raises(error, match="went away"):
            room.advance("EXEC_DEFAULT")
        room.close()
    assert names(studio) == [] and room.run is None
    assert len(blender.data.scenes) == 1 and len(blender.data.cameras) <= before["cameras"]


def test_a_folder_that_cannot_be_written(blender, studio):
    before = state(blender)
    studio.write_bytes(b"a file")
    with pytest.raises(RuntimeError, match="Cannot write"):
        blender.ops.uvapm.turntable()
    assert state(blender) == before
    assert blender.ops.uvapm.turntable.poll() and not blender.ops.uvapm.stop_pictures.poll()


def test_disabling_ends_a_run(blender, studio):
    room = load("relight.run").DARKROOM
    room.open_turntable(
        blender.context.scene, blender.context.active_object.parent, studio / "film.mp4"
    )
    with pytest.raises(RuntimeError, match="being taken"):
        blender.ops.uvapm.turntable()
    load("operators.pictures").remove()
    assert names(studio) == [] and len(blender.data.scenes) == 1


def test_a_file_saved_meanwhile_opens_without_the_studio(blender, studio, tmp_path):
    room = load("relight.run").DARKROOM
    scene, root = blender.context.scene, blender.context.active_object.parent
    room.open_sheet(scene, root, studio / "lights.png")
    room.advance("EXEC_DEFAULT")
    blender.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
    assert len(blender.data.scenes) == 2
    blender.ops.wm.open_mainfile(filepath=str(tmp_path / "a.blend"))
    assert len(blender.data.scenes) == len(blender.data.worlds) == len(blender.data.cameras) == 1
    assert room.run is None and names(studio) == []


def test_a_head_that_turns_is_light_and_camera_that_turn_back():
    shots = load("relight.shots")
    head, camera = (shots.turntable_shots(4, turns) for turns in ("HEAD", "CAMERA"))
    assert [shot.camera for shot in camera] == pytest.approx([0, 1.5708, 3.1416, 4.7124], abs=1e-3)
    assert all(shot.light == 0 for shot in camera)
    assert all(
        shot.light == shot.camera == -other.camera for shot, other in zip(head, camera, strict=True)
    )


@pytest.mark.parametrize(("count", "columns"), [(1, 1), (2, 2), (3, 3), (9, 3), (10, 5), (11, 4)])
def test_columns_of_a_sheet(count, columns):
    assert load("relight.shots").sheet_columns(count) == columns


def test_sheet_lays_pictures_over_grey():
    shots = load("relight.shots")
    opaque, clear = np.ones((2, 3, 4), np.float32), np.zeros((2, 3, 4), np.float32)
    sheet = shots.contact_sheet([opaque, clear, opaque], 2)
    assert sheet.shape == (4, 6, 3)
    assert (sheet[:2, :3] == 1).all() and (sheet[2:, :3] == 1).all()
    assert sheet[:, 3:] == pytest.approx(shots.BACKGROUND)
