"""Environments by one click: what the scene shows, what stays, what is left behind."""

import importlib
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.blender


@pytest.fixture
def modules(addon):
    names = ("relight.environments", "relight.worlds", "relight.neutral", "scene.environment")
    return {name: importlib.import_module(f"uvapm.uvapm_blender.{name}") for name in names}


@pytest.fixture
def ids(modules):
    """Ids of the environments by label."""
    return {each.label: each.id for each in modules["relight.environments"].environments()}


def write_hdri(bpy, path, size=(8, 4)):
    image = bpy.data.images.new("scratch", *size, float_buffer=True)
    image.pixels.foreach_set(np.full(size[0] * size[1] * 4, 0.5, np.float32))
    image.filepath_raw, image.file_format = str(path), "OPEN_EXR"
    image.save()
    bpy.data.images.remove(image)
    return path


def light(bpy, id):
    return bpy.ops.uvapm.light(environment=id)


def test_every_environment_is_one_click(blender, addon, result, modules, ids):
    photo = addon.build(result).world
    scene = blender.context.scene
    assert {"Photo", "Neutral", "City", "Night", "Studio", "Sunset"} <= set(ids)
    for label, id in ids.items():
        assert light(blender, id) == {"FINISHED"}
        assert (scene.world == photo) == (label == "Photo")
        controls = modules["scene.environment"].controls_of(scene.world)
        assert controls.strength.default_value > 0 and controls.rotation is not None


def test_colours_suit_the_environment_unless_told_not_to(blender, addon, result, ids):
    addon.build(result)
    scene = blender.context.scene
    light(blender, ids["City"])
    view = scene.view_settings
    assert (view.view_transform, view.look) == ("AgX", "AgX - Medium High Contrast")
    light(blender, ids["Photo"])
    assert (view.view_transform, view.look) == ("Standard", "None")
    scene.uvapm.suit_view = False
    light(blender, ids["City"])
    assert view.view_transform == "Standard"


def test_worlds_are_made_once_and_keep_their_values(blender, addon, result, modules, ids):
    addon.build(result)
    light(blender, ids["City"])
    world = blender.context.scene.world
    controls = modules["scene.environment"].controls_of(world)
    controls.strength.default_value, controls.rotation.default_value[2] = 2.5, 1.0
    count = len(blender.data.worlds)
    light(blender, ids["Photo"])
    light(blender, ids["City"])
    assert blender.context.scene.world == world and len(blender.data.worlds) == count
    again = modules["scene.environment"].controls_of(world)
    assert again.strength.default_value == 2.5 and again.rotation.default_value[2] == 1.0


def test_purge_leaves_nothing(blender, addon, result, ids):
    before = len(blender.data.worlds), len(blender.data.images)
    addon.build(result)
    for id in ids.values():
        light(blender, id)
    blender.ops.uvapm.remove_head()
    blender.context.scene.world = None
    blender.ops.outliner.orphans_purge(do_recursive=True)
    assert (len(blender.data.worlds), len(blender.data.images)) == before


def test_two_heads_have_a_photo_light_each(blender, addon, result, ids):
    first, second = addon.build(result), addon.build(result)
    scene = blender.context.scene
    blender.context.view_layer.objects.active = first.head
    light(blender, ids["Photo"])
    assert scene.world == first.world
    blender.context.view_layer.objects.active = second.head
    light(blender, ids["Photo"])
    assert scene.world == second.world


def test_a_file_from_disk(blender, addon, result, modules, tmp_path):
    addon.build(result)
    path = write_hdri(blender, tmp_path / "my_room.exr")
    assert blender.ops.uvapm.light_file(filepath=str(path)) == {"FINISHED"}
    scene = blender.context.scene
    picture = modules["scene.environment"].picture_of(scene.world)
    assert scene.world.name == "UVAPM My room" and tuple(picture.image.size) == (8, 4)
    world = scene.world
    blender.ops.uvapm.light_file(filepath=str(path))
    assert scene.world == world


