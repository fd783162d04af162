"""*Wear it*: the artist's mesh to the engine and back; what was on it stays."""

import importlib
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from engine.protocol.conventions import blender_to_model, model_to_blender
from engine.protocol.safetensors import read_safetensors
from tests.blender import worn_mesh as worn

pytestmark = pytest.mark.blender


@pytest.fixture
def target_module(addon):
    return importlib.import_module("uvapm.uvapm_blender.wear.target")


@pytest.fixture
def bust(blender, addon, result):
    """What is saved of a head, and the artist's mesh as the active object."""
    root = blender.data.objects.new("Head", None)
    root.uvapm.role, root.uvapm.result_folder = "ROOT", str(result)
    blender.context.scene.collection.objects.link(root)
    return worn.new_mesh(blender)


@pytest.fixture
def wear(blender, addon, tiny, monkeypatch, tmp_path):
    """Run the operator against the fake engine; `jobs` is what it was asked."""
    launch = importlib.import_module("uvapm.uvapm_blender.engine_client.launch").Launch
    operators = importlib.import_module("uvapm.uvapm_blender.operators.wear")
    fake = Path(__file__).parents[1] / "client" / "fakes" / "fake_engine.py"
    session, jobs = addon.runtime.RUNTIME.session, []
    start = session.start

    def remember(launch, job):
        jobs.append(job)
        start(launch, job)

    folder = worn.write_wear(tiny, tmp_path / "worn")
    made = launch(
        (sys.executable, "-u", str(fake), "well"),
        str(Path(__file__).parents[2]),
        (("FAKE_RESULT", str(folder)),),
    )
    monkeypatch.setattr(session, "start", remember)
    monkeypatch.setattr(operators, "make_launch", lambda context: made)
    preferences = blender.context.preferences.addons["uvapm"].preferences
    preferences.results_folder = str(tmp_path / "results")

    def run(**options):
        return blender.ops.uvapm.wear("EXEC_DEFAULT", True, **options)

    run.jobs, run.folder = jobs, folder
    return run


def points(key):
    values = np.empty(len(key.points) * 3, np.float32)
    key.points.foreach_get("co", values)
    return values.reshape(-1, 3)


def keys_of(item):
    return item.data.shape_keys.key_blocks if item.data.shape_keys else {}


def test_the_mesh_as_the_engine_gets_it(blender, bust, target_module):
    bust.rotation_euler, bust.scale = (0.3, 0.2, 1.0), (2.0, 1.0, 1.0)
    blender.context.view_layer.update()
    target = target_module.read_target(bust)
    world = [bust.matrix_world.to_3x3() @ vertex.co for vertex in bust.data.vertices]
    np.testing.assert_allclose(model_to_blender(target.vertices), world, atol=1e-5)
    assert target.faces[0].tolist() == [0, 1, 2, 3]
    assert target.faces[1].tolist() == [2, 7, 3, 3]
    assert (target.faces[2:, 2] == target.faces[2:, 3]).all() and len(target.faces) == worn.FACES
    assert target.polygon.tolist() == [0, 2, 1, 1, 1]
    assert {int(v) for v in target.faces[2:].ravel()} == {0, 1, 5, 6, 4}
    assert target.uv_name == "skin map"
    uv = bust.data.uv_layers["skin map"].uv
    quad = [tuple(uv[i].vector) for i in range(4)]
    np.testing.assert_allclose(target.corner_uv[0], quad, atol=1e-6)
    shift = np.random.default_rng(0).normal(size=(8, 3)).astype(np.float32)
    moved = model_to_blender(target.vertices + shift) @ np.linalg.inv(target.turn).T
    start = np.array([vertex.co for vertex in bust.data.vertices])
    np.testing.assert_allclose(start + target.moves(shift), moved, atol=1e-5)
    assert target.covered(np.array([0, 0, 1, 0, 0], bool)).tolist() == [False, True, False]


def test_a_mirrored_object_still_looks_outwards(blender, bust, target_module):
    before = target_module.read_target(bust)
    bust.scale.x = -1.0
    blender.context.view_layer.update()
    after = target_module.read_target(bust)
    a, b = (t.vertices[t.faces[:, :3]] for t in (before, after))
    normal = [np.cross(t[:, 1] - t[:, 0], t[:, 2] - t[:, 0]) for t in (a, b)]
    np.testing.assert_allclose(normal[0] * (-1, 1, 1), normal[1], atol=1e-5)
    assert (after.faces[1:, 2] == after.faces[1:, 3]).all()
    corner = {(int(v), *uv) for t in (before,) for v, uv in _corners(t)}
    assert corner == {(int(v), *uv) for v, uv in _corners(after)}


