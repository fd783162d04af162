"""Results and .blend files of strangers in Blender: built, or refused in words; never a trace."""

import json
import os
import random

import pytest

from engine.protocol.result import file_sha256
from engine.protocol.safetensors import read_safetensors, write_safetensors

pytestmark = [pytest.mark.blender]

SURROGATE, LONG = "\ud800", "x" * 3000


def edit(folder, change):
    path = folder / "result.json"
    plain = json.loads(path.read_text(encoding="utf-8"))
    change(plain)
    path.write_text(json.dumps(plain), encoding="utf-8")


def replaced(folder, name, data):
    (folder / name).write_bytes(data)
    edit(folder, lambda plain: plain["files"].update({name: file_sha256(folder / name)}))


def imported(blender, folder):
    """What Import Result does: True for a head, False for a refusal in words."""
    before = len(blender.data.objects), len(blender.data.images), len(blender.data.meshes)
    try:
        done = blender.ops.uvapm.import_result("EXEC_DEFAULT", directory=str(folder))
    except RuntimeError as error:
        text = str(error)
        assert "Traceback" not in text and "Error: Python" not in text, text
        after = len(blender.data.objects), len(blender.data.images), len(blender.data.meshes)
        assert after == before
        return False
    return done == {"FINISHED"}


TEXTS = {
    "warnings": lambda plain: plain.update(
        warnings=[SURROGATE, "a\0b\x1b[2J", LONG, "zwei\nZeilen"]
    ),
    "metrics": lambda plain: plain.update(metrics={SURROGATE: 1.0, LONG: 1e308, "a\0": -0.0}),
    "photo": lambda plain: plain["photo"].update(path="/tmp/\ud800\udcff übung.png"),
    "device": lambda plain: plain["photo"].update(path="/dev/zero"),
    "empty": lambda plain: plain["photo"].update(path=""),
    "others": lambda plain: plain.update(stages={SURROGATE: 1.0}),
}


@pytest.mark.parametrize("name", TEXTS)
def test_texts_of_a_result_are_shown_as_blender_can(blender, addon, result, name):
    edit(result, TEXTS[name])
    assert imported(blender, result)
    root = addon.heads.head_of(blender.context.active_object)
    assert max(map(len, root.uvapm.warnings.splitlines()), default=0) <= 2000


REFUSED = {
    "a shape key's name": lambda plain: plain["mesh"]["expression_names"].__setitem__(0, "Basis"),
    "a path for a pack": lambda plain: plain["pack"].update(id="../../elsewhere"),
    "a path that is none": lambda plain: plain["photo"].update(path="a\0b"),
    "an endless size": lambda plain: plain["camera"].update(width=2**40),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_blender_cannot_hold_is_refused(blender, addon, result, name):
    edit(result, REFUSED[name])
    assert not imported(blender, result)


def test_a_face_with_a_vertex_twice_is_refused(blender, addon, result):
    arrays = read_safetensors(result / "mesh.safetensors")
    arrays["quads"][0, 1] = arrays["quads"][0, 0]
    write_safetensors(result / "mesh.safetensors", arrays)
    replaced(result, "mesh.safetensors", (result / "mesh.safetensors").read_bytes())
    assert not imported(blender, result)


@pytest.mark.parametrize("name", ["eye", "albedo", "albedo_detail", "normal"])
def test_a_picture_that_cannot_be_decoded(blender, addon, result, name):
    data = (result / f"maps/{name}.png").read_bytes()
    replaced(result, f"maps/{name}.png", data[:40] + bytes(len(data) - 40))
    assert imported(blender, result)
    root = addon.heads.head_of(blender.context.active_object)
    try:
        root.uvapm.detail.wrinkles = 0.5
        root.uvapm.skin.pores = 0.5
    except (AttributeError, RuntimeError):
        pass  # a slider says what is wrong


def hostile_value(kind, chance):
    """A value that Blender lets a property of a file have."""
    match kind.type:
        case "STRING":
            texts = ("", "../../..", "//../x", "/dev/zero", "\\\\host\\share", "ß" * 500, "a'b\"c]")
            return chance.choice(texts)
        case "INT":
            low, high = kind.hard_min, kind.hard_max
            value = chance.choice((low, high, 0))
            return [value] * kind.array_length if kind.is_array else value
        case "FLOAT":
            value = chance.choice((float("nan"), float("inf"), -1e30, 1e30, 0.0))
            return [value] * kind.array_length if kind.is_array else value
        case "BOOLEAN":
            return chance.random() < 0.5
        case "ENUM":
            names = [item.identifier for item in kind.enum_items_static]
            return set(names) if kind.is_enum_flag else chance.choice(names)
    return None


def spoil(bpy, group, chance, share):
    """Set some of all properties of a group, and of those in it, past their `update` functions:
    as they come from a file."""
    for kind in group.bl_rna.properties:
        if kind.identifier in ("rna_type", "name"):
            continue
        value = getattr(group, kind.identifier)
        if isinstance(value, bpy.types.PropertyGroup):
            spoil(bpy, value, chance, share)
        elif kind.type == "COLLECTION":
            for _ in range(chance.choice((0, 0, 3))):
                value.add()
            if len(value) and chance.random() < share:
                value.remove(0)
            for item in list(value)[:3]:
                spoil(bpy, item, chance, share)
        elif chance.random() < share:
            if kind.type == "POINTER":
                others = {"Object": bpy.data.objects, "Image": bpy.data.images}
                pool = list(others.get(kind.fixed_type.identifier, ())) + [None]
                setattr(group, kind.identifier, chance.choice(pool))
            else:
                setattr(group, kind.identifier, hostile_value(kind, chance))


OPERATORS = (
    *("refit", "show_photo", "reset_shape", "randomise_shape", "look_again", "reset_skin"),
    *(
        "randomise_skin",
        "close_lids",
        "add_look_target",
        "smooth_head",
        "reset_detail",
        "remove_head",
    ),
)


@pytest.mark.parametrize("seed", range(int(os.environ.get("UVAPM_SEEDS", "6"))))
def test_a_blend_file_with_edited_properties(
    blender, addon, result, tmp_path, seed, capfd, fake_engine
):
    """Set, saved, opened, evaluated, every operator tried: words, no traces, no crash."""
    chance = random.Random(seed)
    addon.build(result)
    for item in list(blender.data.objects):
        try:
            spoil(blender, item.uvapm, chance, 0.1 + 0.1 * seed)
        except RuntimeError as error:
            assert "Traceback" not in str(error), error
    blender.ops.wm.save_as_mainfile(filepath=str(tmp_path / "spoiled.blend"))
    capfd.readouterr()
    blender.ops.wm.open_mainfile(filepath=str(tmp_path / "spoiled.blend"))
    blender.context.view_layer.update()
    for item in list(blender.data.objects):
        if item.name in blender.data.objects and item.visible_get():
            blender.context.view_layer.objects.active = item
            break
    for name in OPERATORS:
        operator = getattr(blender.ops.uvapm, name)
        try:
            if operator.poll():
                operator("EXEC_DEFAULT")
        except RuntimeError as error:
            assert "Traceback" not in str(error), f"{name}: {error}"
    said = "".join(capfd.readouterr())
    assert "Traceback" not in said, said[-3000:]
