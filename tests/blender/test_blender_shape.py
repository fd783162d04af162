"""Identity sliders: meshes, keys and eyes follow; undo, files, duplicates, drivers, locks."""

import importlib
import json
import shutil

import numpy as np
import pytest

from engine.protocol.conventions import model_to_blender
from engine.protocol.pack_manifest import PACK_SCHEMA, HeadNames, PackManifest, PackPart
from engine.protocol.result import file_sha256
from engine.protocol.safetensors import write_safetensors
from engine.protocol.strict import to_plain

pytestmark = pytest.mark.blender
COMPONENTS = 4
CLOSE = 2e-6
"""Metres: f16 noise of the deltas of expressions, and float sums."""


@pytest.fixture
def basis(tiny):
    """(K, V, 3) f16, a few millimetres, model space; of the eyes it moves centres too."""
    random = np.random.default_rng(5)
    count = len(tiny.tiny_mesh()["neutral"])
    return random.normal(0.0, 0.003, (COMPONENTS, count, 3)).astype(np.float16)


@pytest.fixture
def result(tiny, tmp_path, basis, addon, monkeypatch):
    """Folder of a tiny result whose head pack is at hand."""
    folder = tiny.write_tiny_result(tmp_path / "result", tmp_path / "portrait.png")
    pack = write_pack(tmp_path / "packs" / "tiny", basis)
    monkeypatch.setattr(addon.locations, "pack_folder", lambda id: tmp_path / "packs" / id)
    manifest = json.loads((folder / "result.json").read_text())
    manifest["pack"]["sha256"] = file_sha256(pack / "pack.json")
    (folder / "result.json").write_text(json.dumps(manifest))
    yield folder
    importlib.import_module("uvapm.uvapm_blender.shape.cache").CACHE.clear()


def write_pack(folder, basis):
    """What the sliders read of a head pack: the subdivision is none."""
    folder.mkdir(parents=True)
    count = basis.shape[1]
    rows = np.arange(count, dtype=np.int32)
    tensors = {
        "control_identity": basis,
        "subdivision_rows": rows,
        "subdivision_columns": rows,
        "subdivision_values": np.ones(count, np.float32),
        "mirror": rows,
    }
    write_safetensors(folder / "head.safetensors", tensors)
    manifest = PackManifest(
        schema=PACK_SCHEMA,
        id="tiny",
        version="1",
        uv_layout="ffhq-uv",
        parts=(PackPart("all", "test data", "CC0-1.0", "this project", ""),),
        files={"head.safetensors": file_sha256(folder / "head.safetensors")},
        head=HeadNames(("jawOpen",), ("skin",), ("lips",), ("face",)),
    )
    (folder / "pack.json").write_text(json.dumps(to_plain(manifest)))
    return folder


def parts_of(root):
    heads = importlib.import_module("uvapm.uvapm_blender.scene.heads")
    return heads.parts_of(root)


def points_of(part, key=""):
    """(n, 3) of a mesh or one of its keys, in the space of the head's root."""
    mesh = part.data
    source = mesh.shape_keys.key_blocks[key].points if key else mesh.vertices
    points = np.empty(3 * len(mesh.vertices), np.float32)
    source.foreach_get("co", points)
    return points.reshape(-1, 3) + np.array(part.location)


def assert_shape(tiny, basis, root, values):
    """Every mesh and every key is where the components put it."""
    mesh = tiny.tiny_mesh()
    neutral = mesh["neutral"] + np.tensordot(values, basis.astype(np.float32), 1)
    for part in parts_of(root):
        own = np.empty(len(part.data.vertices), np.int32)
        part.data.attributes["uvapm_vertex"].data.foreach_get("value", own)
        expected = model_to_blender(neutral)[own]
        np.testing.assert_allclose(points_of(part), expected, atol=CLOSE)
        for key in part.data.shape_keys.key_blocks if part.data.shape_keys else ():
            delta = 0.0
            if key.name != "Basis":
                row = mesh["expression"][tiny.EXPRESSIONS.index(key.name)].astype(np.float32)
                delta = model_to_blender(row)[own]
            np.testing.assert_allclose(points_of(part, key.name), expected + delta, atol=CLOSE)


def root_of(blender):
    """The head's root as it is now: references do not outlive undo."""
    return next(o for o in blender.data.objects if o.uvapm.role == "ROOT")


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


