"""Skin sliders: the picture follows coefficients and tones; undo, files, duplicates, drivers."""

import importlib
import json
import shutil

import numpy as np
import pytest

from engine.protocol.albedo import decode_albedo
from engine.protocol.albedo_pack import model_from_tensors
from engine.protocol.albedo_tone import prepare_tone, skin_colour
from engine.protocol.colour import srgb_to_lab
from engine.protocol.detail_layers import compose_albedo
from engine.protocol.result import file_sha256
from engine.protocol.safetensors import read_safetensors, write_safetensors
from tests.blender.detail_picture import assert_seen, root_of, seen
from tests.blender.skin_pack import K, tensors, write_pack

pytestmark = pytest.mark.blender
FITTED = np.random.default_rng(4).normal(0.0, 0.5, (3, K)).astype(np.float32)


def module(name):
    return importlib.import_module(f"uvapm.uvapm_blender.{name}")


@pytest.fixture(scope="session")
def model():
    return model_from_tensors(tensors())


@pytest.fixture
def result(tiny, tmp_path, addon, monkeypatch):
    """Folder of a tiny result whose albedo pack is at hand, with coefficients that are not 0."""
    folder = tiny.write_tiny_result(tmp_path / "result", tmp_path / "portrait.png")
    pack = write_pack(tmp_path / "packs" / "tones")
    monkeypatch.setattr(addon.locations, "pack_folder", lambda id: tmp_path / "packs" / id)
    name = "coefficients.safetensors"
    coefficients = read_safetensors(folder / name) | {"albedo": FITTED}
    write_safetensors(folder / name, coefficients)
    manifest = json.loads((folder / "result.json").read_text())
    manifest["files"][name] = file_sha256(folder / name)
    sha = file_sha256(pack / "pack.json")
    manifest["albedo_pack"] = {"id": "tones", "version": "1", "sha256": sha}
    (folder / "result.json").write_text(json.dumps(manifest))
    yield folder
    module("skin.model").MODELS.clear()


@pytest.fixture
def painted(tiny, model):
    """painted(coefficients) -> the albedo (64, 64, 3) that must be seen."""
    resample = importlib.import_module("engine.protocol.resample").resample
    grey = np.full((64, 64, 3), 128 / 255, np.float32)
    albedo = np.rint(tiny._gradient(64, 64) * 255) / 255
    photo = albedo - compose_albedo(grey, tiny.tiny_detail(), grey, 0.0)

    def paint(coefficients):
        change = decode_albedo(0 * model.mean, model.basis, model.valid, coefficients - FITTED)
        large = np.stack([resample(change[..., c].copy(), 64) for c in range(3)], -1)
        coarse = np.clip(grey + large, 0.0, 1.0)
        return compose_albedo(coarse, tiny.tiny_detail(), photo, 1.0)

    return paint


def test_a_new_head_has_the_fitted_coefficients(blender, addon, result):
    built = addon.build(result)
    skin = built.root.uvapm.skin
    assert len(skin.components) == 3 * K and skin.components[K + 1].name == "G 2"
    assert np.array_equal(module("skin.values").albedo_of(built.root), FITTED)
    assert skin.pack == "tones" and skin.normal and skin.roughness
    assert not module("detail.values").is_changed(built.root)


def test_components_change_the_picture_as_the_model_says(blender, addon, result, painted):
    built = addon.build(result)
    before, wanted = seen(addon, built), FITTED.copy()
    for channel, number, value in ((0, 0, 2.0), (1, 3, -3.0), (2, 4, 1.0)):
        built.root.uvapm.skin.components[channel * K + number].value = value
        wanted[channel, number] = value
        assert_seen(addon, built, painted(wanted))
    assert np.array_equal(module("skin.values").albedo_of(built.root), wanted)
    blender.ops.uvapm.reset_skin()
    assert np.array_equal(seen(addon, built), before)


def test_tones_move_the_skin_colour_by_what_they_say(blender, addon, result, painted, model):
    built = addon.build(result)
    tone = prepare_tone(model, 1)
    skin = built.root.uvapm.skin
    skin.lighter, skin.redder, skin.yellower = 5.0, 2.0, -1.0
    found = module("skin.values").albedo_of(built.root)
    moved = srgb_to_lab(skin_colour(tone, found)) - srgb_to_lab(skin_colour(tone, FITTED))
    np.testing.assert_allclose(moved, [5, 2, -1], atol=0.02)
    assert_seen(addon, built, painted(found))
    skin.even = 1.0
    assert_seen(addon, built, painted(module("skin.values").albedo_of(built.root)))
    blender.ops.uvapm.reset_skin(group="TONE")
    assert np.array_equal(module("skin.values").albedo_of(built.root), FITTED)