def _corners(target):
    pairs = zip(target.faces.ravel(), target.corner_uv.reshape(-1, 2).tolist(), strict=True)
    return [(v, tuple(uv)) for v, uv in pairs]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda item: item.modifiers.new("Mirror", "MIRROR"), "half a head"),
        (lambda item: item.data.clear_geometry(), "no faces"),
        (lambda item: setattr(item, "scale", (1, 1, 0)), "scaled to nothing"),
        (lambda item: (item.shape_key_add(), setattr(item.data.shape_keys, "use_relative", False)),
         "absolute"),
        (lambda item: [item.data.uv_layers.remove(item.data.uv_layers[0]) for _ in range(2)],
         "no UV map"),
    ],
)  # fmt: skip
def test_a_mesh_that_cannot_wear_it_is_told_why(blender, addon, bust, wear, spoil, words):
    spoil(bust)
    blender.context.view_layer.update()
    with pytest.raises(RuntimeError, match=words):
        wear()
    assert not wear.jobs and addon.runtime.RUNTIME.place == "wear"


def test_the_button_needs_a_mesh_and_one_head(blender, addon, bust, result):
    poll = blender.ops.uvapm.wear.poll
    assert poll()
    second = addon.build(result)
    assert not poll(), "a head is no mesh of the artist's own"
    worn.activate(blender, bust)
    assert not poll(), "two heads, none chosen"
    worn.activate(blender, second.head, bust)
    assert poll()
    module = importlib.import_module("uvapm.uvapm_blender.operators.wear")
    assert module.worn_head(blender.context) == second.root


def test_textures_and_shapes_come_on_top_of_what_is_there(blender, addon, bust, wear, result):
    own = addon.material.new_material("plain", "own", {})
    tone = (0.1, 0.2, 0.3, 1.0)
    addon.material.principled(own).inputs["Base Color"].default_value = tone
    bust.data.materials.append(own)
    bust.shape_key_add(name="Basis")
    mine = bust.shape_key_add(name="jawOpen")
    mine.value = 0.5
    mine.points[0].co.x = 7.0
    bust.modifiers.new("Subdivision", "SUBSURF")
    bust.rotation_euler.z, bust.scale = 0.5, (10.0, 10.0, 10.0)
    blender.context.view_layer.update()
    assert wear(likeness=0.25) == {"FINISHED"}
    job = wear.jobs[0]
    assert job.result == str(result) and job.textures is None and job.size == 2048
    assert Path(job.mesh).name == "Bust.safetensors", "the engine speaks of it by this name"
    given = read_safetensors(Path(job.mesh))
    assert given["faces"].shape == (worn.FACES, 4) and given["corner_uv"].shape[0] == worn.FACES
    keys = keys_of(bust)
    assert list(keys.keys()) == ["Basis", "jawOpen", "jawOpen.001", "eyeBlinkLeft", "Likeness"]
    assert keys["jawOpen"].value == 0.5 and keys["jawOpen"].points[0].co.x == 7.0
    assert keys["Likeness"].value == 0.25 and keys["eyeBlinkLeft"].value == 0.0
    turn = np.array(bust.matrix_world.to_3x3())
    for name, shift in zip(("jawOpen.001", "eyeBlinkLeft"), worn.shifts()[0], strict=True):
        moved = (points(keys[name]) - points(keys["Basis"])) @ turn.T
        np.testing.assert_allclose(blender_to_model(moved), shift, atol=1e-4)
    assert [slot.material.name for slot in bust.material_slots] == ["own", "Bust skin"]
    assert [face.material_index for face in bust.data.polygons] == [1, 0, 0]
    assert [face.use_smooth for face in bust.data.polygons] == [True, False, False]
    nodes = bust.material_slots[1].material.node_tree.nodes
    assert {n.uv_map for n in nodes if n.type in ("UVMAP", "NORMAL_MAP")} == {"skin map"}
    pictures = [n for n in nodes if n.type == "TEX_IMAGE"]
    assert all(n.image.packed_file and n.inputs["Vector"].is_linked for n in pictures)
    (mix,) = (n for n in nodes if n.type == "MIX")
    values = {socket.identifier: socket for socket in mix.inputs}
    assert tuple(values["A_Color"].default_value) == pytest.approx(tone)
    assert values["Factor_Float"].links[0].from_node.label == "Coverage"
    base = addon.material.principled(bust.material_slots[1].material).inputs["Base Color"]
    assert base.links[0].from_node == mix
    assert bust.modifiers.keys() == ["Subdivision"]
    assert bust.uvapm.worn.quality == "Most of the face was found."


def test_wearing_is_one_undo_step(blender, addon, bust, wear):
    images = len(blender.data.images)
    blender.ops.ed.undo_push(message="before")
    wear()
    assert len(keys_of(bust)) == 4 and len(blender.data.images) > images
    blender.ops.ed.undo()
    bust = blender.data.objects["Bust"]
    assert not keys_of(bust) and not bust.material_slots and len(blender.data.images) == images
    assert bust.uvapm.worn.keys == ""
    blender.ops.ed.redo()
    assert len(keys_of(blender.data.objects["Bust"])) == 4


