"""FLAME's files become head sources, or are refused in words."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from engine.packs.heads import flame, flame_open
from engine.packs.heads.files.obj import read_obj
from engine.protocol.errors import EngineError, ErrorCode
from engine.reporter import NullReporter
from tests.packs.heads.tiny_flame import (
    changed,
    dropped,
    flame_arrays,
    flame_pickle,
    npz_bytes,
    with_,
    write,
)

TOPOLOGY = Path(__file__).resolve().parents[4] / "shared" / "evaldata" / "topology"
LAYOUT = TOPOLOGY / "FLAME_w_HIFI3D_UV.obj"


def source_of(*paths):
    return flame.read(paths, NullReporter())


@pytest.mark.parametrize("protocol", [2, 4])
def test_the_pickle_and_the_npz_are_the_same_head(tmp_path, protocol, monkeypatch):
    arrays = flame_arrays()
    pickled = write(tmp_path / "generic_model.pkl", flame_pickle(arrays, protocol, monkeypatch))
    plain = write(tmp_path / "generic_model.npz", npz_bytes(arrays))
    first, second = source_of(pickled), source_of(plain)
    for key in ("mean", "identity", "expression", "faces", "face_part"):
        np.testing.assert_array_equal(getattr(first, key), getattr(second, key))
    np.testing.assert_array_equal(first.mean, arrays["v_template"].astype(np.float32))
    np.testing.assert_array_equal(first.identity[7], arrays["shapedirs"][:, :, 7].astype("f4"))
    assert first.identity.shape == (300, len(first.mean), 3)
    named = dict(zip(first.expression_names, first.expression, strict=True))
    np.testing.assert_array_equal(
        named["expression_004_minus"], -arrays["shapedirs"][:, :, 304].astype("f4")
    )
    np.testing.assert_array_equal(first.faces[:, 3], first.faces[:, 2])
    assert first.corner_uv is None and first.parts[0].sha256 != second.parts[0].sha256


def test_eyes_are_parts_by_side(tmp_path):
    source = source_of(write(tmp_path / "m.npz", npz_bytes(flame_arrays())))
    assert source.part_names == ("skin", "eye_left", "eye_right")
    for number, sign in ((1, 1.0), (2, -1.0)):
        corners = source.faces[source.face_part == number]
        assert np.sign(source.mean[corners, 0].mean()) == sign and len(corners) == 48


def posed(arrays, jaw):
    """Linear blend skinning of the whole chain, joint by joint: the slow twin of the jaw's."""
    parents = [None, 0, 1, 1, 1]
    joints = arrays["J_regressor"] @ arrays["v_template"]
    turns = [np.eye(3), np.eye(3), jaw, np.eye(3), np.eye(3)]
    feature = np.concatenate([(turn - np.eye(3)).ravel() for turn in turns[1:]])
    shaped = arrays["v_template"] + arrays["posedirs"] @ feature
    world = []
    for joint, parent in enumerate(parents):
        local = np.eye(4)
        local[:3, :3] = turns[joint]
        local[:3, 3] = joints[joint] - (0 if parent is None else joints[parent])
        world.append(local if parent is None else world[parent] @ local)
    out = np.zeros_like(shaped)
    for joint, matrix in enumerate(world):
        moved = (shaped - joints[joint]) @ matrix[:3, :3].T + matrix[:3, 3]
        out += arrays["weights"][:, joint, None] * moved
    return out


def test_the_jaw_turns_as_skinning_turns_it(tmp_path):
    arrays = flame_arrays()
    source = source_of(write(tmp_path / "m.npz", npz_bytes(arrays)))
    named = dict(zip(source.expression_names, source.expression, strict=True))
    for name, (down, left) in flame.JAW_TURNS.items():
        jaw = Rotation.from_euler("YX", [left, down]).as_matrix()
        expected = posed(arrays, jaw) - arrays["v_template"]
        np.testing.assert_allclose(named[name], expected, atol=1e-8)
    front = arrays["v_template"][:, 2] > 0.08
    assert named["jaw_open"][front, 1].mean() < -0.002


def test_a_folder_and_an_archive_that_hold_the_model(tmp_path):
    data = npz_bytes(flame_arrays())
    folder = tmp_path / "FLAME2020"
    folder.mkdir()
    write(folder / "flame2023.npz", data)
    write(folder / "readme.txt", b"words")
    assert source_of(folder).id == "flame"
    with zipfile.ZipFile(tmp_path / "FLAME2023Open.zip", "w") as archive:
        archive.writestr("FLAME2023Open/flame2023_Open.npz", data)
    source = flame_open.read([tmp_path / "FLAME2023Open.zip"], NullReporter())
    assert source.id == "flame-open" and "CC BY 4.0" in source.parts[0].licence
    with pytest.raises(EngineError, match=r"generic_model\.pkl"):
        source_of(tmp_path / "FLAME2023Open.zip")


