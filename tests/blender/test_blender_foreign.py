"""Heads of other packs: triangles, other parts, names and numbers of sliders."""

import importlib

import numpy as np
import pytest

from tests.blender import foreign_head as foreign

pytestmark = [
    pytest.mark.blender,
    pytest.mark.filterwarnings("ignore:Setting the shape on a NumPy array:DeprecationWarning"),
]


@pytest.fixture
def built(addon, tiny, tmp_path):
    folder = foreign.write_foreign_result(tiny, tmp_path / "foreign", tmp_path / "photo.png")
    return addon.build(folder)


def part_named(built, ending):
    return next(part for part in built.parts if part.name.endswith(ending))


def test_triangles_and_quads_are_faces_of_their_own(built, tiny):
    mesh = foreign.foreign_mesh(tiny)
    skin = built.head.data
    assert {face.loop_total for face in skin.polygons} == {3, 4}
    assert not skin.validate()
    chosen = mesh["face_part"] == foreign.PARTS.index("skin")
    triangle = mesh["quads"][:, 2] == mesh["quads"][:, 3]
    for wanted, size in ((chosen & triangle, 3), (chosen & ~triangle, 4)):
        faces = [face for face in skin.polygons if face.loop_total == size]
        uv = [[tuple(skin.uv_layers.active.uv[i].vector) for i in f.loop_indices] for f in faces]
        np.testing.assert_allclose(uv, mesh["corner_uv"][wanted][:, :size], atol=1e-6)
    assert all(sum(a * b for a, b in zip(f.center, f.normal, strict=True)) > -0.2
               for f in skin.polygons)  # fmt: skip


def test_parts_without_a_plan_are_objects_of_their_own(built):
    labels = {part.name.partition(" ")[2] for part in built.parts}
    assert labels == {"head", "eye L", "eye R", "teeth", "occlusion film"}
    assert part_named(built, "occlusion film").uvapm.kind == "plain"


def test_sliders_are_those_of_the_pack(built):
    shape = built.root.uvapm.shape
    assert len(shape.components) == foreign.COMPONENTS
    assert [item.name for item in shape.expressions] == list(foreign.EXPRESSIONS)
    keys = built.head.data.shape_keys.key_blocks
    assert [keys[name].value for name in foreign.EXPRESSIONS] == pytest.approx(foreign.WEIGHTS)
    keys["jawOpen"].value = 1.0
    teeth = part_named(built, "teeth").data.shape_keys.key_blocks
    assert "jawOpen" in teeth


def test_what_people_do_with_a_head_works(blender, built, tmp_path):
    ops = blender.ops.uvapm
    assert ops.add_look_target() == {"FINISHED"}
    blender.context.view_layer.objects.active = built.head
    assert ops.close_lids() == {"CANCELLED"}  # it has no blinks: it says so
    assert ops.smooth_head() == {"FINISHED"}
    assert ops.randomise_shape(kind="EXPRESSION") == {"FINISHED"}
    for name in ("head.glb", "head.fbx", "head.obj"):
        path = tmp_path / name
        assert ops.export_head(filepath=str(path), format=name[5:].upper()) == {"FINISHED"}
        assert path.stat().st_size > 1000
    assert ops.remove_head() == {"FINISHED"}
    assert not blender.data.meshes


def test_lids_are_found_over_triangles(addon):
    """The seam around a socket, whatever its faces are."""
    margins = importlib.import_module("uvapm.uvapm_blender.rig.margins")
    quads = np.array([[0, 1, 4, 3], [1, 2, 5, 4], [3, 4, 6, 6]])
    uv = np.zeros((3, 4, 2))
    uv[:2] = np.array([[0, 0], [1, 0], [4, 0], [3, 0]])[None] / 8.0
    uv[2] = 0.9
    found = {tuple(edge) for edge in margins.seam_edges(quads, uv).tolist()}
    assert (3, 4) in found and all(a != b for a, b in found)


def test_teeth_one_by_one_get_enamel_without_gaps_and_gums(addon):
    teeth = importlib.import_module("uvapm.engine.protocol.teeth")
    assert teeth.pieces_of(9, np.array([[0, 1, 2, 2], [2, 3, 4, 4], [5, 6, 7, 8]])) == 2
    random = np.random.default_rng(0)
    angles = np.linspace(-1.2, 1.2, 8)
    middles = 0.03 * np.stack([np.sin(angles), 0 * angles, np.cos(angles)], -1)
    vertices = (middles[:, None] + random.normal(0.0, 0.003, (8, 4, 3))).reshape(-1, 3)
    quads = np.arange(32).reshape(8, 4)
    uv = teeth.arch_uv(vertices, quads, upper=True)
    assert np.ptp(uv[..., 0]) == 0.0
    rows = ((1.0 - uv[..., 1]) * teeth.HEIGHT).astype(int)
    seen = teeth.teeth_picture()[rows, int(uv[0, 0, 0] * teeth.WIDTH)]
    assert (seen.min(axis=-1) > 0.55).all() and (seen[..., 0] - seen[..., 1] < 0.12).all()
