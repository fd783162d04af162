"""GNM's file becomes a head source, or is refused in words."""

import numpy as np
import pytest

from engine.packs.heads import gnm
from engine.protocol.errors import EngineError, ErrorCode
from engine.reporter import NullReporter
from tests.packs.heads.tiny_flame import changed, dropped, gnm_arrays, npz_bytes, with_, write


def read(folder, arrays, *others):
    path = write(folder / "gnm_head.npz", npz_bytes(arrays))
    return gnm.read((path, *others), NullReporter())


def vertices_of(source, part):
    return np.unique(source.faces[source.face_part == source.part_names.index(part)])


def test_the_parts_and_the_shells_before_the_eyes(tmp_path):
    arrays = gnm_arrays()
    source = read(tmp_path, arrays)
    counts = {name: len(vertices_of(source, name)) for name in source.part_names}
    assert counts == {
        "skin": 70,
        "eye_left": 30,
        "eye_right": 30,
        "teeth_upper": 20,
        "teeth_lower": 20,
        "tongue": 20,
    }
    assert source.mean[vertices_of(source, "eye_left"), 0].mean() > 0.02
    assert len(source.mean) == 190  # 250 with the shells
    kept = arrays["template_vertex_positions"][:190]
    np.testing.assert_array_equal(source.mean, kept)
    np.testing.assert_array_equal(source.identity, arrays["vertex_identity_basis"][:, :190])
    assert source.id == "gnm" and source.version == "3.0.0"


def test_what_lies_behind_the_skin_is_inner(tmp_path):
    source = read(tmp_path, gnm_arrays())
    skin = source.mean[source.faces].min(axis=1)[:, 2] > -0.05
    np.testing.assert_array_equal(source.inner, (source.face_part == 0) & ~skin)
    without = gnm_arrays()
    names = without["vertex_group_names"]
    without["vertex_group_names"] = np.where(names == "skin_exterior", "skin_2", names)
    assert read(tmp_path, without).inner is None


def test_expressions_are_signed_pairs(tmp_path):
    arrays = gnm_arrays()
    source = read(tmp_path, arrays)
    assert source.expression_names[2:] == ("lower_face_region_1_plus", "lower_face_region_1_minus")
    np.testing.assert_array_equal(source.expression[2], arrays["expression_basis"][1, :190])
    np.testing.assert_array_equal(source.expression[3], -source.expression[2])


def test_the_winding_is_told_from_the_mesh(tmp_path):
    arrays = gnm_arrays()
    source = read(tmp_path, arrays)
    arrays["quads"] = arrays["quads"][:, ::-1]
    np.testing.assert_array_equal(np.sort(read(tmp_path, arrays).faces), np.sort(source.faces))
    corners = source.mean[source.faces]
    normal = np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1])
    skin = source.face_part == 0
    assert ((normal * corners.mean(axis=1)).sum(axis=1)[skin] > 0).all()


def table(rows=68, last="5 0.9 6 0.1 7 0.0"):
    return "\n".join(["3 0.2 4 0.7 5 0.1"] * (rows - 1) + [last]).encode()


def test_landmarks_beside_the_model(tmp_path):
    path = write(tmp_path / "head_sparse_68.txt", table())
    source = read(tmp_path, gnm_arrays(), path)
    assert source.landmarks68.tolist() == [4] * 67 + [5]
    for text in (table(60), table(last="5 0.9"), table(last="a 1 b 2 c 3"), b"\xff", b""):
        with pytest.raises(EngineError, match=r"head_sparse_68\.txt"):
            read(tmp_path, gnm_arrays(), write(tmp_path / "head_sparse_68.txt", text))
    for last in ("5000 0.9 6 0.1 7 0", "5 0.9 6 0.9 7 0.9", "-1 0.9 6 0.1 7 0"):
        with pytest.raises(EngineError, match="vertices 0 to 249"):
            read(tmp_path, gnm_arrays(), write(tmp_path / "head_sparse_68.txt", table(last=last)))


MEAN = "template_vertex_positions"
BROKEN = {
    "no mean": (dropped(MEAN), MEAN),
    "no groups": (dropped("vertex_groups"), "vertex_groups"),
    "a hand": (changed("variant", lambda a: np.array("hand")), "variant"),
    "version 2": (changed("version", lambda a: np.array("2.1")), "expected 3.x"),
    "other vertices": (changed("expression_basis", lambda a: a[:, :-1]), "(components, 250, 3)"),
    "turned": (changed("vertex_identity_basis", lambda a: a.transpose(1, 2, 0)), "components"),
    "not finite": (changed("expression_basis", lambda a: with_(a, 0, np.inf)), "finite"),
    "names": (changed("expression_names", lambda a: a[:1]), "2 names"),
    "names as numbers": (changed("vertex_group_names", lambda a: np.arange(len(a))), "8 names"),
    "objects": (changed("expression_names", lambda a: a.astype(object)), "numbers or texts"),
    "weights": (changed("vertex_groups", lambda a: a * 2), "within 0 to 1"),
    "group shape": (changed("vertex_groups", lambda a: a[:, :9]), "vertex_groups"),
    "triangles": (changed("quads", lambda a: a[:, :3]), "(n, 4)"),
    "counted from 1": (changed("quads", lambda a: a + 1), "vertices 0 to 249"),
    "unknown part": (changed("mesh_component_names", lambda a: with_(a, 0, "hair")), "hair"),
    "no skin": (changed("mesh_component_names", lambda a: a[1:]), "skin"),
    "centimetres": (changed(MEAN, lambda a: a * 100), "metres"),
    "mirrored": (changed(MEAN, lambda a: a * np.float32([-1, 1, 1])), "x to the left"),
    "z up": (changed(MEAN, lambda a: a[:, [0, 2, 1]] * np.float32([1, 1, -1])), "z forward"),
}


@pytest.mark.parametrize("rule", BROKEN)
def test_broken_models_are_refused_in_words(tmp_path, rule):
    spoil, words = BROKEN[rule]
    arrays = gnm_arrays()
    spoil(arrays)
    with pytest.raises(EngineError) as caught:
        read(tmp_path, arrays)
    assert caught.value.code is ErrorCode.PACK_INVALID
    assert "gnm_head.npz" in caught.value.message and words in caught.value.message


def test_other_files_are_refused(tmp_path):
    other = write(tmp_path / "other.obj", b"")
    with pytest.raises(EngineError, match=r"other\.obj"):
        read(tmp_path, gnm_arrays(), other)
    with pytest.raises(EngineError, match="GNM"):
        gnm.read((), NullReporter())