def test_reset_random_and_locks(blender, addon, result, painted):
    built = addon.build(result)
    skin = built.root.uvapm.skin
    skin.components[2].locked = skin.directions[1].locked = True
    skin.components[2].value, skin.directions[0].value, skin.directions[1].value = 2.5, 1.0, 1.0
    blender.ops.uvapm.randomise_skin(seed=3, amount=1.0)
    assert skin.components[2].value == 2.5
    first = [item.value for item in skin.components]
    assert np.abs(np.array(first) - FITTED.reshape(-1)).max() > 0.5
    blender.ops.uvapm.randomise_skin(seed=3, amount=1.0)
    np.testing.assert_allclose([item.value for item in skin.components], first, atol=1e-5)
    blender.ops.uvapm.reset_skin(to="AVERAGE")
    values = [item.value for item in skin.components]
    assert values == [0, 0, 2.5] + [0] * (3 * K - 3)
    assert (skin.directions[0].value, skin.directions[1].value) == (0.0, 1.0)
    blender.ops.uvapm.lock_skin(action="UNLOCK")
    blender.ops.uvapm.reset_skin(name="R 3")
    assert skin.components[2].value == FITTED[0, 2] and skin.directions[1].value == 1.0
    assert_seen(addon, built, painted(module("skin.values").albedo_of(built.root)))


def test_undo_and_redo_bring_back_the_picture(blender, addon, result):
    blender.ops.uvapm.import_result("EXEC_DEFAULT", True, directory=str(result))
    blender.ops.ed.undo_push(message="start")
    pictures = [seen(addon, root_of(blender))]
    for step in range(3):
        skin = root_of(blender).uvapm.skin
        skin.lighter, skin.components[1].value = 3.0 * step + 3.0, float(step)
        pictures.append(seen(addon, root_of(blender)))
        blender.ops.ed.undo_push(message="slider")
    for step in (2, 1, 0):
        blender.ops.ed.undo()
        assert_seen(addon, root_of(blender), pictures[step])
    for step in (1, 2, 3):
        blender.ops.ed.redo()
        assert_seen(addon, root_of(blender), pictures[step])


def test_saving_keeps_sliders_picture_and_relief(blender, addon, result, tmp_path):
    built = addon.build(result)
    built.root.uvapm.skin.lighter = 6.0
    built.root.uvapm.detail.strength = 0.0
    picture, normal = seen(addon, built), addon.images.read_pixels(built.root.uvapm.skin.normal)
    blender.ops.wm.save_as_mainfile(filepath=str(tmp_path / "head.blend"))
    shutil.rmtree(result)
    blender.ops.wm.open_mainfile(filepath=str(tmp_path / "head.blend"))
    root = root_of(blender)
    assert root.uvapm.skin.lighter == 6.0 and len(root.uvapm.skin.components) == 3 * K
    assert_seen(addon, root, picture)
    np.testing.assert_allclose(addon.images.read_pixels(root.uvapm.skin.normal), normal, atol=0.003)


def test_linked_duplicates_and_second_heads_are_independent(blender, addon, result):
    built = addon.build(result)
    name, before = built.root.name, seen(addon, built)
    for item in [built.root, *built.root.children_recursive]:
        item.select_set(True)
    blender.ops.object.duplicate(linked=True)
    heads = module("detail.values").heads()
    assert len(heads) == 2
    copy = next(root for root in heads if root.name != name)
    copy.uvapm.skin.lighter = -8.0
    copy.uvapm.detail.strength = 0.5
    first = blender.data.objects[name]
    assert copy.uvapm.detail.albedo != first.uvapm.detail.albedo
    assert copy.uvapm.skin.normal != first.uvapm.skin.normal
    assert np.array_equal(seen(addon, first), before)
    parts = importlib.import_module("uvapm.uvapm_blender.scene.heads").parts_of(copy)
    shown = {n.image for n in parts[0].active_material.node_tree.nodes if n.type == "TEX_IMAGE"}
    assert copy.uvapm.detail.albedo in shown and copy.uvapm.skin.normal in shown


