"""The skin's normal and roughness maps, from the result through saving and export."""

import numpy as np
import pytest

pytestmark = [
    pytest.mark.blender,
    # io_scene_fbx of Blender 5.2 sets array shapes in place, which numpy 2.5 calls deprecated
    pytest.mark.filterwarnings("ignore:Setting the shape on a NumPy array:DeprecationWarning"),
]


def source(socket):
    """The image behind a socket, through a normal map node where there is one."""
    node = socket.links[0].from_node
    return source(node.inputs["Color"]) if node.type == "NORMAL_MAP" else node.image


def skin_of(bpy, addon):
    part = next(item for item in bpy.data.objects if item.name.endswith("head"))
    return part.active_material, addon.material.principled(part.active_material).inputs


def test_the_maps_are_data_and_the_relief_has_a_strength(blender, addon, result):
    material, inputs = skin_of(blender, addon) if addon.build(result) else None
    assert addon.material.skin_relief_socket(material).default_value == 1.0
    for name in ("Normal", "Roughness"):
        image = source(inputs[name])
        assert image.colorspace_settings.name == "Non-Color" and image.packed_file
    assert source(inputs["Base Color"]).colorspace_settings.name == "sRGB"
    assert addon.material.skin_relief_socket(None) is None
    material.node_tree.nodes.remove(inputs["Normal"].links[0].from_node)
    assert addon.material.skin_relief_socket(material) is None


def test_the_strength_survives_saving_and_reloading(blender, addon, result, tmp_path):
    addon.build(result)
    material, inputs = skin_of(blender, addon)
    before = addon.images.read_pixels(source(inputs["Normal"])).copy()
    addon.material.skin_relief_socket(material).default_value = 0.4
    blender.ops.wm.save_as_mainfile(filepath=str(tmp_path / "head.blend"))
    for path in result.rglob("*.png"):
        path.unlink()
    blender.ops.wm.open_mainfile(filepath=str(tmp_path / "head.blend"))
    material, inputs = skin_of(blender, addon)
    assert addon.material.skin_relief_socket(material).default_value == pytest.approx(0.4)
    np.testing.assert_array_equal(addon.images.read_pixels(source(inputs["Normal"])), before)


def exported(blender, addon, tmp_path, suffix):
    built = next(item for item in blender.data.objects if addon.heads.role_of(item) == "ROOT")
    path = tmp_path / f"head{suffix}"
    addon.export_head(built, path, blender.context)
    return path


@pytest.mark.parametrize("suffix", [".fbx", ".glb"])
def test_the_maps_come_through_an_export(blender, addon, result, tmp_path, suffix):
    """The relief's strength is in the written normal map: engines read no strength from files."""
    addon.build(result)
    material, inputs = skin_of(blender, addon)
    normal, rough = (
        addon.images.read_pixels(source(inputs[name]))[..., :3].copy()
        for name in ("Normal", "Roughness")
    )
    addon.material.skin_relief_socket(material).default_value = 0.4
    path = exported(blender, addon, tmp_path, suffix)
    blender.ops.wm.read_factory_settings(use_empty=True)
    if suffix == ".fbx":
        blender.ops.import_scene.fbx(filepath=str(path))
    else:
        blender.ops.import_scene.gltf(filepath=str(path))
    inputs = addon.material.principled(blender.data.materials["head_skin"]).inputs
    relief = inputs["Normal"].links[0].from_node
    assert relief.inputs["Strength"].default_value == pytest.approx(1.0)
    image = source(inputs["Normal"])
    assert image.colorspace_settings.name == "Non-Color"
    flat = np.array([0.0, 0.0, 1.0])
    weaker = flat + 0.4 * (2.0 * normal - 1.0 - flat)
    weaker /= np.linalg.norm(weaker, axis=-1, keepdims=True)
    np.testing.assert_allclose(
        addon.images.read_pixels(image)[..., :3], weaker / 2.0 + 0.5, atol=0.005
    )
    if suffix == ".glb":
        node = inputs["Roughness"].links[0].from_node  # separates the green channel
        found = addon.images.read_pixels(node.inputs[0].links[0].from_node.image)[..., 1]
        np.testing.assert_allclose(found, rough[..., 1], atol=0.005)


def test_relief_shows_in_a_render(blender, addon, result, tmp_path):
    """The tiny result's normals lean: the picture changes with the strength, and only then."""
    addon.build(result)
    material, _ = skin_of(blender, addon)
    scene = blender.context.scene
    scene.render.engine, scene.cycles.samples, scene.cycles.seed = "CYCLES", 1, 1
    scene.cycles.device = "CPU"
    scene.render.resolution_percentage = 30
    pictures = []
    for strength in (0.0, 0.0, 1.0):
        addon.material.skin_relief_socket(material).default_value = strength
        scene.render.filepath = str(tmp_path / f"{len(pictures)}.png")
        blender.ops.render.render(write_still=True)
        image = blender.data.images.load(scene.render.filepath)
        pictures.append(addon.images.read_pixels(image)[..., :3].copy())
    assert np.abs(pictures[0] - pictures[1]).max() < 1e-6
    assert np.abs(pictures[0] - pictures[2]).mean() > 1e-3
