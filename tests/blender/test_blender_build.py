"""What `build_scene` puts into a scene."""

import numpy as np
import pytest

pytestmark = pytest.mark.blender

PARTS = {"head", "eye L", "eye R", "teeth", "tongue", "lashes"}


def label(part):
    return part.name.partition(" ")[2]


def by_label(built):
    return {label(part): part for part in built.parts}


def coordinates(mesh, kind="vertices", name="co"):
    values = np.empty(len(getattr(mesh, kind)) * 3, np.float32)
    getattr(mesh, kind).foreach_get(name, values)
    return values.reshape(-1, 3)


def evaluated(bpy, part):
    """World coordinates of the vertices with all keys applied."""
    bpy.context.view_layer.update()
    copy = part.evaluated_get(bpy.context.evaluated_depsgraph_get())
    points = coordinates(copy.data)
    return points @ np.array(copy.matrix_world)[:3, :3].T + np.array(copy.matrix_world)[:3, 3]


def test_the_parts_are_quads_in_place(blender, addon, tiny, result):
    built = addon.build(result)
    parts, mesh = by_label(built), tiny.tiny_mesh()
    assert set(parts) == PARTS and built.head is parts["head"]
    assert sum(len(part.data.polygons) for part in built.parts) == len(mesh["quads"])
    for part in built.parts:
        assert part.parent == built.root and part.users_collection == (built.collection,)
        assert {face.loop_total for face in part.data.polygons} == {4}
        assert all(face.use_smooth for face in part.data.polygons)
        assert not part.data.validate(), "Blender found the mesh faulty"
    used = np.concatenate([part.data.attributes["uvapm_vertex"].data for part in built.parts])
    assert sorted(item.value for item in used) == list(range(len(mesh["neutral"])))
    for part in built.parts:
        index = [item.value for item in part.data.attributes["uvapm_vertex"].data]
        x, y, z = mesh["neutral"][index].T
        there = coordinates(part.data) + np.array(part.location, np.float32)
        np.testing.assert_allclose(there, np.stack([x, -z, y], -1), atol=1e-6)


def test_faces_look_outwards_and_the_face_looks_along_minus_y(blender, addon, result):
    head = addon.build(result).head
    centre = coordinates(head.data).mean(0)
    outward = [np.dot(np.array(f.center) - centre, f.normal) > 0 for f in head.data.polygons]
    assert all(outward)
    eyes = evaluated(blender, by_label_name(blender, "eye L"))
    assert eyes[:, 0].mean() > 0.02, "the subject's left eye is at +x"


def by_label_name(bpy, name):
    return next(item for item in bpy.data.objects if item.name.endswith(name))


def test_corner_uvs(blender, addon, tiny, result):
    head, mesh = addon.build(result).head, tiny.tiny_mesh()
    uv = np.empty(len(head.data.loops) * 2, np.float32)
    head.data.uv_layers.active.uv.foreach_get("vector", uv)
    expected = mesh["corner_uv"][mesh["face_part"] == 0]
    np.testing.assert_allclose(uv.reshape(-1, 4, 2), expected, atol=1e-7)


def test_expression_keys_and_their_weights(blender, addon, tiny, result):
    parts = by_label(addon.build(result))
    names = {name: [k.name for k in p.data.shape_keys.key_blocks[1:]] if p.data.shape_keys else []
             for name, p in parts.items()}  # fmt: skip
    assert names == {
        "head": list(tiny.EXPRESSIONS),
        "eye L": ["eyeLookInLeft"],
        "eye R": [],
        "teeth": ["jawOpen"],
        "tongue": ["jawOpen"],
        "lashes": ["eyeBlinkLeft"],
    }
    keys = parts["head"].data.shape_keys.key_blocks
    assert [key.value for key in keys[1:]] == pytest.approx(tiny.WEIGHTS)


def test_one_slider_moves_every_part(blender, addon, tiny, result):
    built = addon.build(result)
    parts, mesh = by_label(built), tiny.tiny_mesh()
    keys = built.head.data.shape_keys.key_blocks
    for weights in (tiny.WEIGHTS, (0.0, 1.0, 1.0)):
        for name, weight in zip(tiny.EXPRESSIONS, weights, strict=True):
            keys[name].value = weight
        posed = mesh["neutral"] + np.tensordot(weights, mesh["expression"].astype(float), 1)
        for part in parts.values():
            index = [item.value for item in part.data.attributes["uvapm_vertex"].data]
            x, y, z = posed[index].T
            there = evaluated(blender, part)
            np.testing.assert_allclose(there, np.stack([x, -z, y], -1), atol=2e-6)