def test_keyframes_and_drivers_are_followed(blender, addon, result, painted):
    built = addon.build(result)
    root, scene = built.root, blender.context.scene
    item = root.uvapm.skin.components[0]
    for frame, value in ((1, 0.0), (11, 2.0)):
        item.value = value
        root.keyframe_insert("uvapm.skin.components[0].value", frame=frame)
    scene.frame_set(6)
    wanted = FITTED.copy()
    wanted[0, 0] = item.value
    assert 0.5 < item.value < 1.5
    assert_seen(addon, built, painted(wanted))
    driver = root.driver_add("uvapm.skin.lighter").driver
    variable = driver.variables.new()
    variable.type, variable.targets[0].id = "SINGLE_PROP", built.camera
    variable.targets[0].data_path, driver.expression = "location.x", "4.0"
    built.camera.location.x = 1.0
    blender.context.view_layer.update()
    assert root.uvapm.skin.lighter == pytest.approx(4.0)
    assert_seen(addon, built, painted(module("skin.values").albedo_of(root)))


def test_relief_follows_the_strengths_and_comes_back(blender, addon, result):
    built = addon.build(result)
    skin, read = built.root.uvapm.skin, addon.images.read_pixels
    normal, rough = read(skin.normal).copy(), read(skin.roughness).copy()
    built.root.uvapm.detail.strength = 0.0
    flat = read(skin.normal)[..., :3]
    np.testing.assert_allclose(flat, np.broadcast_to([0.5, 0.5, 1.0], flat.shape), atol=0.003)
    assert read(skin.roughness)[..., 0].mean() > rough[..., 0].mean()
    built.root.uvapm.detail.strength = 2.0
    assert np.abs(read(skin.normal)[..., 0] - 0.5).mean() > np.abs(normal[..., 0] - 0.5).mean()
    built.root.uvapm.detail.strength = 1.0
    assert np.array_equal(read(skin.normal), normal)
    assert np.array_equal(read(skin.roughness), rough)


def test_a_window_drags_small_and_settles_at_full_size(
    blender, addon, live, result, painted, monkeypatch
):
    settle, sources = module("detail.settle"), module("detail.sources")
    monkeypatch.setattr(settle, "at_once", lambda: False)
    monkeypatch.setattr(sources, "SKETCH_SIZE", 32)
    built = addon.build(result)
    root, image = built.root, built.root.uvapm.detail.albedo

    def rest():
        for _ in range(2000):
            if (wait := settle.tick()) is None:
                return
            importlib.import_module("time").sleep(wait)
        raise AssertionError("never at rest")

    root.uvapm.skin.lighter = 1.0  # nothing is loaded yet: the timer does it
    assert tuple(image.size) == (64, 64)
    rest()
    for value in (2.0, 3.0, 4.0):
        root.uvapm.skin.lighter = value
        assert tuple(image.size) == (32, 32)
        settle.tick()
    root.uvapm.detail.pores = 0.5
    wanted = painted(module("skin.values").albedo_of(root))
    small = wanted.reshape(32, 2, 32, 2, 3).mean((1, 3))
    assert np.abs(seen(addon, root) - small).mean() < 0.03
    rest()
    assert tuple(image.size) == (64, 64) and not live.CACHE.stale
    assert live.CACHE.relief[root.uvapm.skin.normal.session_uid].pores == 0.5
    root.uvapm.detail.pores = 1.0
    live.flush()  # as saving, rendering and exporting do
    assert_seen(addon, root, wanted)
    root.uvapm.skin.lighter = 9.0
    blender.ops.uvapm.remove_head()
    rest()  # what waits for a head that is gone does nothing


@pytest.mark.parametrize("trouble", ["gone", "other"])
def test_without_its_pack_a_head_says_why(blender, addon, result, tmp_path, trouble):
    built = addon.build(result)
    before = seen(addon, built)
    folder = tmp_path / "packs" / "tones"
    folder.rename(tmp_path / "away")
    if trouble == "other":
        shutil.copytree(tmp_path / "away", folder)
        other = tensors()
        other["mean"] += 0.1
        write_safetensors(folder / "albedo.safetensors", other)
    built.root.uvapm.skin.lighter = 5.0
    models = module("skin.model").MODELS
    (problem,) = models.problems.values()
    assert ("not found" if trouble == "gone" else "not the one") in problem.message
    assert np.array_equal(seen(addon, built), before)
    assert not blender.ops.uvapm.randomise_skin.poll()
    shutil.rmtree(folder, ignore_errors=True)
    (tmp_path / "away").rename(folder)
    blender.ops.uvapm.look_again()
    assert not models.problems and not np.array_equal(seen(addon, built), before)
