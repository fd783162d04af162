"""Landmark pins on a head: kept, undone, saved; and the way between photo and scene."""

import importlib

import numpy as np
import pytest

pytestmark = pytest.mark.blender


@pytest.fixture
def root(blender, addon, result):
    return addon.build(result).root


@pytest.fixture
def pins(addon):
    """The module pins.values."""
    return importlib.import_module("uvapm.uvapm_blender.pins.values")


def test_pins_are_set_moved_and_removed(blender, root, pins):
    blender.ops.uvapm.set_pin(index=30, x=80.0, y=60.5)
    blender.ops.uvapm.set_pin(index=8, x=70.0, y=100.0)
    blender.ops.uvapm.set_pin(index=30, x=81.0, y=60.5)
    assert [(pin.index, pin.x, pin.y) for pin in pins.pins_of(root)] == [
        (30, 81.0, 60.5),
        (8, 70.0, 100.0),
    ]
    blender.ops.uvapm.remove_pin(index=30)
    assert pins.pin_at(root, 30) is None and pins.pin_at(root, 8) is not None
    assert blender.ops.uvapm.remove_pin(index=30) == {"CANCELLED"}
    blender.ops.uvapm.remove_pin()
    assert not root.uvapm.pins and not blender.ops.uvapm.remove_pin.poll()


def test_a_pin_outside_the_photo_is_refused(blender, root):
    with pytest.raises(RuntimeError, match="lies outside the photo"):
        blender.ops.uvapm.set_pin(index=30, x=161.0, y=60.0)
    assert not root.uvapm.pins


def test_pins_are_undone_and_saved(blender, root, pins, tmp_path):
    name = root.name
    blender.ops.ed.undo_push(message="before")
    blender.ops.uvapm.set_pin("EXEC_DEFAULT", True, index=30, x=80.0, y=60.5)
    blender.ops.ed.undo()
    assert not blender.data.objects[name].uvapm.pins
    blender.ops.ed.redo()
    blender.ops.wm.save_as_mainfile(filepath=str(tmp_path / "pins.blend"))
    blender.ops.wm.open_mainfile(filepath=str(tmp_path / "pins.blend"))
    (pin,) = pins.pins_of(blender.data.objects[name])
    assert (pin.index, pin.x, pin.y) == (30, 80.0, 60.5)


def test_the_photos_camera_sees_as_the_fit_did(blender, addon, tiny, tmp_path):
    plane = importlib.import_module("uvapm.uvapm_blender.pins.photo_plane")
    odd = tiny.TinyCamera(focal=(400.0, 320.0))
    folder = tiny.write_tiny_result(tmp_path / "odd", tmp_path / "odd.png", odd)
    root = addon.build(folder).root
    root.location, root.rotation_euler, root.scale = (1.0, 2.0, 3.0), (0.1, 0.2, 0.3), (2.0,) * 3
    blender.context.view_layer.update()
    camera, info = plane.photo_camera(root), addon.read_result(folder).manifest.camera
    points = np.array([[0.0, 0.0, 0.0], [0.05, -0.02, 0.03], [-0.1, 0.1, -0.05]])
    seen = (points @ np.array(info.R).T + info.t) @ np.array(info.K).T
    expected = seen[:, :2] / seen[:, 2:]
    conventions = importlib.import_module("uvapm.engine.protocol.conventions")
    matrix = np.array(root.matrix_world)
    world = conventions.model_to_blender(points) @ matrix[:3, :3].T + matrix[:3, 3]
    np.testing.assert_allclose(camera.to_photo(world), expected, atol=1e-2)
    np.testing.assert_allclose(camera.to_photo(camera.to_world(expected, 3.0)), expected, atol=1e-3)


def test_points_follow_mesh_and_expression(blender, addon, root):
    points = importlib.import_module("uvapm.uvapm_blender.pins.points")
    skin = addon.heads.parts_of(root)[0]
    corners = np.tile(np.array([[0, 1, 2]]), (68, 1))
    embedding = points.Embedding(corners, np.full((68, 3), 1 / 3))
    keys = skin.data.shape_keys.key_blocks
    keys["jawOpen"].value = 0.0
    before = points.head_points(root, embedding)[0]
    keys["jawOpen"].value = 1.0
    after, _ = points.head_points(root, embedding)
    np.testing.assert_allclose(after - before, np.tile([0, 0, -0.01], (68, 1)), atol=1e-5)
    skin.data.attributes["uvapm_vertex"].data[0].value = 3  # as if the first were deleted
    assert np.isnan(points.head_points(root, embedding)[0]).all()


def test_without_the_head_pack_it_says_why(addon, root):
    draw = importlib.import_module("uvapm.uvapm_blender.pins.draw")
    errors = importlib.import_module("uvapm.engine.protocol.errors")
    with pytest.raises(errors.EngineError, match="head pack of this head is not here"):
        draw.photo_places(root)