def test_an_eye_turns_about_its_centre(blender, addon, result):
    eye = by_label(addon.build(result))["eye L"]
    before = evaluated(blender, eye)
    eye.rotation_euler.z = 0.7
    after = evaluated(blender, eye)
    np.testing.assert_allclose(after.mean(0), before.mean(0), atol=1e-6)
    assert np.abs(after - before).max() > 1e-3


def test_the_scene_gets_camera_light_and_size(blender, addon, tiny, result):
    built, scene = addon.build(result), blender.context.scene
    assert scene.camera == built.camera and scene.world == built.world
    assert (scene.render.resolution_x, scene.render.resolution_y) == (160, 120)
    assert blender.context.view_layer.objects.active == built.head
    head = built.root.uvapm
    assert head.schema_version == 2 and head.pack == "tiny 1"
    assert "landmark_error_px: 1.25" in head.metrics and head.warnings == "The photo is small."


def test_two_heads_stand_side_by_side_with_their_own_data(blender, addon, result):
    first, second = addon.build(result), addon.build(result)
    right = max(evaluated(blender, part)[:, 0].max() for part in first.parts)
    left = min(evaluated(blender, part)[:, 0].min() for part in second.parts)
    assert left > right
    for one, other in zip(first.parts, second.parts, strict=True):
        assert one.data != other.data and one.active_material != other.active_material
    offset = second.camera.matrix_world.translation - first.camera.matrix_world.translation
    assert offset.x == pytest.approx(second.root.location.x) and offset.yz.length < 1e-6
    third = addon.build(result)
    assert third.root.location.x > second.root.location.x
    used = [i.users for i in blender.data.images]
    assert len(blender.data.images) == 24 and all(used)
    first.head.data.shape_keys.key_blocks["jawOpen"].value = 1.0
    assert second.head.data.shape_keys.key_blocks["jawOpen"].value == 0.5


def test_the_skin_shows_the_albedo_that_the_sliders_write(blender, addon, result):
    built = addon.build(result)
    socket = addon.material.principled(built.head.active_material).inputs["Base Color"]
    image = socket.links[0].from_node.image
    assert image == built.root.uvapm.detail.albedo and image.name == "portrait albedo"


def test_lashes_are_transparent_where_their_map_is(blender, addon, result):
    material = by_label(addon.build(result))["lashes"].active_material
    link = addon.material.principled(material).inputs["Alpha"].links[0]
    assert link.from_socket.name == "Alpha" and "lash" in link.from_node.image.name


@pytest.mark.parametrize("broken", ["new_world", "new_camera", "load_packed"])
def test_a_failed_build_leaves_the_scene_as_it_was(blender, addon, result, monkeypatch, broken):
    addon.build(result)
    module = addon.scene_build
    kinds = [*addon.made.KINDS, "shape_keys", "node_groups"]
    count = {kind: len(getattr(blender.data, kind)) for kind in kinds}
    scene, offset = blender.context.scene, len(blender.context.scene.objects)
    world, camera = scene.world, scene.camera
    owner = {"new_world": module.world, "new_camera": module.camera}.get(broken, module)

    def fail(*arguments):
        raise ValueError("broken on purpose")

    monkeypatch.setattr(owner, broken, fail)
    with pytest.raises(ValueError, match="on purpose"):
        addon.build(result)
    assert count == {kind: len(getattr(blender.data, kind)) for kind in kinds}
    assert (scene.world, scene.camera, len(scene.objects)) == (world, camera, offset)


def test_a_lost_photo_is_a_warning(blender, addon, result, tmp_path):
    (tmp_path / "portrait.png").unlink()
    built = addon.build(result)
    assert "portrait.png" in built.warnings[0] and "portrait.png" in built.root.uvapm.warnings
    assert not built.camera.data.background_images


