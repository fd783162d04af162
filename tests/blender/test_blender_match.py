"""Photo against head: overlays, views of the skin, the report."""

import importlib

import numpy as np
import pytest

pytestmark = pytest.mark.blender


@pytest.fixture
def head(blender, addon, result):
    return addon.build(result).root


def surface(root):
    """What the skin's output shows: a Principled shader, emission or diffuse clay."""
    tree = skin(root).node_tree
    output = next(node for node in tree.nodes if node.type == "OUTPUT_MATERIAL")
    return output.inputs["Surface"].links[0].from_node


def skin(root):
    return next(each for each in root.children if each.uvapm.role == "SKIN").active_material


def backgrounds(root):
    return list(root.uvapm.camera.data.background_images)


def test_photo_goes_behind_in_front_and_away(head):
    (photo,) = backgrounds(head)
    head.uvapm.match.photo = "FRONT"
    assert photo.display_depth == "FRONT" and photo.show_background_image
    head.uvapm.match.opacity = 0.25
    assert photo.alpha == 0.25
    head.uvapm.match.photo = "HIDDEN"
    assert not photo.show_background_image
    head.uvapm.match.photo = "BEHIND"
    assert photo.display_depth == "BACK" and photo.show_background_image


def test_differences_lie_over_the_photo_once(head):
    for _ in range(2):
        head.uvapm.match.residual = True
        shown = [each for each in backgrounds(head) if each.show_background_image]
        assert len(shown) == 2 and shown[1].display_depth == "FRONT"
        head.uvapm.match.residual = False
        assert [each.show_background_image for each in backgrounds(head)] == [True, False]
    head.uvapm.match.photo = "HIDDEN"  # the photo's settings leave the other picture alone
    assert not head.uvapm.match.problem


def test_views_come_and_go_and_leave_nothing(blender, head):
    images, nodes = set(blender.data.images), len(skin(head).node_tree.nodes)
    for view, kind in (("CLAY", "BSDF_DIFFUSE"), ("ALBEDO", "EMISSION"), ("ORIGIN", "EMISSION")):
        head.uvapm.match.view = view
        assert surface(head).type == kind
    head.uvapm.match.view = "SKIN"
    assert surface(head).type == "BSDF_PRINCIPLED"
    assert set(blender.data.images) == images and len(skin(head).node_tree.nodes) == nodes


def test_origin_is_shown_in_the_colours_of_the_legend(head, addon):
    origin = importlib.import_module("uvapm.engine.protocol.origin")
    head.uvapm.match.view = "ORIGIN"
    image = surface(head).inputs["Color"].links[0].from_node.image
    pixels = addon.images.read_pixels(image)[..., :3]
    np.testing.assert_allclose(pixels[0, 0], origin.ORIGIN_COLOURS[0], atol=0.01)  # all is seen


def test_a_view_survives_saving_and_comes_back_with_undo(blender, head, tmp_path):
    blender.ops.ed.undo_push(message="before")
    head.uvapm.match.view = "ORIGIN"
    blender.ops.ed.undo_push(message="view")
    blender.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
    blender.ops.wm.open_mainfile(filepath=str(tmp_path / "a.blend"))
    root = next(each for each in blender.data.objects if each.uvapm.role == "ROOT")
    assert surface(root).type == "EMISSION"
    assert surface(root).inputs["Color"].links[0].from_node.image.packed_file
    root.uvapm.match.view = "SKIN"
    assert surface(root).type == "BSDF_PRINCIPLED"


def test_a_missing_map_is_said_and_the_skin_stays(head, result):
    (result / "maps" / "origin.png").write_bytes(b"something else")
    head.uvapm.match.view = "ORIGIN"
    assert "changed" in head.uvapm.match.problem and surface(head).type == "BSDF_PRINCIPLED"
    (result / "residual.png").unlink()
    head.uvapm.match.residual = True
    assert "residual.png" in head.uvapm.match.problem and len(backgrounds(head)) == 1


def test_the_wipe_shows_the_left_part_of_the_picture(addon):
    wipe = importlib.import_module("uvapm.uvapm_blender.match.wipe")
    part = wipe.wiped_part((100.0, 50.0, 400.0, 200.0), 0.25)
    assert part["pos"] == [(100.0, 50.0), (200.0, 50.0), (200.0, 250.0), (100.0, 250.0)]
    assert max(u for u, _ in part["texCoord"]) == 0.25


def test_the_report_speaks_plainly(addon):
    report = importlib.import_module("uvapm.uvapm_blender.match.report")
    figures = report.parse_metrics("landmark_error: 0.0123\nbaked_light: 0.04\nodd line\nx: y")
    assert figures == {"landmark_error": 0.0123, "baked_light": 0.04}
    assert report.sentences(figures) == [
        "Points of the face lie 1.2 % of the eyes' distance off",
        "Light left in the texture: 4 %",
    ]