@pytest.mark.parametrize("kind", ["missing.exr", "broken.hdr", "picture.png"])
def test_a_bad_file_changes_nothing(blender, addon, result, tmp_path, kind):
    addon.build(result)
    path = tmp_path / kind
    if "missing" not in kind:
        path.write_bytes(b"no picture")
    scene = blender.context.scene
    before = scene.world, len(blender.data.worlds), len(blender.data.images)
    with pytest.raises(RuntimeError, match=r"not found|cannot read|\.hdr or \.exr"):
        blender.ops.uvapm.light_file(filepath=str(path))
    assert (scene.world, len(blender.data.worlds), len(blender.data.images)) == before


def test_saved_and_undone(blender, addon, result, modules, ids, tmp_path):
    addon.build(result)
    blender.ops.ed.undo_push(message="built")
    light(blender, ids["Studio"])
    blender.ops.ed.undo_push(message="lit")
    blender.ops.ed.undo()
    assert blender.context.scene.world.name == "portrait"
    blender.ops.ed.redo()
    assert blender.context.scene.world.name == "UVAPM Studio"
    controls = modules["scene.environment"].controls_of(blender.context.scene.world)
    controls.rotation.default_value[2] = 0.7
    blender.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
    blender.ops.wm.open_mainfile(filepath=str(tmp_path / "a.blend"))
    world = blender.context.scene.world
    picture = modules["scene.environment"].picture_of(world)
    assert picture.image.packed_file and tuple(picture.image.size) == (1024, 512)
    rotation = modules["scene.environment"].controls_of(world).rotation
    assert rotation.default_value[2] == pytest.approx(0.7)
    light(blender, ids["Studio"])
    assert blender.context.scene.world == world


def test_rotation_and_strength_are_animated(blender, addon, result, modules, ids):
    addon.build(result)
    light(blender, ids["Neutral"])
    tree = blender.context.scene.world.node_tree
    controls = modules["scene.environment"].controls_of(blender.context.scene.world)
    path = controls.rotation.path_from_id("default_value")
    for frame, angle in ((1, 0.0), (11, 1.0)):
        controls.rotation.default_value[2] = angle
        assert tree.keyframe_insert(path, index=2, frame=frame)
    blender.context.scene.frame_set(6)
    assert controls.rotation.default_value[2] == pytest.approx(0.5)


def test_an_older_photo_light_gets_its_rotation(blender, addon, result, modules, ids):
    world = addon.build(result).world
    nodes = world.node_tree.nodes
    for node in [node for node in nodes if node.type in ("MAPPING", "TEX_COORD")]:
        nodes.remove(node)
    light(blender, ids["Neutral"])
    light(blender, ids["Photo"])
    assert modules["scene.environment"].controls_of(world).rotation is not None


def test_neutral_studio_shows_the_albedo_in_front(modules):
    neutral = modules["relight.neutral"]
    light = neutral.neutral_studio(64)
    assert light.shape == (64, 128, 3) and light.min() > 0
    assert np.ptp(light, axis=-1).max() == 0
    directions = importlib.import_module("uvapm.engine.protocol.conventions")
    around = directions.equirectangular_directions(64)
    front = neutral.facing_shade(light[..., 0], around, (0.0, -1.0, 0.0))
    assert front == pytest.approx(1.0, abs=0.01)
    back = neutral.facing_shade(light[..., 0], around, (0.0, 1.0, 0.0))
    assert 0.3 < back < 0.95


def test_needs_a_head(blender, ids):
    with pytest.raises(RuntimeError, match="Select a head"):
        light(blender, next(iter(ids.values())))


def test_blenders_own_files_are_known_by_name(modules, ids):
    assert Path(ids["City"]).name == "city.exr"
    assert modules["relight.environments"].environment_of(ids["Night"]).strength > 1
