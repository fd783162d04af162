"""A valid pack reads right; every rule has one broken pack that says which file and key."""

import hashlib
import json
import os

import numpy as np
import pytest

from engine.packs.store import write_pack
from engine.protocol.errors import EngineError, ErrorCode
from engine.protocol.headpack import read_pack
from engine.protocol.safetensors import read_safetensors, write_safetensors
from engine.protocol.sparse import apply_operator


def edit_json(folder, change):
    path = folder / "pack.json"
    plain = json.loads(path.read_text())
    change(plain)
    path.write_text(json.dumps(plain))


def edit_tensors(folder, change, file="head.safetensors"):
    """Change tensors and keep the sha256 right, so that only the content is wrong."""
    tensors = read_safetensors(folder / file)
    change(tensors)
    write_safetensors(folder / file, tensors)
    digest = hashlib.sha256((folder / file).read_bytes()).hexdigest()
    edit_json(folder, lambda plain: plain["files"].update({file: digest}))


def complaint(folder):
    with pytest.raises(EngineError) as caught:
        read_pack(folder)
    assert caught.value.code is ErrorCode.PACK_INVALID
    assert caught.value.hint
    return caught.value.message


def test_arrays_over_the_fine_vertices(tiny_pack):
    pack = read_pack(tiny_pack)
    head, albedo = pack.head, pack.albedo
    count, faces = len(head.mean), len(head.quads)
    assert head.mean.dtype == head.identity.dtype == head.expression.dtype == np.float32
    assert head.identity.shape == (3, count, 3)
    assert head.expression.shape == (len(head.expression_names), count, 3)
    assert head.triangles.shape == (2 * faces, 3)
    assert head.triangle_uv.shape == (2 * faces, 3, 2)
    assert (head.triangles[1] == head.quads[0][[0, 2, 3]]).all()
    assert head.uv_masks["face"].max() == 1.0
    assert head.landmarks468.barycentric.shape == (468, 3)
    reflected = head.mean[head.mirror] * np.array([-1, 1, 1])
    assert reflected == pytest.approx(head.mean, abs=1e-6)
    assert albedo.basis.shape == (3, 4, albedo.valid.sum())
    assert head.sha == hashlib.sha256((tiny_pack / "pack.json").read_bytes()).hexdigest()


def test_errors_of_turned_heads_may_be_there(tiny_pack):
    assert read_pack(tiny_pack).head.landmarks468.turn is None
    turn = np.full((5, 468, 3), 0.001, np.float32)
    edit_tensors(tiny_pack, lambda tensors: tensors.update(landmarks468_turn=turn))
    assert np.array_equal(read_pack(tiny_pack).head.landmarks468.turn, turn)
    edit_tensors(tiny_pack, lambda tensors: tensors.update(landmarks468_turn=turn[:3]))
    assert "landmarks468_turn" in complaint(tiny_pack)


def test_operator_twin():
    rng = np.random.default_rng(3)
    dense = rng.random((9, 5)).astype(np.float32)
    full = np.where(rng.random((7, 9)) < 0.4, rng.random((7, 9)), 0.0).astype(np.float32)
    full[2] = 0.0
    rows, columns = np.nonzero(full)
    fast = apply_operator(rows, columns, full[rows, columns], dense, 7)
    assert fast == pytest.approx(full @ dense, abs=1e-6)


