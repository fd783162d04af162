"""What is exported comes back equal, and the scene does not notice."""

import importlib
import json

import numpy as np
import pytest

from tests.blender.exported import (
    A_LEVEL,
    PARTS,
    assert_normals_point_outwards,
    corners_of,
    floats,
    import_into_empty,
    in_world,
    keys_of,
    picture_of,
    scene_state,
    shape_of,
    sorted_rows,
)

pytestmark = [
    pytest.mark.blender,
    # io_scene_fbx of Blender 5.2 sets array shapes in place, which numpy 2.5 calls deprecated
    pytest.mark.filterwarnings("ignore:Setting the shape on a NumPy array:DeprecationWarning"),
]


@pytest.fixture
def export(addon):
    return importlib.import_module("uvapm.uvapm_blender.export.settings")


@pytest.mark.parametrize("suffix", [".fbx", ".glb", ".gltf", ".usdc", ".usdz"])
def test_export_and_import_again(blender, addon, tiny, result, tmp_path, suffix):
    addon.build(result)  # must not come along; the second head stands beside it
    built = addon.build(result)
    built.root.uvapm.detail.photo = 0.5
    built.parts[-1].hide_set(True)
    names = {part.name: keys_of(part) for part in built.parts}
    before, path = scene_state(blender, built), tmp_path / f"head{suffix}"
    expected = {}
    for part, label in zip(
        built.parts, ("skin", "eye_L", "eye_R", "teeth", "tongue", "lashes"), strict=True
    ):
        plain = [name for name in names[part.name] if not name.startswith("fix ")]
        table = corners_of(part, plain)
        shift = np.tile(np.array(built.root.matrix_world.translation), 1 + len(plain))
        table[:, 2:] -= shift  # in the file the head stands at the origin
        expected[f"head_{label}"] = plain, sorted_rows(table)
    albedo = addon.images.read_pixels(built.root.uvapm.detail.albedo)[..., :3].copy()
    normal = picture_of(addon, built.head, "Normal")[..., :3].copy()
    addon.export_head(built.root, path, blender.context)
    assert scene_state(blender, built) == before

    items = import_into_empty(blender, path)
    assert set(items) == set(expected)
    for name, (keys, table) in expected.items():
        assert keys_of(items[name]) == keys
        found = corners_of(items[name], keys)
        assert found.shape == table.shape, name
        np.testing.assert_allclose(found, table, atol=2.1e-5, err_msg=name)
    skin = items["head_skin"]
    if suffix in (".fbx", ".glb", ".gltf"):  # USD keeps values in an animation only
        assert skin.data.shape_keys.key_blocks["jawOpen"].value == pytest.approx(0.5)
    colour = picture_of(addon, skin, "Base Color")[..., :3]
    np.testing.assert_allclose(colour, albedo, atol=A_LEVEL)
    np.testing.assert_allclose(picture_of(addon, skin, "Normal")[..., :3], normal, atol=A_LEVEL)
    image = addon.material.principled(skin.active_material).inputs["Normal"].links[0].from_node
    assert image.inputs["Color"].links[0].from_node.image.colorspace_settings.name == "Non-Color"


def test_obj_is_the_head_as_it_looks_now(blender, addon, result, tmp_path):
    built = addon.build(result)
    depsgraph = blender.context.evaluated_depsgraph_get()
    seen = in_world(built.head, floats(built.head.evaluated_get(depsgraph).data.vertices, "co", 3))
    addon.export_head(built.root, tmp_path / "head.obj", blender.context)
    items = import_into_empty(blender, tmp_path / "head.obj")
    assert set(items) == {f"head_{part}" for part in PARTS}
    np.testing.assert_allclose(shape_of(items["head_skin"])[0], seen, atol=2e-6)
    assert (tmp_path / "head_textures" / "head_skin_Normal.png").is_file()
    assert picture_of(addon, items["head_skin"], "Base Color").shape == (64, 64, 4)


