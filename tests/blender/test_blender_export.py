"""What is exported comes back equal, and the scene does not notice."""

import importlib
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

pytestmark = [
    pytest.mark.blender,
    # io_scene_fbx of Blender 5.2 sets array shapes in place, which numpy 2.5 calls deprecated
    pytest.mark.filterwarnings("ignore:Setting the shape on a NumPy array:DeprecationWarning"),
]

KINDS = (
    "objects", "meshes", "materials", "images", "armatures", "collections", "node_groups",
    "shape_keys", "actions", "scenes", "worlds", "cameras",
)  # fmt: skip
PARTS = {"skin", "eye_L", "eye_R", "teeth", "tongue", "lashes"}
ON_GRID = 1e-6
"""Metres: rounding of 32-bit floats, through centimetres in FBX."""
A_LEVEL = 1.01 / 255


@pytest.fixture
def export(addon):
    return importlib.import_module("uvapm.uvapm_blender.export.settings")


def scene_state(bpy, built):
    links = sorted(
        (link.from_node.name, link.from_socket.identifier, link.to_node.name)
        for link in built.head.active_material.node_tree.links
    )
    layer = bpy.context.view_layer
    render = bpy.context.scene.render
    names = {kind: sorted(item.name for item in getattr(bpy.data, kind)) for kind in KINDS}
    chosen = [item.name for item in layer.objects.selected], layer.objects.active.name
    return names, links, chosen, render.engine, [part.hide_get() for part in built.parts]


def import_into_empty(bpy, path):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    reader, extra = {
        ".fbx": (bpy.ops.import_scene.fbx, {}),
        ".glb": (bpy.ops.import_scene.gltf, {"merge_vertices": True}),
        ".gltf": (bpy.ops.import_scene.gltf, {"merge_vertices": True}),
        ".obj": (bpy.ops.wm.obj_import, {}),
        ".usdc": (bpy.ops.wm.usd_import, {}),
        ".usdz": (bpy.ops.wm.usd_import, {}),
    }[path.suffix]
    reader(filepath=str(path), **extra)
    bpy.context.view_layer.update()
    return {i.data.name if "usd" in path.suffix else i.name: i for i in meshes_of(bpy)}


def meshes_of(bpy):
    return [item for item in bpy.data.objects if item.type == "MESH"]


def floats(items, name, width):
    values = np.empty(len(items) * width, np.float32)
    items.foreach_get(name, values)
    return values.reshape(-1, width).astype(np.float64)


def in_world(item, points):
    matrix = np.array(item.matrix_world)
    return points @ matrix[:3, :3].T + matrix[:3, 3]


def shape_of(item, names=()):
    """World places at rest, and of each named key: (1 + K, n, 3)."""
    if item.data.shape_keys is None:
        return in_world(item, floats(item.data.vertices, "co", 3))[None]
    blocks = item.data.shape_keys.key_blocks
    wanted = [blocks[0], *(blocks[name] for name in names)]
    return np.stack([in_world(item, floats(block.points, "co", 3)) for block in wanted])


def sorted_rows(table):
    """Rows in an order that does not depend on who wrote them."""
    table = np.round(table, 5) + 0.0
    return table[np.lexsort(table.T)]


def corners_of(item, names):
    """UV, and the places of every key, of each different corner."""
    index = np.empty(len(item.data.loops), np.int32)
    item.data.loops.foreach_get("vertex_index", index)
    uv = floats(item.data.uv_layers.active.uv, "vector", 2)
    shape = shape_of(item, names)[:, index].transpose(1, 0, 2).reshape(len(index), -1)
    return sorted_rows(np.unique(np.round(np.hstack([uv, shape]), 5) + 0.0, axis=0))


def keys_of(item):
    keys = item.data.shape_keys
    return [] if keys is None else [block.name for block in keys.key_blocks[1:]]


def picture_of(addon, item, socket):
    shader = addon.material.principled(item.active_material)
    node = shader.inputs[socket].links[0].from_node
    while node.type != "TEX_IMAGE":
        node = next(link.from_node for each in node.inputs for link in each.links)
    return addon.images.read_pixels(node.image)


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


def assert_normals_point_outwards(item):
    """The tiny result's skin is a ball; a level of detail keeps the full ball's normals."""
    index = np.empty(len(item.data.loops), np.int32)
    item.data.loops.foreach_get("vertex_index", index)
    slots = np.empty(len(item.data.polygons), np.int32)
    item.data.polygons.foreach_get("material_index", slots)
    sizes = np.empty(len(item.data.polygons), np.int32)
    item.data.polygons.foreach_get("loop_total", sizes)
    skin = np.repeat(slots, sizes) == [m.name for m in item.data.materials].index("hero_skin")
    points = floats(item.data.vertices, "co", 3)[index[skin]]
    away = points - (points.max(0) + points.min(0)) / 2
    away /= np.linalg.norm(away, axis=1, keepdims=True)
    normals = floats(item.data.corner_normals, "vector", 3)[skin]
    assert (normals * away).sum(1).min() > 0.9


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


VALIDATE = """
const validator = require('gltf-validator'), fs = require('fs'), path = require('path');
const file = process.argv[1], folder = path.dirname(file);
const read = name => new Uint8Array(fs.readFileSync(name));
validator.validateBytes(read(file), {
  uri: path.basename(file),
  externalResourceFunction: uri => Promise.resolve(read(path.join(folder, decodeURIComponent(uri))))
}).then(report => console.log(JSON.stringify(report.issues)));
"""


@pytest.fixture(scope="session")
def validate():
    """validate(path) -> issues that the Khronos validator finds.

    Needs node, and the npm package gltf-validator where node finds it: installed in the folder
    build/ of the project, or named by NODE_PATH.
    """
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    folder = Path(__file__).parents[2] / "build"
    folder = folder if folder.is_dir() else Path(__file__).parent

    def run(path):
        command = [node, "-e", VALIDATE, str(path)]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
        if "Cannot find module" in done.stderr:
            pytest.skip("npm install --prefix build gltf-validator, then this test runs")
        return json.loads(done.stdout)

    return run


@pytest.mark.parametrize("name", ["head.glb", "head.gltf", "web.glb", "game.glb"])
def test_khronos_validator_has_no_complaint(
    blender, addon, export, result, tmp_path, validate, name
):
    built = addon.build(result)
    settings = {
        "head": export.ExportSettings(),
        "web": export.PRESETS["WEB"].settings,
        "game": export.ExportSettings(joined=True, skeleton=True, lods=2),
    }[name.partition(".")[0]]
    addon.export_head(built.root, tmp_path / name, blender.context, settings)
    issues = validate(tmp_path / name)
    assert (issues["numErrors"], issues["numWarnings"]) == (0, 0), issues["messages"]