JSON_RULES = {
    "unknown key": (lambda p: p.update(colour="red"), "colour"),
    "missing key": (lambda p: p.pop("parts"), "parts"),
    "schema": (lambda p: p.update(schema=1), "schema"),
    "id": (lambda p: p.update(id="../x"), "id"),
    "uv_layout": (lambda p: p.update(uv_layout="other"), "uv_layout"),
    "parent folder": (lambda p: p["files"].update({"../../etc/x.png": "0" * 64}), "files"),
    "absolute": (lambda p: p["files"].update({"/etc/x.png": "0" * 64}), "files"),
    "pickle": (lambda p: p["files"].update({"model.pkl": "0" * 64}), "files"),
    "sha form": (lambda p: p["files"].update({"head.safetensors": "abc"}), "sha256"),
    "sha value": (lambda p: p["files"].update({"head.safetensors": "0" * 64}), "sha256"),
    "no head": (lambda p: p["files"].pop("head.safetensors"), "head.safetensors"),
    "absent file": (lambda p: p["files"].update({"textures/eye.png": "0" * 64}), "eye.png"),
    "licence": (lambda p: p["parts"][0].update(licence=""), "licence"),
    "names twice": (lambda p: p["head"].update(mask_names=["face"] * 9), "mask_names"),
    "names short": (lambda p: p["head"]["expression_names"].pop(), "control_expression"),
    "no albedo entry": (lambda p: p.update(albedo=None), "albedo"),
    "no albedo file": (lambda p: p["files"].pop("albedo.safetensors"), "albedo.safetensors"),
    "nothing": (lambda p: p.update(head=None, albedo=None), "or a detail model, found none"),
    "albedo only": (
        lambda p: (p.update(head=None), p["files"].pop("head.safetensors")),
        "model only",
    ),
    "albedo size": (lambda p: p["albedo"].update(width=32, height=32), "valid"),
    "albedo square": (lambda p: p["albedo"].update(width=32), "square"),
    "albedo components": (lambda p: p["albedo"].update(components=5), "basis"),
    "fit setting": (lambda p: p.update(fit={"iterations": 3.0}), "depth_sigma"),
    "fit value": (lambda p: p.update(fit={"depth_sigma": -1.0}), "depth_sigma -1"),
    "fit text": (lambda p: p.update(fit={"depth_sigma": "wide"}), "fit"),
    "albedo zero": (lambda p: p["albedo"].update(components=0), "from 1"),
}


@pytest.mark.parametrize("rule", JSON_RULES)
def test_broken_json(tiny_pack, rule):
    change, named = JSON_RULES[rule]
    edit_json(tiny_pack, change)
    message = complaint(tiny_pack)
    assert named in message
    assert "expected" in message and "found" in message


def set_first(name, value):
    def change(tensors):
        tensors[name].reshape(-1)[0] = value

    return change


TENSOR_RULES = {
    "missing": (lambda t: t.pop("mirror"), "mirror"),
    "extra": (lambda t: t.update(secret=np.zeros(3, np.float32)), "secret"),
    "dtype": (lambda t: t.update(quads=t["quads"].astype(np.int64)), "quads"),
    "dimensions": (lambda t: t.update(corner_uv=t["corner_uv"][0]), "corner_uv"),
    "vertex count": (lambda t: t.update(mirror=t["mirror"][:-1]), "mirror"),
    "one-sided mirror": (lambda t: t["mirror"].fill(0), "mirror"),
    "not a number": (set_first("control_mean", np.nan), "control_mean"),
    "infinite": (set_first("control_identity", np.inf), "control_identity"),
    "millimetres": (lambda t: t["control_mean"].__imul__(1000), "metres"),
    "decimetres": (lambda t: t["control_mean"].__imul__(10), "metres"),
    "quad index": (set_first("quads", 10**6), "quads"),
    "negative index": (set_first("quads", -1), "quads"),
    "mirror index": (set_first("mirror", 10**6), "mirror"),
    "part index": (set_first("face_part", 200), "face_part"),
    "operator column": (set_first("subdivision_columns", 10**6), "subdivision_columns"),
    "operator rows": (set_first("subdivision_rows", 5), "subdivision_rows"),
    "operator sum": (set_first("subdivision_values", 9.0), "subdivision_values"),
    "uv": (set_first("corner_uv", 1.5), "corner_uv"),
    "group weight": (set_first("groups", 2.0), "groups"),
    "landmark triangle": (set_first("landmarks468_triangles", 10**6), "landmarks468_triangles"),
    "landmark weights": (set_first("landmarks68_barycentric", 3.0), "landmarks68_barycentric"),
    "landmark trust": (set_first("landmarks68_weight", -1.0), "landmarks68_weight"),
}


@pytest.mark.parametrize("rule", TENSOR_RULES)
def test_broken_head(tiny_pack, rule):
    change, named = TENSOR_RULES[rule]
    edit_tensors(tiny_pack, change)
    message = complaint(tiny_pack)
    assert "head.safetensors" in message and named in message


ALBEDO_RULES = {
    "texels": (set_first("valid", 1), "valid"),
    "mean": (set_first("mean", 40.0), "mean"),
    "mean below 0": (set_first("mean", -0.5), "mean"),
    "valid levels": (lambda t: t["valid"].__imul__(200), "valid"),
    "old half floats": (lambda t: t.update(basis=t["basis"].astype(np.float16)), "basis"),
    "no scale": (lambda t: t.pop("basis_scale"), "basis_scale"),
    "scale": (set_first("basis_scale", -1.0), "basis_scale"),
    "scale shape": (lambda t: t.update(basis_scale=t["basis_scale"][:, 1:]), "basis_scale"),
    "sigma": (set_first("sigma", -1.0), "sigma"),
    "sigma not finite": (set_first("sigma", np.nan), "sigma"),
    "covariance": (lambda t: t.update(covariance=t["covariance"][:6, :6]), "covariance"),
    "covariance diagonal": (lambda t: t["covariance"].__imul__(2), "covariance"),
    "covariance one-sided": (lambda t: t["covariance"].__setitem__((0, 1), 0.5), "covariance"),
    "covariance negative": (
        lambda t: t["covariance"].__setitem__(np.s_[:2, :2], [[1, 1.5], [1.5, 1]]),
        "covariance",
    ),
}