@pytest.mark.parametrize(("preset", "scale"), [("UNREAL", 0.01), ("UNITY", 1.0)])
def test_game_presets(blender, addon, tiny, export, result, tmp_path, preset, scale):
    built = addon.build(result)
    height = built.head.dimensions.z
    assert "FINISHED" in blender.ops.uvapm.export_head(
        filepath=str(tmp_path / "hero.fbx"), preset=preset
    )
    assert built.head.dimensions.z == height
    pictures = {path.name for path in (tmp_path / "hero_textures").iterdir()}
    assert ("hero_skin_Mask.png" in pictures) == (preset == "UNITY")
    items = import_into_empty(blender, tmp_path / "hero.fbx")
    assert set(items) == {"hero_LOD0", "hero_LOD1", "hero_LOD2"}
    counts = [len(items[f"hero_LOD{i}"].data.polygons) for i in range(3)]
    assert counts[0] > counts[1] >= counts[2]
    armature = blender.data.objects["Armature"]
    assert {bone.name for bone in armature.data.bones} == {"root", "head", "eye_L", "eye_R"}
    assert armature.scale.x == pytest.approx(scale)
    for item in items.values():
        assert keys_of(item) == list(tiny.EXPRESSIONS)
        assert tuple(item.scale) == pytest.approx((1, 1, 1))
        assert tuple(item.rotation_euler) == pytest.approx((0, 0, 0))
        assert {group.name for group in item.vertex_groups} == {"head", "eye_L", "eye_R"}
    for item in items.values():  # balls: normals point away from the middle of their part
        assert_normals_point_outwards(item)
    full = shape_of(items["hero_LOD0"], ("jawOpen",))
    assert np.ptp(full[0][:, 2]) == pytest.approx(height, rel=1e-2)
    assert np.abs(full[1] - full[0]).max() == pytest.approx(0.02, rel=1e-3)  # the lower teeth


def test_unreal_gets_directx_normals_and_a_script_may_say_otherwise(
    blender, addon, export, result, tmp_path
):
    built = addon.build(result)
    normal = picture_of(addon, built.head, "Normal")
    run = blender.ops.uvapm.export_head
    run(filepath=str(tmp_path / "a.fbx"), preset="UNREAL", lods="1")
    run(filepath=str(tmp_path / "b.fbx"), preset="UNREAL", lods="1", directx=False)
    read = addon.images.read_file
    turned = read(tmp_path / "a_textures" / "a_skin_Normal.png", "Non-Color")
    same = read(tmp_path / "b_textures" / "b_skin_Normal.png", "Non-Color")
    np.testing.assert_allclose(same, normal, atol=A_LEVEL)
    np.testing.assert_allclose(turned[..., 1], 1 - normal[..., 1], atol=A_LEVEL)
    np.testing.assert_allclose(turned[..., 0], normal[..., 0], atol=A_LEVEL)
    assert set(import_into_empty(blender, tmp_path / "a.fbx")) == {"a"}


def test_web_preset_is_small(blender, addon, result, tmp_path):
    built = addon.build(result)
    addon.export_head(built.root, tmp_path / "all.glb", blender.context)
    blender.ops.uvapm.export_head(filepath=str(tmp_path / "web"), preset="WEB")
    header = json_of(tmp_path / "web.glb")
    assert {"image/jpeg", "image/png"} == {image["mimeType"] for image in header["images"]}
    primitive = next(m for m in header["meshes"] if m["name"] == "web_skin")["primitives"][0]
    assert "TANGENT" in primitive["attributes"]
    rough = next(m for m in header["materials"] if m["name"] == "web_skin")
    assert "metallicRoughnessTexture" in rough["pbrMetallicRoughness"]
    items = import_into_empty(blender, tmp_path / "web.glb")
    assert picture_of(addon, items["web_skin"], "Base Color").shape[:2] == (1024, 1024)
    assert items["web_skin"].data.shape_keys.key_blocks["jawOpen"].value == 0.0


def json_of(path):
    data = path.read_bytes()
    length = int.from_bytes(data[12:16], "little")
    return json.loads(data[20 : 20 + length])


def test_pictures_of_another_size(blender, addon, export, result, tmp_path):
    built = addon.build(result)
    settings = export.ExportSettings(texture_size=256, jpeg=True)
    addon.export_head(built.root, tmp_path / "head.gltf", blender.context, settings)
    sizes = {}
    for path in (tmp_path / "head_textures").iterdir():
        sizes[path.name] = addon.images.read_file(path).shape[0]
    expected = {
        "head_skin_BaseColor.jpg": 256,
        "head_skin_Normal.jpg": 256,
        "head_skin_MetalRough.jpg": 256,
        "head_eye_BaseColor.jpg": 64,
        "head_lash_BaseColor.png": 64,
    }
    assert expected.items() <= sizes.items()


