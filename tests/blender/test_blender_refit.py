"""Several photos of one person, and fitting a head again with parts locked."""

import shutil
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.blender


@pytest.fixture
def photo(tmp_path, tiny):
    def make(name):
        path = tmp_path / f"{name}.png"
        tiny.write_png(path, tiny._gradient(120, 160))
        return path

    return make


@pytest.fixture
def jobs(addon, fake_engine, monkeypatch):
    """The jobs that were sent to the engine, which still gets them."""
    session, sent = addon.runtime.RUNTIME.session, []
    start = session.start

    def record(launch, job):
        sent.append(job)
        start(launch, job)

    monkeypatch.setattr(session, "start", record)
    return sent


def roots(bpy):
    return [item for item in bpy.data.objects if item.uvapm.role == "ROOT"]


def test_chosen_photos_go_to_the_engine_in_their_order(blender, jobs, photo):
    paths = [photo("ok"), photo("left"), photo("right")]
    files = [{"name": path.name} for path in paths]
    chosen = {"directory": str(paths[0].parent), "files": files}
    assert blender.ops.uvapm.reconstruct(**chosen) == {"FINISHED"}
    assert jobs[0].photos == tuple(map(str, paths))


def test_one_of_several_photos_is_gone(blender, jobs, photo):
    chosen = {
        "directory": str(photo("ok").parent),
        "files": [{"name": "ok.png"}, {"name": "b.png"}],
    }
    with pytest.raises(RuntimeError, match=r"not found: .*b\.png"):
        blender.ops.uvapm.reconstruct(**chosen)
    assert not jobs and not roots(blender)


@pytest.fixture
def another(tiny, result, monkeypatch):
    """The engine's next result is another one: other shape, expression, colours, camera, light."""

    def change(**mesh_changes):
        shutil.rmtree(result)
        mesh = tiny.tiny_mesh()
        mesh["neutral"] = mesh["neutral"] + np.array([0.0, 0.0, 0.01], np.float32)
        mesh |= mesh_changes
        gradient = tiny._gradient
        with monkeypatch.context() as patch:
            patch.setattr(tiny, "tiny_mesh", lambda: mesh)
            patch.setattr(tiny, "WEIGHTS", (0.125, 0.75, 0.0))
            patch.setattr(tiny, "_gradient", lambda h, w: 1.0 - gradient(h, w))
            camera, light = tiny.TinyCamera(yaw=0.1, distance=0.9), tiny.ambient_light() * 2.0
            tiny.write_tiny_result(result, result.parent / "portrait.png", camera, light)

    return change


@pytest.fixture
def head(blender, jobs, photo):
    """Root of a head that was reconstructed."""
    blender.ops.uvapm.reconstruct(filepath=str(photo("ok")))
    (root,) = roots(blender)
    root.uvapm.photo = str(photo("ok"))  # the fake engine's result names its own photo
    return root


def coordinates(part, key=0):
    points = np.empty(len(part.data.vertices) * 3, np.float32)
    keys = part.data.shape_keys
    (keys.key_blocks[key].points if keys else part.data.vertices).foreach_get("co", points)
    return points.reshape(-1, 3) + np.array(part.location, np.float32)


def values(root, addon):
    keys = addon.heads.parts_of(root)[0].data.shape_keys.key_blocks
    return [round(key.value, 4) for key in keys[1:]]


def blocks(bpy):
    kinds = ("objects", "meshes", "materials", "images", "cameras", "worlds", "collections")
    return {kind: sorted(each.name for each in getattr(bpy.data, kind)) for kind in kinds}


def test_a_refit_starts_from_the_head_with_its_locks(blender, jobs, head):
    head.uvapm.locks = {"identity", "eyes"}
    blender.ops.uvapm.set_pin(index=30, x=80.0, y=60.5)
    assert blender.ops.uvapm.refit() == {"FINISHED"}
    first, again = jobs
    assert again.start == first.output and again.photos == first.photos
    assert again.locks == ("eyes", "identity") and again.output != first.output
    assert [(pin.index, pin.x, pin.y) for pin in again.pins] == [(30, 80.0, 60.5)]
    assert head.uvapm.locks == {"identity", "eyes"} and len(head.uvapm.pins) == 1


def test_the_head_stays_and_takes_the_result_over(blender, addon, head, another):
    skin, eye = addon.heads.parts_of(head)[:2]
    skin.modifiers.new("My own", "SMOOTH")
    head.location = (1.0, 2.0, 3.0)
    head.uvapm.detail.strength, head.uvapm.detail.directions[0] = 0.5, 2.0
    before, names = [coordinates(skin), coordinates(skin, 1), coordinates(eye)], blocks(blender)
    camera, picture = (
        head.uvapm.camera.matrix_local.copy(),
        np.array(head.uvapm.detail.albedo.pixels),
    )
    another()
    assert blender.ops.uvapm.refit() == {"FINISHED"}
    assert roots(blender) == [head] and blocks(blender) == names
    assert "My own" in skin.modifiers and tuple(head.location) == (1.0, 2.0, 3.0)
    after = [coordinates(skin), coordinates(skin, 1), coordinates(eye)]
    moved = np.array([b - a for a, b in zip(before, after, strict=True)], dtype=object)
    for each in moved:  # 1 cm forwards, which is -y in Blender
        np.testing.assert_allclose(
            each.astype(float), np.tile([0, -0.01, 0], (len(each), 1)), atol=1e-6
        )
    assert values(head, addon) == [0.125, 0.75, 0.0]
    assert head.uvapm.camera.matrix_local != camera
    assert not np.array_equal(np.array(head.uvapm.detail.albedo.pixels), picture)
    assert head.uvapm.detail.strength == 0.5
    assert head.uvapm.detail.directions[0] == 0.0, "a new detail has its own directions"


