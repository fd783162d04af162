"""Lids that close, eyes that look."""

import functools
import importlib

import numpy as np
import pytest

pytestmark = pytest.mark.blender

COLUMNS = 24


def module(name):
    return importlib.import_module(f"uvapm.uvapm_blender.{name}")


@functools.cache
def head_mesh(path):
    """Mean head of a pack as a result's mesh, and its names."""
    pack = importlib.import_module("uvapm.engine.protocol.headpack").read_pack(path).head
    names = (pack.expression_names, pack.part_names)
    kind = importlib.import_module("uvapm.engine.protocol.result").ResultMesh
    arrays = (pack.mean, pack.expression, pack.quads, pack.corner_uv, pack.face_part)
    return kind(*arrays), *names


def keys_of(part):
    return part.data.shape_keys.key_blocks


def by_label(built):
    return {part.name.partition(" ")[2]: part for part in built.parts}


@pytest.fixture
def head(addon, tiny, tmp_path, monkeypatch):
    """A tiny head whose keys of looking, and of widening, are there too."""
    monkeypatch.setattr(
        tiny, "EXPRESSIONS", (*tiny.EXPRESSIONS, "eyeWideLeft", "eyeLookUpLeft", "eyeLookDownLeft")
    )
    monkeypatch.setattr(tiny, "WEIGHTS", (*tiny.WEIGHTS, 0.0, 0.0, 0.0))
    moves = {
        "eyeWideLeft": {"skin": 0.002, "lashes_left": 0.002},
        "eyeLookUpLeft": {"skin": 0.001, "eye_left": 0.002, "lashes_left": 0.001},
        "eyeLookDownLeft": {"skin": -0.001, "eye_left": -0.002, "lashes_left": -0.001},
    }
    monkeypatch.setattr(tiny, "MOVES", {**tiny.MOVES, **moves})
    return addon.build(tiny.write_tiny_result(tmp_path / "r", tmp_path / "p.png"))


def turn_of(bpy, root, eye):
    """Degrees about x and z that an eye has against its head."""
    bpy.context.view_layer.update()
    there = eye.evaluated_get(bpy.context.evaluated_depsgraph_get())
    euler = (root.matrix_world.inverted() @ there.matrix_world).to_euler()
    return np.degrees([euler.x, euler.z])


# --- lids -----------------------------------------------------------------------------------


def opening(vertices, lids):
    """(COLUMNS,) metres between the edges of the lids, away from the corners."""
    upper, lower = vertices[lids.upper], vertices[lids.lower]
    inner = np.linspace(lower[:, 0].min(), lower[:, 0].max(), COLUMNS + 4)[2:-2]
    heights = [
        np.interp(inner, edge[edge[:, 0].argsort(), 0], edge[edge[:, 0].argsort(), 1])
        for edge in (upper, lower)
    ]
    return heights[0] - heights[1]


@pytest.fixture
def closing(addon, default_pack):
    """Mean head of the default pack, its blinks corrected, and the lids of the left eye."""
    mesh, names, parts = head_mesh(default_pack)
    lids, margins = module("rig.lids"), module("rig.margins")
    skin, ball = (mesh.face_part == parts.index(name) for name in ("skin", "eye_left"))
    found = margins.find_lids(
        mesh.neutral, mesh.quads[skin], mesh.corner_uv[skin], np.unique(mesh.quads[ball])
    )
    return mesh, lids.with_closing_blinks(mesh, parts, names), found, names, parts


def test_a_blink_closes_the_lids_and_goes_no_further(closing):
    before, after, lids, names, _ = closing
    row = names.index("eyeBlinkLeft")
    at_rest = opening(before.neutral, lids)
    assert at_rest.min() > 0.002
    as_packed = opening(before.neutral + before.expression[row].astype(np.float32), lids)
    assert as_packed.min() < -0.003, "the pack's own blink goes millimetres too far"
    closed = opening(after.neutral + after.expression[row], lids)
    assert closed.max() < -0.0001 and closed.min() > -0.002
    half = opening(after.neutral + 0.5 * after.expression[row], lids)
    np.testing.assert_allclose(half, 0.5 * (at_rest + closed), atol=0.001)