def test_wearing_again_renews_instead_of_adding(blender, addon, tiny, bust, wear):
    wear()
    keys_of(bust)["jawOpen"].value = 0.75
    keys_of(bust)["jawOpen"].points[0].co.x = 9.0
    counts = len(blender.data.materials), len(blender.data.images)
    shutil.rmtree(wear.folder)
    worn.write_wear(tiny, wear.folder, names=("jawOpen",))
    wear()
    keys = keys_of(bust)
    assert list(keys.keys()) == ["Basis", "jawOpen", "Likeness"]
    assert keys["jawOpen"].value == 0.75 and keys["jawOpen"].points[0].co.x < 5.0
    assert counts == (len(blender.data.materials), len(blender.data.images))
    assert len(bust.material_slots) == 1 and {f.material_index for f in bust.data.polygons} == {0}


def test_a_mesh_that_changed_meanwhile_is_left_alone(blender, addon, bust, wear, monkeypatch):
    module = importlib.import_module("uvapm.uvapm_blender.operators.wear")
    read = module.read_wear

    def meanwhile(folder):
        bust.data.vertices.add(1)
        return read(folder)

    monkeypatch.setattr(module, "read_wear", meanwhile)
    with pytest.raises(RuntimeError, match="changed or removed while"):
        wear()
    assert not keys_of(bust) and not bust.material_slots


def test_what_is_left_off_halfway_leaves_no_trace(blender, addon, bust, target_module):
    """Esc between two steps: keys of the artist's own stay, the new ones go."""
    keys = importlib.import_module("uvapm.uvapm_blender.wear.keys")
    reader = importlib.import_module("uvapm.engine.protocol.wear")
    target, (expression, likeness) = target_module.read_target(bust), worn.shifts()

    class Manifest:
        expression_names = worn.NAMES

    package = reader.WearPackage(Path(), Manifest, expression, likeness, np.zeros(5, bool))
    for _ in range(2):
        steps = keys.add_keys(bust, target, package, 0.0)
        next(steps)
        assert "jawOpen" in keys_of(bust)
        steps.close()
        assert list(keys_of(bust)) == list(keys_of(bust))[:2]
        assert "jawOpen" not in keys_of(bust)
        bust.shape_key_add(name="Basis") if not keys_of(bust) else None


def test_a_wear_that_fails_leaves_mesh_and_data(blender, addon, bust, wear):
    (wear.folder / "maps/normal.png").write_bytes(b"changed")
    before = len(blender.data.images), len(blender.data.materials)
    with pytest.raises(RuntimeError, match=r"normal\.png was changed"):
        wear()
    assert before == (len(blender.data.images), len(blender.data.materials))
    assert not keys_of(bust) and addon.runtime.RUNTIME.place == "wear"


def test_moved_sliders_go_along(blender, addon, wear, result):
    root = addon.build(result).root
    worn.new_mesh(blender)
    root.uvapm.detail.photo = 0.0
    wear(shapes=False)
    folder = Path(wear.jobs[0].textures)
    assert {path.name for path in folder.iterdir()} == {"albedo.png", "normal.png", "roughness.png"}
    pixels = addon.images.read_file(folder / "albedo.png")
    np.testing.assert_allclose(
        pixels, addon.images.read_pixels(root.uvapm.detail.albedo), atol=1e-6
    )


def test_a_picture_of_the_artists_own_skin_is_mixed_in(blender, addon, bust):
    blend = importlib.import_module("uvapm.uvapm_blender.wear.blend")
    own, ours = (addon.material.new_material("plain", name, {}) for name in ("own", "ours"))
    image, coverage = (blender.data.images.new(name, 4, 4) for name in ("skin", "coverage"))
    for material, picture in ((own, image), (ours, coverage)):
        node = material.node_tree.nodes.new("ShaderNodeTexImage")
        node.image = picture
        shader = addon.material.principled(material)
        material.node_tree.links.new(node.outputs["Color"], shader.inputs["Base Color"])
    bust.data.materials.append(own)
    covered = np.array([True, False, False])
    assert blend.material_beside(bust.data, covered) == own
    assert blend.material_beside(bust.data, ~np.zeros(3, bool)) is None
    blend.fade_into(ours, own, coverage, "first")
    nodes = ours.node_tree.nodes
    (copy,) = (n for n in nodes if n.type == "TEX_IMAGE" and n.image == image)
    assert copy.inputs["Vector"].links[0].from_node.uv_map == "first"
    math = own.node_tree.nodes.new("ShaderNodeRGB")
    shader = addon.material.principled(own)
    own.node_tree.links.new(math.outputs["Color"], shader.inputs["Base Color"])
    plain = addon.material.new_material("skin", "more", {k: image for k in ("albedo", "normal",
        "roughness")})  # fmt: skip
    blend.fade_into(plain, own, coverage, "first")
    assert not [n for n in plain.node_tree.nodes if n.type == "MIX"], "too involved: left alone"
