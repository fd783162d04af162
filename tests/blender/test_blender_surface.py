"""Teeth, the eye's colours, subdivision."""

import importlib

import numpy as np
import pytest

pytestmark = pytest.mark.blender


def module(name):
    return importlib.import_module(f"uvapm.uvapm_blender.{name}")


def by_label(built):
    return {part.name.partition(" ")[2]: part for part in built.parts}


@pytest.fixture
def head(addon, result):
    return addon.build(result)


# --- materials ------------------------------------------------------------------------------


def test_the_iris_keeps_its_colour_until_it_is_changed(blender, head, addon):
    material = by_label(head)["eye L"].active_material
    eyes = module("scene.eye_material")
    colour = eyes.eye_control(material, eyes.IRIS).default_value[:3]
    image = next(i for i in blender.data.images if i.name.endswith(" eye"))
    pixels = addon.images.read_pixels(image)
    assert colour == pytest.approx(eyes.iris_colour(pixels), abs=1e-5)
    assert eyes.eye_control(material, eyes.PUPIL).default_value == 1.0
    assert eyes.eye_control(None, eyes.PUPIL) is None


def test_the_eye_of_an_earlier_version_gets_the_controls_once(blender, head, addon):
    material = by_label(head)["eye L"].active_material
    eyes, tree = module("scene.eye_material"), material.node_tree
    image = next(node.image for node in tree.nodes if node.type == "TEX_IMAGE")
    shader = addon.material.principled(material)
    for node in [node for node in tree.nodes if node.type not in ("BSDF_PRINCIPLED", "OUTPUT")]:
        if node.type != "OUTPUT_MATERIAL":
            tree.nodes.remove(node)
    texture = tree.nodes.new("ShaderNodeTexImage")
    texture.image = image
    tree.links.new(texture.outputs["Color"], shader.inputs["Base Color"])
    eyes.shade_old_eye(material)
    count = len(tree.nodes)
    eyes.shade_old_eye(material)
    assert eyes.eye_control(material, eyes.WHITE).default_value == 1.0
    assert len(tree.nodes) == count > 10


def test_teeth_show_one_by_one(addon, default_pack):
    read = importlib.import_module("uvapm.engine.protocol.headpack").read_pack
    mesh = read(default_pack).head
    parts = mesh.part_names
    teeth = importlib.import_module("uvapm.engine.protocol.teeth")
    chosen = mesh.face_part == parts.index("teeth_upper")
    uv = teeth.teeth_uv(mesh.mean, mesh.quads[chosen], np.ones(chosen.sum(), bool))
    corners = mesh.mean[mesh.quads[chosen]]
    assert ((uv[..., 0] > 0.5) == (corners[..., 0] > corners[..., 0].mean())).mean() > 0.98
    assert np.corrcoef(uv[..., 1].ravel(), corners[..., 1].ravel())[0, 1] > 0.85
    assert uv[..., 1].min() >= 0.5, "the upper jaw's half of the picture"


def test_the_picture_of_the_teeth_is_what_the_code_draws(blender, head, addon):
    teeth = importlib.import_module("uvapm.engine.protocol.teeth")
    image = next(i for i in blender.data.images if "teeth" in i.name)
    seen = addon.images.read_pixels(image)[..., :3]
    np.testing.assert_allclose(seen, teeth.teeth_picture(), atol=0.6 / 255)


# --- subdivision ----------------------------------------------------------------------------


def test_subdivision_is_a_modifier_of_ours_beside_the_users(blender, head):
    smooth = module("rig.smooth")
    own = head.head.modifiers.new("mine", "SMOOTH")
    assert blender.ops.uvapm.smooth_head() == {"FINISHED"}
    assert smooth.is_smooth(head.root)
    assert {m.type for m in head.head.modifiers} == {"SMOOTH", "SUBSURF"}
    assert not by_label(head)["lashes"].modifiers, "flat strips would only lose their roots"
    assert blender.ops.uvapm.smooth_head() == {"FINISHED"}
    assert list(head.head.modifiers) == [own] and not smooth.is_smooth(head.root)