def test_what_was_sculpted_stays_on_top(blender, addon, head, another):
    skin = addon.heads.parts_of(head)[0]
    for key in skin.data.shape_keys.key_blocks:
        key.points[3].co.z += 0.02
    before = coordinates(skin)
    another()
    blender.ops.uvapm.refit()
    shift = coordinates(skin) - before
    np.testing.assert_allclose(shift, np.tile([0, -0.01, 0], (len(shift), 1)), atol=1e-6)


def test_an_expression_of_another_model_is_taken_over(blender, tiny, addon, head, another):
    skin = addon.heads.parts_of(head)[0]
    before = coordinates(skin, 1) - coordinates(skin)
    skin.data.shape_keys.key_blocks[2].points[5].co.z += 0.5
    other = coordinates(skin, 2) - coordinates(skin)
    changed = tiny.tiny_mesh()["expression"]
    changed[0] *= 2
    another(expression=changed)
    blender.ops.uvapm.refit()
    after = coordinates(skin, 1) - coordinates(skin)
    np.testing.assert_allclose(after, 2 * before, atol=1e-5)
    np.testing.assert_allclose(coordinates(skin, 2) - coordinates(skin), other, atol=1e-6)


def test_sliders_that_were_moved_go_along(blender, addon, jobs, head):
    from engine.protocol.edits import read_edits

    head.uvapm.locks = {"expression"}
    addon.heads.parts_of(head)[0].data.shape_keys.key_blocks["jawOpen"].value = 0.25
    blender.ops.uvapm.refit()
    edits = read_edits(Path(jobs[1].edits))
    np.testing.assert_allclose(edits.expression, [0.25, 0.25, 0.0])
    assert edits.identity is None and edits.albedo is None


def test_sliders_that_the_photo_decides_again_are_named(blender, addon, jobs, head, capfd):
    addon.heads.parts_of(head)[0].data.shape_keys.key_blocks["jawOpen"].value = 0.25
    blender.ops.uvapm.refit()
    assert "as it was not locked: expression" in capfd.readouterr().out


def test_a_refit_is_one_undo_step(blender, addon, live, head, another):
    def state():
        (root,) = roots(blender)
        skin, nodes = addon.heads.parts_of(root)[0], root.uvapm.world.node_tree.nodes
        light = next(node.image for node in nodes if node.type == "TEX_ENVIRONMENT")
        pictures = [list(image.pixels) for image in (root.uvapm.detail.albedo, light)]
        return coordinates(skin).tolist(), values(root, addon), *pictures, root.uvapm.detail.stamp

    head.uvapm.detail.strength = 0.5
    blender.ops.ed.undo_push(message="before")
    before, names = state(), blocks(blender)
    another()
    blender.ops.uvapm.refit("EXEC_DEFAULT", True)
    after = state()
    assert all(a != b for a, b in zip(before, after, strict=True))
    blender.ops.ed.undo()
    assert state() == before and blocks(blender) == names
    blender.ops.ed.redo()
    assert state() == after and blocks(blender) == names


def test_a_linked_duplicate_stays_as_it_was(blender, addon, head, another):
    for item in (head, *head.children_recursive):
        item.select_set(True)
    blender.context.view_layer.objects.active = head
    blender.ops.object.duplicate(linked=True)
    twin = blender.context.view_layer.objects.active
    parts = addon.heads.parts_of(twin)
    before, picture = coordinates(parts[0]), list(twin.uvapm.detail.albedo.pixels)
    blender.context.view_layer.objects.active = head
    another()
    blender.ops.uvapm.refit()
    assert np.array_equal(coordinates(addon.heads.parts_of(twin)[0]), before)
    assert list(twin.uvapm.detail.albedo.pixels) == picture != list(head.uvapm.detail.albedo.pixels)


def test_remodelled_meshes_stay_and_the_result_is_a_head_of_its_own(blender, addon, head, another):
    skin = addon.heads.parts_of(head)[0]
    skin.data.attributes.remove(skin.data.attributes["uvapm_vertex"])
    before = coordinates(skin)
    another()
    assert blender.ops.uvapm.refit() == {"FINISHED"}
    assert len(roots(blender)) == 2 and np.array_equal(coordinates(skin), before)


def test_a_refit_says_what_is_missing(blender, addon, jobs, photo, result):
    assert not blender.ops.uvapm.refit.poll()
    blender.ops.uvapm.reconstruct(filepath=str(photo("ok")))
    (root,) = roots(blender)
    root.uvapm.photo = "/nowhere/photo.png"
    with pytest.raises(RuntimeError, match="photo was not found: /nowhere"):
        blender.ops.uvapm.refit()
    root.uvapm.result_folder = "/nowhere"
    with pytest.raises(RuntimeError, match="cannot be used"):
        blender.ops.uvapm.refit()
    assert len(jobs) == 1 and roots(blender) == [root]