def test_animated_components_are_followed(blender, addon, tiny, result, basis):
    root = addon.build(result).root
    item = root.uvapm.shape.components[1]
    for frame, value in ((1, 0.0), (11, 2.0)):
        item.value = value
        assert root.keyframe_insert("uvapm.shape.components[1].value", frame=frame)
    blender.context.scene.frame_set(11)
    assert_shape(tiny, basis, root, [0, 2, 0, 0])
    blender.context.scene.frame_set(1)
    assert_shape(tiny, basis, root, [0, 0, 0, 0])


def test_a_rendered_animation_follows_too(blender, addon, tiny, result, basis, tmp_path):
    """A render has an evaluation of its own, whose values Blender brings to nobody."""
    root = addon.build(result).root
    for frame, value in ((1, 0.0), (2, 2.0)):
        root.uvapm.shape.components[1].value = value
        root.keyframe_insert("uvapm.shape.components[1].value", frame=frame)
    scene, seen = blender.context.scene, {}
    scene.frame_start, scene.frame_end = 1, 2
    scene.render.engine, scene.cycles.samples = "CYCLES", 1
    scene.render.resolution_x = scene.render.resolution_y = 8
    scene.render.filepath = str(tmp_path / "frame")

    def look(scene, *_):
        seen[scene.frame_current] = points_of(parts_of(root_of(blender))[0])

    blender.app.handlers.render_post.append(look)
    try:
        blender.ops.render.render(animation=True)
    finally:
        blender.app.handlers.render_post.remove(look)
    assert np.abs(seen[2] - seen[1]).max() > 0.003
    scene.frame_set(2)
    np.testing.assert_allclose(points_of(parts_of(root)[0]), seen[2], atol=CLOSE)


def test_a_driver_moves_a_component(blender, addon, tiny, result, basis):
    root = addon.build(result).root
    curve = root.driver_add("uvapm.shape.components[2].value")
    curve.driver.type = "SUM"
    variable = curve.driver.variables.new()
    variable.targets[0].id, variable.targets[0].data_path = root, "location.z"
    root.location.z = 1.25
    blender.context.view_layer.update()
    assert_shape(tiny, basis, root, [0, 0, 1.25, 0])


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


@pytest.mark.parametrize("trouble", ["gone", "another", "broken"])
def test_without_its_pack_a_head_says_why(blender, addon, tiny, result, basis, tmp_path, trouble):
    cache = importlib.import_module("uvapm.uvapm_blender.shape.cache").CACHE
    root = addon.build(result).root
    cache.clear()
    folder, away = tmp_path / "packs" / "tiny", tmp_path / "away"
    shutil.copytree(folder, away)
    if trouble == "broken":
        (folder / "head.safetensors").write_bytes(b"nothing")
    else:
        shutil.rmtree(folder)
    if trouble == "another":
        write_pack(folder, basis * 2)
    root.uvapm.shape.components[0].value = 1.0
    assert_shape(tiny, basis, root, [0, 0, 0, 0])
    words = {"gone": "not found", "another": "not the one", "broken": "not the one"}
    assert words[trouble] in str(cache.problem(root))
    with pytest.raises(RuntimeError, match=words[trouble]):
        blender.ops.uvapm.randomise_shape(seed=1)
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(away, folder)
    blender.ops.uvapm.look_again()
    assert cache.problem(root) is None
    assert_shape(tiny, basis, root, [1, 0, 0, 0])


def test_a_remodelled_mesh_is_left_alone(blender, addon, result):
    cache = importlib.import_module("uvapm.uvapm_blender.shape.cache").CACHE
    built = addon.build(result)
    parts_of(built.root)[-1].data.vertices.add(1)
    before = [points_of(part) for part in parts_of(built.root)]
    built.root.uvapm.shape.components[0].value = 1.0
    assert "remodelled" in str(cache.problem(built.root))
    for part, points in zip(parts_of(built.root), before, strict=True):
        assert np.array_equal(points_of(part), points)


def test_deleted_vertices_do_no_harm(blender, addon, result):
    root = addon.build(result).root
    blender.ops.object.mode_set(mode="EDIT")
    blender.ops.mesh.select_all(action="DESELECT")
    blender.ops.object.mode_set(mode="OBJECT")
    skin = parts_of(root)[0]
    skin.data.vertices[5].select = True
    blender.ops.object.mode_set(mode="EDIT")
    blender.ops.mesh.delete(type="VERT")
    blender.ops.object.mode_set(mode="OBJECT")
    before = points_of(skin)
    root.uvapm.shape.components[0].value = 1.0
    assert np.abs(points_of(skin) - before).max() > 1e-3


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
