"""Undo, saving and export."""

import numpy as np
import pytest

pytestmark = [
    pytest.mark.blender,
    # io_scene_fbx of Blender 5.2 sets array shapes in place, which numpy 2.5 calls deprecated
    pytest.mark.filterwarnings("ignore:Setting the shape on a NumPy array:DeprecationWarning"),
]

KINDS = ("objects", "meshes", "materials", "images", "cameras", "worlds", "collections")


def counts(bpy):
    return {kind: len(getattr(bpy.data, kind)) for kind in KINDS}


def find(bpy, ending):
    return next(item for item in bpy.data.objects if item.name.endswith(ending))


def image_pixels(bpy, addon):
    return {image.name: addon.images.read_pixels(image).copy() for image in bpy.data.images}


def assert_same_pixels(before, after):
    assert before.keys() == after.keys()
    for name, pixels in before.items():
        np.testing.assert_allclose(after[name], pixels, rtol=2e-3, atol=2e-3, err_msg=name)


def test_import_is_one_undo_step(blender, addon, result):
    blender.ops.ed.undo_push(message="before")
    before = counts(blender)
    done = blender.ops.uvapm.import_result("EXEC_DEFAULT", True, directory=str(result))
    assert done == {"FINISHED"}
    built, pixels = counts(blender), image_pixels(blender, addon)
    blender.ops.ed.undo()
    assert counts(blender) == before and blender.context.scene.world is None
    blender.ops.ed.redo()
    assert counts(blender) == built
    assert_same_pixels(pixels, image_pixels(blender, addon))
    keys = find(blender, "head").data.shape_keys.key_blocks
    assert keys["jawOpen"].value == 0.5 and blender.context.scene.camera is not None
    root = addon.heads.head_of(find(blender, "tongue"))
    assert root.uvapm.world == blender.context.scene.world


def test_save_and_reload(blender, addon, result, tmp_path):
    built = addon.build(result)
    lens, shift = built.camera.data.lens, built.camera.data.shift_x
    pose = np.array(built.camera.matrix_world)
    before, pixels = counts(blender), image_pixels(blender, addon)
    blender.ops.wm.save_as_mainfile(filepath=str(tmp_path / "head.blend"))
    for path in [*result.rglob("*.png"), tmp_path / "portrait.png"]:
        path.unlink()  # the .blend must not need them
    blender.ops.wm.open_mainfile(filepath=str(tmp_path / "head.blend"))
    assert counts(blender) == before
    assert all(image.packed_file for image in blender.data.images)
    assert_same_pixels(pixels, image_pixels(blender, addon))
    camera = blender.context.scene.camera
    assert (camera.data.lens, camera.data.shift_x) == (lens, shift)
    blender.context.view_layer.update()
    np.testing.assert_allclose(np.array(camera.matrix_world), pose, atol=1e-6)
    head = find(blender, "head")
    assert head.data.shape_keys.key_blocks["jawOpen"].value == 0.5
    driven = find(blender, "tongue").data.shape_keys.key_blocks["jawOpen"]
    head.data.shape_keys.key_blocks["jawOpen"].value = 0.75
    blender.context.view_layer.update()
    assert driven.value == 0.75
    assert addon.heads.head_of(head).uvapm.camera == camera


def test_the_result_folder_is_stored_relative_to_a_saved_file(blender, addon, result, tmp_path):
    blender.ops.wm.save_as_mainfile(filepath=str(tmp_path / "head.blend"))
    assert addon.build(result).root.uvapm.result_folder == "//result"


def scene_state(bpy, built):
    material = built.head.active_material
    links = sorted(
        (link.from_node.name, link.from_socket.identifier, link.to_node.name)
        for link in material.node_tree.links
    )
    layer = bpy.context.view_layer
    return counts(bpy), links, [o.name for o in layer.objects.selected], layer.objects.active.name


def import_into_empty(bpy, path):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    if path.suffix == ".fbx":
        bpy.ops.import_scene.fbx(filepath=str(path))
    else:
        bpy.ops.import_scene.gltf(filepath=str(path), merge_vertices=True)
    bpy.context.view_layer.update()


