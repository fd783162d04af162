"""Identity sliders: meshes, keys and eyes follow; undo, files, duplicates, locks."""

import importlib
import shutil

import numpy as np
import pytest

from tests.blender.shaped_head import (
    CLOSE,
    COMPONENTS,
    assert_shape,
    parts_of,
    points_of,
    root_of,
    tiny_basis,
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


def test_a_slider_moves_every_mesh_and_every_key(blender, addon, tiny, result, basis):
    root = addon.build(result).root
    components = root.uvapm.shape.components
    assert [item.name for item in components][:2] == ["Component 1", "Component 2"]
    assert_shape(tiny, basis, root, [0, 0, 0, 0])
    components[0].value = 1.5
    assert_shape(tiny, basis, root, [1.5, 0, 0, 0])
    components[2].value, components[0].value = -2.0, 0.5
    assert_shape(tiny, basis, root, [0.5, 0, -2, 0])


def test_eyes_turn_about_their_moved_centres(blender, addon, result, basis):
    root = addon.build(result).root
    eyes = [part for part in parts_of(root) if part.uvapm.kind == "eye"]
    before = [(points_of(eye).mean(0), np.array(eye.location)) for eye in eyes]
    root.uvapm.shape.components[1].value = 3.0
    for eye, (centre, origin) in zip(eyes, before, strict=True):
        moved = points_of(eye).mean(0) - centre
        assert np.abs(moved).max() > 1e-5
        np.testing.assert_allclose(np.array(eye.location) - origin, moved, atol=CLOSE)


def test_what_an_artist_sculpted_stays(blender, addon, result):
    root = addon.build(result).root
    key = parts_of(root)[0].data.shape_keys.key_blocks["jawOpen"]
    key.points[7].co.x += 0.25
    start = points_of(parts_of(root)[0], "jawOpen")
    components = root.uvapm.shape.components
    random = np.random.default_rng(0)
    for value in random.normal(size=300):
        components[int(random.integers(COMPONENTS))].value = value
    blender.ops.uvapm.reset_shape(kind="SHAPE", to="FITTED")
    np.testing.assert_allclose(points_of(parts_of(root)[0], "jawOpen"), start, atol=CLOSE)


def test_undo_and_redo_keep_sliders_and_meshes_together(blender, addon, tiny, result, basis):
    blender.ops.uvapm.import_result("EXEC_DEFAULT", True, directory=str(result))
    blender.ops.ed.undo_push(message="start")
    for value in (1.0, 2.0, 3.0):
        root_of(blender).uvapm.shape.components[1].value = value
        blender.ops.ed.undo_push(message="slider")
    for value in (2.0, 1.0, 0.0):
        blender.ops.ed.undo()
        assert root_of(blender).uvapm.shape.components[1].value == value
        assert_shape(tiny, basis, root_of(blender), [0, value, 0, 0])
    root_of(blender).uvapm.shape.components[0].value = 1.0
    assert_shape(tiny, basis, root_of(blender), [1, 0, 0, 0])


def test_a_saved_file_goes_on_where_it_was(blender, addon, tiny, result, basis, tmp_path):
    root = addon.build(result).root
    root.uvapm.shape.components[3].value = 1.0
    blender.ops.wm.save_as_mainfile(filepath=str(tmp_path / "head.blend"))
    blender.ops.wm.open_mainfile(filepath=str(tmp_path / "head.blend"))
    root = root_of(blender)
    assert_shape(tiny, basis, root, [0, 0, 0, 1])
    root.uvapm.shape.components[3].value = -1.0
    assert_shape(tiny, basis, root, [0, 0, 0, -1])


@pytest.mark.parametrize("linked", [True, False])
def test_duplicates_are_independent(blender, addon, tiny, result, basis, linked):
    built = addon.build(result)
    root = built.root
    root.uvapm.shape.components[0].value = 1.0
    for item in (root, *root.children_recursive):
        item.select_set(True)
    blender.ops.object.duplicate(linked=linked)
    blender.context.view_layer.update()
    twin = next(o for o in blender.data.objects if o.uvapm.role == "ROOT" and o.name != root.name)
    twin.uvapm.shape.components[0].value = -1.0
    root.uvapm.shape.components[1].value = 2.0
    assert_shape(tiny, basis, twin, [-1, 0, 0, 0])
    assert_shape(tiny, basis, root, [1, 2, 0, 0])

    def jaw(head, kind):
        part = next(part for part in parts_of(head) if part.uvapm.kind == kind)
        return part.data.shape_keys.key_blocks["jawOpen"]

    before = jaw(root, "teeth").value
    jaw(twin, "skin").value = 0.875
    blender.context.view_layer.update()
    assert jaw(twin, "teeth").value == pytest.approx(0.875)
    assert jaw(root, "skin").value == pytest.approx(before)
    assert jaw(root, "teeth").value == pytest.approx(before)


def test_edit_mode_is_waited_for(blender, addon, tiny, result, basis):
    built = addon.build(result)
    root = built.root
    blender.ops.object.mode_set(mode="EDIT")
    assert not blender.ops.uvapm.randomise_shape.poll()
    root.uvapm.shape.components[0].value = 1.0
    blender.ops.object.mode_set(mode="OBJECT")
    blender.context.view_layer.update()
    assert_shape(tiny, basis, root, [1, 0, 0, 0])


def test_random_heads_obey_seed_amount_and_locks(blender, addon, tiny, result, basis):
    root = addon.build(result).root
    components = root.uvapm.shape.components
    components[1].value = 2.0
    components[1].locked = True

    def values():
        return np.array([item.value for item in components])

    start = values()
    blender.ops.uvapm.randomise_shape(seed=3, amount=0.0)
    assert np.array_equal(values(), start)
    blender.ops.uvapm.randomise_shape(seed=3, amount=1.0)
    first = values()
    assert first[1] == 2.0 and np.all(first[[0, 2, 3]] != 0)
    blender.ops.uvapm.randomise_shape(seed=3, amount=1.0)
    assert np.array_equal(values(), first)
    assert_shape(tiny, basis, root, first)
    blender.ops.uvapm.reset_shape(to="AVERAGE")
    assert values().tolist() == [0, 2, 0, 0]
    blender.ops.uvapm.lock_shape(action="INVERT")
    blender.ops.uvapm.reset_shape(to="FITTED")
    assert values().tolist() == [0, 0, 0, 0]


def test_an_old_head_gets_its_sliders_from_its_result(blender, addon, tiny, result, basis):
    describe = importlib.import_module("uvapm.uvapm_blender.shape.describe")
    root = addon.build(result).root
    root.uvapm.shape.components.clear()
    root.uvapm.shape.expressions.clear()
    for part in parts_of(root):
        part.uvapm.kind = ""
    assert describe.describe_from_folder(root)
    assert [part.uvapm.kind for part in parts_of(root)][:3] == ["skin", "eye", "eye"]
    root.uvapm.shape.components[0].value = 1.0
    assert_shape(tiny, basis, root, [1, 0, 0, 0])
    shutil.rmtree(result)
    assert not describe.describe_from_folder(root)


MEASURES = {  # 68 landmarks: from, to, axis; a length or a distance in metres
    "width": (0, 16, 0),
    "jaw width": (4, 12, 0),
    "nose": (31, 30, 2),
    "lips": (57, 51, 1),
    "mouth": (39, 62, 2),
    "face length": (8, 27, 1),
}


@pytest.mark.parametrize(
    ("component", "grows", "shrinks"),
    [
        ("Size", ["face length"], []),
        ("Face Forward", ["mouth"], []),
        ("Width", ["width", "jaw width"], []),
        ("Sharp Nose", ["nose"], []),
        ("Small Nose, Full Lips", ["lips"], ["nose"]),
        ("Slim Jaw, Flat Nose", [], ["jaw width", "nose"]),
        ("Broad Jaw, Flat Nose", ["jaw width"], ["nose"]),
    ],
)
def test_words_of_components_are_true(default_head, component, grows, shrinks):
    names = importlib.import_module("uvapm.uvapm_blender.shape.component_names")
    labels = names.component_names("default", len(default_head.identity))
    (index,) = [i for i, label in enumerate(labels) if label == f"{i + 1} {component}"]
    landmarks = default_head.landmarks68
    corners = default_head.triangles[landmarks.triangles]
    move = (default_head.identity[index][corners] * landmarks.barycentric[..., None]).sum(1)
    for name, (start, end, axis) in MEASURES.items():
        change = move[end, axis] - move[start, axis]
        if name in grows:
            assert change > 0.0007, name
        if name in shrinks:
            assert change < -0.0007, name


@pytest.fixture(scope="module")
def default_head(default_pack):
    return importlib.import_module("engine.protocol.headpack").read_pack(default_pack).head