@pytest.mark.parametrize("rule", ALBEDO_RULES)
def test_broken_albedo(tiny_pack, rule):
    change, named = ALBEDO_RULES[rule]
    edit_tensors(tiny_pack, change, "albedo.safetensors")
    message = complaint(tiny_pack)
    assert "albedo.safetensors" in message and named in message


def test_no_folder_and_no_json(tmp_path, tiny_pack):
    assert "pack.json" in complaint(tmp_path / "nothing")
    (tiny_pack / "pack.json").write_text("{ not json")
    assert "pack.json" in complaint(tiny_pack)


@pytest.mark.skipif(os.name == "nt", reason="symbolic links need rights on Windows")
def test_link_out_of_the_pack(tiny_pack, tmp_path):
    outside = tmp_path / "head.safetensors"
    (tiny_pack / "head.safetensors").rename(outside)
    (tiny_pack / "head.safetensors").symlink_to(outside)
    assert "link" in complaint(tiny_pack)


def test_writing_replaces_and_leaves_nothing_else(tiny, tmp_path):
    folder = tiny.write_tiny_pack(tmp_path / "packs" / "tiny")
    (folder / "old.png").write_bytes(b"old")
    tiny.write_tiny_pack(folder)
    assert not (folder / "old.png").exists()
    assert [path.name for path in folder.parent.iterdir()] == ["tiny"]


def test_failed_writing_keeps_the_old_pack(tiny, tiny_pack):
    manifest = read_pack(tiny_pack).manifest
    with pytest.raises(KeyError):
        write_pack(tiny_pack, manifest, {"head.safetensors": {"x": np.zeros(1, complex)}}, {})
    assert read_pack(tiny_pack).head.id == "tiny"
    assert [path.name for path in tiny_pack.parent.iterdir()] == ["tiny"]


def test_unwritable_place_says_so(tiny, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(EngineError) as caught:
        tiny.write_tiny_pack(tmp_path / "file" / "tiny")
    assert caught.value.code is ErrorCode.BAD_OUTPUT


def as_triangles(tensors):
    """The first quad as a triangle, in the way that packs keep them."""
    for name in ("quads", "corner_uv"):
        tensors[name] = tensors[name].copy()
        tensors[name][0, 3] = tensors[name][0, 2]


def test_triangles_repeat_their_last_corner_with_its_uv(tiny_pack):
    edit_tensors(tiny_pack, as_triangles)
    head = read_pack(tiny_pack).head
    assert head.quads[0, 2] == head.quads[0, 3]

    def moved(tensors):
        tensors["corner_uv"] = tensors["corner_uv"].copy()
        tensors["corner_uv"][0, 3] += 0.01

    edit_tensors(tiny_pack, moved)
    assert "corner_uv" in complaint(tiny_pack)


def test_a_face_may_repeat_no_other_corner(tiny_pack):
    def doubled(tensors):
        tensors["quads"] = tensors["quads"].copy()
        tensors["quads"][0, 1] = tensors["quads"][0, 0]

    edit_tensors(tiny_pack, doubled)
    assert "quads" in complaint(tiny_pack)


def test_a_mesh_that_is_not_subdivided_reads_as_it_is(tiny_pack):
    before = read_pack(tiny_pack).head

    def flattened(tensors):
        count = np.arange(len(before.mean), dtype=np.int32)
        tensors.update(
            control_mean=before.mean,
            control_identity=before.identity.astype(np.float16),
            control_expression=before.expression.astype(np.float16),
            subdivision_rows=count,
            subdivision_columns=count,
            subdivision_values=np.ones(len(count), np.float32),
        )

    edit_tensors(tiny_pack, flattened)
    after = read_pack(tiny_pack).head
    assert np.array_equal(after.mean, before.mean)
    assert after.identity.dtype == np.float32
    assert after.identity == pytest.approx(before.identity, abs=1e-5)
    assert after.expression == pytest.approx(before.expression, abs=1e-4)