@pytest.mark.parametrize("weight", [0.25, 0.5, 0.75, 1.0])
def test_the_lids_edge_stays_out_of_the_eyeball(closing, weight):
    _, after, lids, names, _ = closing
    posed = after.neutral + weight * after.expression[names.index("eyeBlinkLeft")]
    away = np.linalg.norm(posed[lids.upper] - lids.centre, axis=1) - lids.radius
    assert away.min() > -0.0004


def test_lashes_stay_on_their_lids(closing):
    before, after, lids, names, parts = closing
    row = names.index("eyeBlinkLeft")
    lashes = np.unique(after.quads[after.face_part == parts.index("lashes_left")])
    edge = np.concatenate([lids.upper, lids.lower])

    def apart(vertices):
        return np.linalg.norm(vertices[lashes][:, None] - vertices[edge], axis=-1).min(1)

    roots = np.sort(apart(before.neutral))[: len(lashes) // 4]
    closed = np.sort(apart(after.neutral + after.expression[row]))[: len(lashes) // 4]
    assert closed.max() < roots.max() + 0.001


def test_other_shapes_and_heads_without_lids_are_left_alone(closing, addon, tiny, result):
    before, after, _, names, _ = closing
    others = [i for i, name in enumerate(names) if not name.startswith("eyeBlink")]
    np.testing.assert_array_equal(before.expression[others], after.expression[others])
    plain = addon.read_result(result).mesh
    same = module("rig.lids").with_closing_blinks(plain, tiny.PARTS, tiny.EXPRESSIONS)
    np.testing.assert_array_equal(same.expression, plain.expression)


def test_a_blink_takes_back_what_opens_the_lids(blender, head):
    keys = keys_of(head.head)
    for blink, wide in ((0.0, 1.0), (0.5, 1.0), (1.0, 0.6)):
        keys["eyeBlinkLeft"].value, keys["eyeWideLeft"].value = blink, wide
        blender.context.view_layer.update()
        for part in (head.head, by_label(head)["lashes"]):
            assert keys_of(part)["fix eyeWideLeft"].value == pytest.approx(-blink * wide)


def test_the_drivers_run_where_scripts_may_not(head):
    drivers = [
        curve.driver
        for part in head.parts
        if part.data.shape_keys and part.data.shape_keys.animation_data
        for curve in part.data.shape_keys.animation_data.drivers
    ]
    assert drivers and all(
        driver.type == "AVERAGE" or driver.is_simple_expression for driver in drivers
    )


# --- looking --------------------------------------------------------------------------------


def test_eyes_look_at_the_target_within_limits(blender, head):
    assert blender.ops.uvapm.add_look_target() == {"FINISHED"}
    target, eye = blender.context.active_object, by_label(head)["eye L"]
    assert target.parent == head.root and head.root in target.users_collection[0].objects[:]
    target.location = eye.location
    target.location.y -= 0.5
    assert turn_of(blender, head.root, eye) == pytest.approx([0, 0], abs=0.1)
    target.location.x += 0.5 * np.tan(np.radians(20))
    assert turn_of(blender, head.root, eye) == pytest.approx([0, 20], abs=0.1)
    target.location.x = eye.location.x
    target.location.z += 0.5 * np.tan(np.radians(10))
    assert turn_of(blender, head.root, eye) == pytest.approx([-10, 0], abs=0.1)
    target.location = eye.location
    target.location.x += 1.0
    assert turn_of(blender, head.root, eye)[1] == pytest.approx(40, abs=0.1)
    eye.constraints[module("rig.look").LOOK].influence = 0.0
    assert turn_of(blender, head.root, eye) == pytest.approx([0, 0], abs=0.1)


def test_lids_follow_the_eyes_and_sliders_give_way(blender, head):
    keys, eye = keys_of(head.head), by_label(head)["eye L"]
    keys["eyeLookDownLeft"].value = 0.8
    blender.ops.uvapm.add_look_target()
    target = blender.context.active_object
    target.location = eye.location
    target.location.y -= 0.5
    target.location.z += 0.5 * np.tan(np.radians(5))
    keys["eyeBlinkLeft"].value = 0.0
    blender.context.view_layer.update()
    assert keys["fix eyeLookUpLeft"].value == pytest.approx(np.radians(5) / 0.173, abs=0.01)
    assert keys["fix eyeLookDownLeft"].value == pytest.approx(-0.8, abs=0.01)
    assert keys_of(eye)["eyeLookDownLeft"].value == pytest.approx(0.0, abs=1e-6)
    keys["eyeBlinkLeft"].value = 1.0
    blender.context.view_layer.update()
    assert keys["fix eyeLookUpLeft"].value == pytest.approx(0.0, abs=1e-6)
    assert blender.ops.uvapm.remove_look_target() == {"FINISHED"}
    keys["eyeBlinkLeft"].value = 0.0
    blender.context.view_layer.update()
    assert keys_of(eye)["eyeLookDownLeft"].value == pytest.approx(0.8)
    assert not eye.constraints and keys["fix eyeLookUpLeft"].value == 0.0
    assert not blender.ops.uvapm.remove_look_target.poll()


def test_the_target_comes_and_goes_with_undo_saving_and_the_head(blender, head, tmp_path):
    name = head.root.name
    blender.ops.ed.undo_push(message="before")
    blender.ops.uvapm.add_look_target()
    blender.ops.ed.undo_push(message="target")
    blender.ops.ed.undo()
    root = blender.data.objects[name]
    assert module("rig.look").target_of(root) is None
    assert not module("rig.look").look_constraints(root)
    blender.ops.ed.redo()
    path = str(tmp_path / "head.blend")
    blender.ops.wm.save_as_mainfile(filepath=path)
    blender.ops.wm.open_mainfile(filepath=path)
    root = blender.data.objects[name]
    look = module("rig.look")
    assert look.target_of(root).parent == root
    assert set(look.look_constraints(root)) == {"Left", "Right"}
    blender.context.view_layer.objects.active = look.target_of(root)
    assert blender.ops.uvapm.remove_head() == {"FINISHED"}
    assert not blender.data.objects[:]


def test_a_new_target_stands_where_the_eyes_look(blender, head, addon):
    keys = keys_of(head.head)
    keys["eyeLookInLeft"].value = 1.0
    blender.ops.uvapm.add_look_target()
    target = blender.context.active_object
    assert target.location.x < 0.0, "the left eye looks inwards: to the subject's right"


def test_a_linked_duplicate_looks_at_its_own_target(blender, head):
    blender.ops.uvapm.add_look_target()
    for item in (head.root, *head.root.children_recursive):
        item.select_set(True)
    before = set(blender.data.objects)
    blender.ops.object.duplicate(linked=True)
    copies = set(blender.data.objects) - before
    root = next(item for item in copies if item.uvapm.role == "ROOT")
    module("scene.own").own_meshes(root)
    look = module("rig.look")
    assert look.target_of(root) in copies
    assert {each.target for each in look.look_constraints(root).values()} == {look.target_of(root)}
    for part in (item for item in copies if item.type == "MESH" and item.data.shape_keys):
        curves = part.data.shape_keys.animation_data.drivers
        targets = [t for c in curves for v in c.driver.variables for t in v.targets]
        others = [t.id for t in targets if t.id_type == "OBJECT" and t.id not in copies]
        assert not others and all(t.id.user in {c.data for c in copies} for t in targets
                                  if t.id_type == "KEY")  # fmt: skip


def test_blinks_close_again_after_the_shape_changed(closing):
    """As `reclose.close_lids` does it: a corrected blink over lids that open further, again and
    again, neither gaps nor drifts."""
    _, after, lids, names, _ = closing
    blink = after.expression[names.index("eyeBlinkLeft")]
    wider = after.neutral.copy()
    wider[:, 1] = lids.centre[1] + 1.3 * (wider[:, 1] - lids.centre[1])
    assert opening(wider + blink, lids).max() > 0.0005
    for _ in range(4):
        blink = module("rig.lids").closing(wider, blink, lids, lower_share=1.0)
    closed = opening(wider + blink, lids)
    assert closed.max() < -0.0001 and closed.min() > -0.002


def test_fit_blinks_says_when_there_are_no_lids(blender, head):
    before = [tuple(point.co) for point in keys_of(head.head)["eyeBlinkLeft"].points]
    assert blender.ops.uvapm.close_lids() == {"CANCELLED"}, "a ball has no lids"
    assert before == [tuple(point.co) for point in keys_of(head.head)["eyeBlinkLeft"].points]