def test_nodes_between_picture_and_shader_are_baked(blender, addon, result, tmp_path):
    built = addon.build(result)
    tree = built.head.active_material.node_tree
    shader = addon.material.principled(built.head.active_material)
    rough = addon.images.read_pixels(
        next(node.image for node in tree.nodes if node.label == "Roughness")
    )[..., 0]
    source = shader.inputs["Roughness"].links[0].from_socket
    node = tree.nodes.new("ShaderNodeMath")
    node.operation, node.inputs[1].default_value = "MULTIPLY", 0.5
    tree.links.new(source, node.inputs[0])
    tree.links.new(node.outputs[0], shader.inputs["Roughness"])
    before = scene_state(blender, built)
    addon.export_head(built.root, tmp_path / "head.obj", blender.context)
    assert scene_state(blender, built) == before
    written = addon.images.read_file(tmp_path / "head_textures" / "head_skin_Roughness.png")
    middle = slice(8, 13), slice(8, 13)  # inside a UV island: the bake fills no more
    np.testing.assert_allclose(written[..., 0][middle], 0.5 * rough[middle], atol=0.02)


@pytest.mark.parametrize("suffix", [".fbx", ".gltf", ".obj"])
def test_nothing_is_left_of_an_export_that_fails(
    blender, addon, result, tmp_path, monkeypatch, suffix
):
    built = addon.build(result)
    write = importlib.import_module("uvapm.uvapm_blender.export.write")
    errors = importlib.import_module("uvapm.engine.protocol.errors")
    kind = next(each for each in write._WRITERS if each.value == suffix)
    real = write._WRITERS[kind]

    def broken(path, settings):
        real(path, settings)
        raise RuntimeError("Error: the disk is full\nLocation: somewhere")

    monkeypatch.setitem(write._WRITERS, kind, broken)
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "other.txt").write_text("stays", encoding="utf-8")
    before = scene_state(blender, built)
    with pytest.raises(errors.EngineError, match=r"could not be written: .*disk is full"):
        addon.export_head(built.root, folder / f"head{suffix}", blender.context)
    assert scene_state(blender, built) == before
    assert [path.name for path in folder.iterdir()] == ["other.txt"]


@pytest.mark.parametrize("suffix", [".glb", ".gltf", ".obj"])
def test_an_export_that_fails_leaves_the_one_before(
    blender, addon, result, tmp_path, monkeypatch, suffix
):
    built = addon.build(result)
    path = tmp_path / "models" / f"head{suffix}"
    path.parent.mkdir()
    addon.export_head(built.root, path, blender.context)
    before = {each: each.read_bytes() for each in path.parent.rglob("*") if each.is_file()}
    write = importlib.import_module("uvapm.uvapm_blender.export.write")
    kind = next(each for each in write._WRITERS if each.value == suffix)

    def broken(path, settings):
        path.write_bytes(b"half a file")
        raise RuntimeError("Error: the disk is full")

    monkeypatch.setitem(write._WRITERS, kind, broken)
    with pytest.raises(Exception, match="disk is full"):
        addon.export_head(built.root, path, blender.context)
    after = {each: each.read_bytes() for each in path.parent.rglob("*") if each.is_file()}
    assert after == before and path in before


def test_export_operator(blender, addon, result, tmp_path):
    addon.build(result)
    path = tmp_path / "any.name"
    assert blender.ops.uvapm.export_head(filepath=str(path), format="GLB") == {"FINISHED"}
    assert (tmp_path / "any.name.glb").stat().st_size > 1000
    assert blender.ops.uvapm.export_head(filepath=str(tmp_path / "a.obj")) == {"FINISHED"}
    assert (tmp_path / "a.obj").is_file()
    with pytest.raises(RuntimeError, match=r"could not be written: .*No such folder") as caught:
        blender.ops.uvapm.export_head(filepath=str(tmp_path / "no" / "where.fbx"), format="FBX")
    assert "Traceback" not in str(caught.value)