BROKEN = {
    "no mean": (dropped("v_template"), "v_template"),
    "no basis": (dropped("shapedirs"), "shapedirs"),
    "no joints": (dropped("J_regressor"), "J_regressor"),
    "an older model": (changed("shapedirs", lambda a: a[..., :300]), "shape (130, 3, 400)"),
    "a body": (changed("weights", lambda a: np.repeat(a, 5, axis=1)), "weights"),
    "another chain": (changed("kintree_table", lambda a: with_(a, (0, 3), 0)), "parents"),
    "shares": (changed("weights", lambda a: a * 2), "add up to 1"),
    "turned": (changed("posedirs", lambda a: a.transpose(2, 0, 1)), "posedirs"),
    "flat": (changed("v_template", lambda a: a.ravel()), "(vertices, 3)"),
    "not finite": (changed("v_template", lambda a: with_(a, 0, np.nan)), "finite"),
    "whole numbers": (changed("shapedirs", lambda a: a.astype(int)), "finite real"),
    "counted from 1": (changed("f", lambda a: a + 1), "vertices 0 to 129"),
    "half a mesh": (changed("f", lambda a: a[:20]), "vertices 0 to 129"),
    "quads": (changed("f", lambda a: np.c_[a, a[:, :1]]), "triangles"),
    "real faces": (changed("f", lambda a: a.astype(float)), "whole numbers"),
    "millimetres": (changed("v_template", lambda a: a * 1000), "metres"),
    "mirrored": (changed("v_template", lambda a: a * [-1, 1, 1]), "counter-clockwise"),
    "backwards": (changed("v_template", lambda a: a * [-1, 1, -1]), "x to the left"),
    "loose pieces": (changed("f", lambda a: np.r_[a[:20], a[30:128], a[138:]]), "pieces"),
}


@pytest.mark.parametrize("rule", BROKEN)
def test_broken_models_are_refused_in_words(tmp_path, rule, monkeypatch):
    spoil, words = BROKEN[rule]
    arrays = flame_arrays()
    spoil(arrays)
    files = {"model.npz": npz_bytes(arrays), "model.pkl": flame_pickle(arrays, 2, monkeypatch)}
    for name, data in files.items():
        with pytest.raises(EngineError) as caught:
            source_of(write(tmp_path / name, data))
        assert caught.value.code is ErrorCode.PACK_INVALID
        assert name in caught.value.message and words in caught.value.message


def test_other_files_are_refused_in_words(tmp_path):
    good = write(tmp_path / "m.npz", npz_bytes(flame_arrays()))
    for name, data in (("a.pkl", b"words"), ("b.npz", b"words"), ("c.pkl", b"\x80\x02N.")):
        with pytest.raises(EngineError, match=name):
            source_of(write(tmp_path / name, data))
    for paths in ((), (good, good), (tmp_path / "none.pkl",)):
        with pytest.raises(EngineError):
            source_of(*paths)


def obj_text(mesh, uv, faces):
    lines = [f"v {x} {y} {z}" for x, y, z in mesh] + [f"vt {u} {v}" for u, v in uv]
    lines += ["f " + " ".join(f"{v + 1}/{v + 1}" for v in face) for face in faces]
    return "\n".join(lines).encode()


def test_a_layout_beside_the_model(tmp_path):
    arrays = flame_arrays()
    model = write(tmp_path / "m.npz", npz_bytes(arrays))
    mean, faces = arrays["v_template"], arrays["f"]
    uv = np.random.default_rng(0).uniform(0, 1, (len(mean), 2))
    uv[70:, 0] += 2.0
    layout = write(tmp_path / "FLAME_w_HIFI3D_UV.obj", obj_text(mean * 1000, uv, faces))
    source = source_of(model, layout)
    np.testing.assert_allclose(source.corner_uv[:, :3], uv[faces], atol=1e-6)
    np.testing.assert_array_equal(source.corner_uv[:, 3], source.corner_uv[:, 2])
    own = uv.copy()
    own[70:, 0] -= 2.0
    cases = ((own, faces, "u 2 to 3"), (uv, faces[::-1], "in its order"), (uv + 1, faces, "0 to 1"))
    for number, (points, order, words) in enumerate(cases):
        other = write(tmp_path / f"{number}.obj", obj_text(mean, points, order))
        with pytest.raises(EngineError, match=words):
            source_of(model, other)


@pytest.mark.skipif(not LAYOUT.is_file(), reason="shared topology is absent")
def test_the_real_topology(tmp_path):
    mesh = read_obj(LAYOUT)
    rng = np.random.default_rng(0)
    arrays = flame_arrays(mesh.vertices / 1000.0, mesh.faces)
    arrays["weights"] = np.tile(rng.dirichlet(np.ones(5)), (len(mesh.vertices), 1))
    model = write(tmp_path / "generic_model.npz", npz_bytes(arrays))
    source = source_of(model, LAYOUT)
    assert source.faces.shape == (9976, 4) and len(source.mean) == 5023
    for number, first in ((1, 3931), (2, 4477)):
        used = np.unique(source.faces[source.face_part == number])
        np.testing.assert_array_equal(used, np.arange(first, first + 546))
    skin = source.corner_uv[source.face_part == 0]
    assert skin.min() >= 0.0 and skin.max() <= 1.0