def uv_of(mesh):
    """UV of each corner with its position, as rounded sorted rows: corner order may change."""
    uv = np.empty(len(mesh.loops) * 2, np.float32)
    mesh.uv_layers.active.uv.foreach_get("vector", uv)
    return {tuple(row) for row in np.round(uv.reshape(-1, 2), 4).tolist()}


@pytest.mark.parametrize("suffix", [".fbx", ".glb"])
@pytest.mark.parametrize("photo", [1.0, 0.0, 0.5])
def test_export_and_import_again(blender, addon, tiny, result, tmp_path, suffix, photo):
    addon.build(result)  # must not come along
    built = addon.build(result)
    built.root.uvapm.detail.photo = photo
    seen = addon.images.read_pixels(built.root.uvapm.detail.albedo)[..., :3].copy()
    size = {part.name: len(part.data.vertices) for part in built.parts}
    uv = uv_of(built.head.data)
    height = built.head.dimensions.z
    names = {part.name: part.name.partition(" ")[2] for part in built.parts}
    before, path = scene_state(blender, built), tmp_path / f"head{suffix}"
    addon.export_head(built.root, path, blender.context)
    assert scene_state(blender, built) == before

    import_into_empty(blender, path)
    meshes = {item.name: item for item in blender.data.objects if item.type == "MESH"}
    assert set(meshes) == set(names)
    assert {name: len(item.data.vertices) for name, item in meshes.items()} == size
    head = next(meshes[name] for name, label in names.items() if label.startswith("head"))
    assert uv_of(head.data) == uv
    keys = head.data.shape_keys.key_blocks
    assert [key.name for key in keys[1:]] == list(tiny.EXPRESSIONS)
    points = np.array([tuple(p.co) for p in keys["jawOpen"].data])
    basis = np.array([tuple(p.co) for p in keys[0].data])
    moved = (head.matrix_world.to_3x3() @ head.matrix_world.to_3x3().inverted(), points - basis)[1]
    scale = max(head.matrix_world.to_scale())
    assert np.abs(moved).max() * scale == pytest.approx(0.01, rel=0.01)
    assert head.dimensions.z == pytest.approx(height, rel=1e-4)
    shader = addon.material.principled(head.active_material)
    image = shader.inputs["Base Color"].links[0].from_node.image
    colour = addon.images.read_pixels(image)[..., :3]
    np.testing.assert_allclose(colour, seen, atol=0.01)
    if photo == 1.0:
        np.testing.assert_allclose(colour, tiny._gradient(64, 64), atol=0.01)


def test_export_takes_hidden_parts_and_hides_them_again(blender, addon, result, tmp_path):
    built = addon.build(result)
    built.parts[-1].hide_set(True)
    addon.export_head(built.root, tmp_path / "head.glb", blender.context)
    assert built.parts[-1].hide_get()
    count = len(built.parts)
    import_into_empty(blender, tmp_path / "head.glb")
    assert len([item for item in blender.data.objects if item.type == "MESH"]) == count


def test_export_operator(blender, addon, result, tmp_path):
    addon.build(result)
    path = tmp_path / "any.name"
    assert blender.ops.uvapm.export_head(filepath=str(path), format="GLB") == {"FINISHED"}
    assert (tmp_path / "any.name.glb").stat().st_size > 1000
    with pytest.raises(RuntimeError, match=r"could not be written: .*No such file") as caught:
        blender.ops.uvapm.export_head(filepath=str(tmp_path / "no" / "where.fbx"), format="FBX")
    assert "Traceback" not in str(caught.value)


def test_headless_build(blender, addon, result, tmp_path):
    import importlib

    headless = importlib.import_module("uvapm.uvapm_blender.headless")
    written = headless.build_head(result, tmp_path, headless.FORMATS)
    assert {path.name for path in written} == {"head.blend", "head.fbx", "head.glb"}
    assert all(path.stat().st_size > 1000 for path in written)
    blender.ops.wm.open_mainfile(filepath=str(tmp_path / "head.blend"))
    assert blender.context.scene.camera is not None
    with pytest.raises(Exception, match="Expected formats"):
        headless.build_head(result, tmp_path, ("obj",))