def test_a_changed_photo_is_not_shown(blender, addon, tiny, result, tmp_path):
    tiny.write_png(tmp_path / "portrait.png", np.zeros((8, 8, 3)))
    built = addon.build(result)
    assert "was changed" in built.warnings[0] and not built.camera.data.background_images
    assert not [image for image in blender.data.images if image.name.endswith("photo")]


def test_removing_a_head_leaves_nothing_of_it(blender, addon, result):
    kinds = [*addon.made.KINDS, "shape_keys"]
    count = {kind: len(getattr(blender.data, kind)) for kind in kinds}
    addon.build(result)
    second = addon.build(result)
    assert blender.ops.uvapm.remove_head() == {"FINISHED"}, second
    blender.context.view_layer.objects.active = by_label_name(blender, "head")
    assert blender.ops.uvapm.remove_head() == {"FINISHED"}
    assert count == {kind: len(getattr(blender.data, kind)) for kind in kinds}


def test_deleting_by_hand_leaves_no_orphans(blender, addon, result):
    built = addon.build(result)
    blender.data.batch_remove([built.root, *built.parts, built.camera])
    blender.data.collections.remove(built.collection)
    blender.context.scene.world = None
    blender.ops.outliner.orphans_purge(do_recursive=True)
    left = {kind: len(getattr(blender.data, kind)) for kind in addon.made.KINDS}
    assert not any(left.values()), left


def test_vertex_groups_come_from_the_very_pack(blender, addon, tiny, result, monkeypatch, tmp_path):
    """Soft weights on the skin; groups that cover a part wholly or not at all are left out."""
    protocol = addon.groups.__dict__
    count = len(tiny.tiny_mesh()["neutral"])
    skin, lips = np.zeros(count), np.zeros(count)
    skin[:218], lips[:3] = 1.0, (1.0, 0.5, 0.004)

    class Manifest:
        files = {"head.safetensors": "f" * 64}
        head = type("Head", (), {"group_names": ("skin", "lips")})

    sha = ["0" * 64]
    monkeypatch.setitem(protocol, "read_manifest", lambda folder: (Manifest, sha[0]))
    monkeypatch.setitem(protocol, "file_sha256", lambda path, name: "f" * 64)
    monkeypatch.setitem(
        protocol, "read_safetensors", lambda path: {"groups": np.float16([skin, lips])}
    )
    head = addon.build(result).head
    assert [group.name for group in head.vertex_groups] == ["lips"]
    weights = [v.groups[0].weight for v in head.data.vertices if v.groups]
    assert weights == pytest.approx([1.0, 0.5])
    sha[0] = "1" * 64
    assert not addon.build(result).head.vertex_groups, "another pack's vertices are other points"


def test_a_head_of_the_default_pack_has_its_regions(blender, addon, default_pack):
    schema = addon.groups.PackInfo("default", "1", addon.groups.read_manifest(default_pack)[1])
    arrays = addon.groups.read_safetensors(default_pack / "head.safetensors")
    groups = addon.groups.pack_groups(schema, default_pack, arrays["groups"].shape[1])
    assert {"lips", "neck", "scalp", "ears", "eyelids_left", "eyelids_right"} <= set(groups)
    assert all(weights.min() >= 0 and weights.max() <= 1 for weights in groups.values())


def add_box(bpy, size, location=(0, 0, 0)):
    bpy.ops.mesh.primitive_cube_add(size=1, location=location, scale=size)


@pytest.mark.parametrize(
    ("size", "location", "moves"),
    [
        ((2, 2, 2), (0, 0, 0), True),
        ((0.1, 0.1, 0.1), (0, -0.5, 0), True),  # between camera and head
        ((50, 50, 0.1), (0, 0, -0.1), False),  # a floor
        ((2, 2, 2), (0, 3, 0), False),  # behind the head
    ],
    ids=["default cube", "before the camera", "floor", "elsewhere"],
)
def test_the_head_stands_beside_what_is_in_its_way(
    blender, addon, tiny, tmp_path, size, location, moves
):
    add_box(blender, size, location)
    camera = tiny.TinyCamera(yaw=0.0)
    built = addon.build(tiny.write_tiny_result(tmp_path / "r", tmp_path / "p.png", camera))
    assert (built.root.location.x > 0) == moves
    if moves:
        left = min(evaluated(blender, part)[:, 0].min() for part in built.parts)
        assert left > location[0] + size[0] / 2
