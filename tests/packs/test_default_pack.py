"""The pack that was built: what an artist would notice, and that building twice does nothing."""

import json
from dataclasses import replace

import numpy as np
import pytest

from engine.packs.build import default
from engine.packs.build.expression import ARKIT_NAMES, keep_main_piece
from engine.packs.build.mouth import lip_gap
from engine.packs.build.parts import rasterise_mask
from engine.protocol.errors import EngineError
from engine.protocol.headpack import read_pack
from engine.protocol.safetensors import write_safetensors
from engine.reporter import NullReporter


@pytest.fixture(scope="module")
def head(default_pack):
    return read_pack(default_pack).head


def part_vertices(head, name):
    return np.unique(head.quads[head.face_part == head.part_names.index(name)])


def shape(head, **weights):
    rows = [head.expression_names.index(name) for name in weights]
    return head.mean + np.tensordot(list(weights.values()), head.expression[rows], 1)


def test_size_for_the_artist(head):
    assert 15_000 <= len(head.quads) <= 20_000
    assert tuple(head.expression_names) == tuple(ARKIT_NAMES)
    assert len(head.identity) == 120
    assert (
        0.055
        < np.ptp(
            [head.mean[part_vertices(head, f"eye_{s}")].mean(axis=0)[0] for s in ("left", "right")]
        )
        < 0.070
    )


def test_origin_lies_between_the_eyes(head):
    centres = [head.mean[part_vertices(head, f"eye_{s}")].mean(axis=0) for s in ("left", "right")]
    assert np.mean(centres, axis=0) == pytest.approx(np.zeros(3), abs=5e-4)
    assert centres[0][0] > 0.02  # +x is the subject's left
    assert head.mean[:, 2].max() > 0.02 and head.mean[:, 1].max() > 0.08


def test_lips_of_the_mean_head_are_closed(head):
    jaw = -head.expression[head.expression_names.index("jawOpen"), :, 1]
    lips = np.maximum(head.groups["lips"], head.groups["mouth"] * (head.mean[:, 2] > 0.01))
    assert lip_gap(head.mean, lips * (jaw < 0.006), lips * (jaw > 0.010)) < 0.0


def test_teeth_and_tongue_stay_behind_the_lips(head):
    front = head.mean[head.groups["lips"] > 0.5, 2].max()
    for name in ("teeth_upper", "teeth_lower", "tongue"):
        assert head.mean[part_vertices(head, name), 2].max() < front - 0.001


def skin_depth(head, vertices, points):
    """(n,) largest z of the skin in front of or behind points (n, 2), looking along z."""
    skin = head.triangles[np.repeat(head.face_part == 0, 2)]
    corners = vertices[skin]
    low, high = corners[:, :, :2].min(axis=1), corners[:, :, :2].max(axis=1)
    out = np.full(len(points), -np.inf)
    for k, point in enumerate(points):
        near = corners[((low <= point) & (point <= high)).all(axis=1)]
        a, b, c = near[:, 0], near[:, 1] - near[:, 0], near[:, 2] - near[:, 0]
        area = b[:, 0] * c[:, 1] - b[:, 1] * c[:, 0]
        d = point - a[:, :2]
        s = (d[:, 0] * c[:, 1] - d[:, 1] * c[:, 0]) / area
        t = (b[:, 0] * d[:, 1] - b[:, 1] * d[:, 0]) / area
        inside = (s >= 0) & (t >= 0) & (s + t <= 1)
        depth = (a[:, 2] + s * b[:, 2] + t * c[:, 2])[inside]
        out[k] = depth.max(initial=-np.inf)
    return out


def test_tongue_comes_out_between_the_lips(head):
    vertices = shape(head, jawOpen=0.5, tongueOut=1.0)
    tongue = vertices[part_vertices(head, "tongue")]
    dropped = shape(head, jawOpen=1.0)[:, 1] < head.mean[:, 1] - 0.015
    lower = vertices[(head.groups["lips"] > 0.9) & dropped]
    lip = lower[np.abs(lower[:, 0]) < 0.008]
    crest = lip[lip[:, 1].argmax()]
    over = tongue[(np.abs(tongue[:, 0]) < 0.008) & (np.abs(tongue[:, 2] - crest[2]) < 0.004)]
    assert tongue[:, 2].max() > lip[:, 2].max()
    assert over[:, 1].max() > crest[1]


@pytest.mark.parametrize("side", ["Left", "Right"])
def test_open_lids_show_the_pupil_and_closed_lids_hide_the_eye(head, side):
    for blink in (0.0, 1.0):
        vertices = shape(head, **{f"eyeBlink{side}": blink})
        eye = vertices[part_vertices(head, f"eye_{side.lower()}")]
        front = eye[eye[:, 2] > eye.mean(axis=0)[2] + 0.93 * np.ptp(eye[:, 2]) / 2]
        covered = skin_depth(head, vertices, front[:, :2]) > front[:, 2]
        assert covered.all() if blink else not covered.any()


def test_groups_mirror_each_other(head):
    left, right = head.groups["eyelids_left"], head.groups["eyelids_right"]
    assert np.abs(left[head.mirror] - right).max() < 0.2  # the blinks are sculpted by hand
    for name in ("face", "lips", "ears", "neck", "scalp", "sockets", "mouth", "brows"):
        weight = head.groups[name]
        assert weight.max() > 0.9, name
        assert np.abs(weight[head.mirror] - weight).mean() < 0.01, name


def test_masks_cover_the_layout_and_mirror(head):
    skin = head.uv_masks["skin"] > 0.5
    assert 0.5 < skin.mean() < 1.0
    for name, mask in head.uv_masks.items():
        assert mask.max() > 0.9, name
        assert np.abs(mask - mask[:, ::-1]).mean() < 0.01, name
    for inner in ("sockets", "mouth"):
        inside = head.uv_masks[inner] > 0.99
        for name in ("face", "lips", "lids", "brows", "scalp"):
            assert head.uv_masks[name][inside].max() < 0.05, (inner, name)


def test_licences_are_told(default_pack):
    manifest = read_pack(default_pack).manifest
    licences = {part.licence for part in manifest.parts}
    assert {"CC0-1.0", "Apache-2.0"} <= licences
    assert all(part.sha256 for part in manifest.parts if part.origin.startswith("Python package"))


def test_building_again_does_nothing(tiny, tmp_path, monkeypatch):
    folder = tiny.write_tiny_pack(tmp_path / "default")
    plain = json.loads((folder / "pack.json").read_text())
    (folder / "pack.json").write_text(json.dumps({**plain, "recipe": default.recipe_hash()}))

    def fail(*_):
        raise AssertionError("it was built again")

    monkeypatch.setattr(default, "fetch_sources", fail)
    assert default.build_default(folder, None, NullReporter()) == folder
    with pytest.raises(AssertionError):
        default.build_default(folder, None, NullReporter(), force=True)
    (folder / "pack.json").write_text(json.dumps({**plain, "recipe": "older"}))
    with pytest.raises(AssertionError):
        default.build_default(folder, None, NullReporter())


def test_table_for_another_mesh_is_refused(raw_head, tmp_path):
    control = raw_head.control
    own = default.skin_uv(control, tmp_path / "none.safetensors")
    table = {"corner_uv": own, default.TOPOLOGY_KEY: default.topology_sha256(control)}
    write_safetensors(tmp_path / "uv.safetensors", table)
    assert (default.skin_uv(control, tmp_path / "uv.safetensors") == own).all()
    other = replace(control, quads=control.quads[::-1])
    with pytest.raises(EngineError, match="another mesh"):
        default.skin_uv(other, tmp_path / "uv.safetensors")


def test_pieces_apart_from_the_main_one_are_dropped():
    quads = np.array([[k, k + 1, k + 11, k + 10] for k in range(9)])
    delta = np.zeros((25, 3))
    delta[[0, 1, 10, 11], 1] = [1.0, 3.0, 2.0, 1.0]
    delta[[6, 16], 1] = 2.5  # apart, on the surface
    delta[22, 1] = 9.0  # not of the surface
    cleaned = keep_main_piece(delta, quads)
    assert cleaned[[0, 1, 10, 11], 1].tolist() == [1.0, 3.0, 2.0, 1.0]
    assert not cleaned[[6, 16]].any()
    assert cleaned[22, 1] == 9.0


def test_mask_of_a_ramp():
    square = np.array([[[0.25, 0.25], [0.75, 0.25], [0.75, 0.75], [0.25, 0.75]]])
    mask = rasterise_mask(square, np.array([[0.0, 1.0, 1.0, 0.0]]), 64)
    assert mask[:14].max() == 0 and mask[32, 40] > mask[32, 20]
    upper = rasterise_mask(square, np.array([[0.0, 0.0, 1.0, 1.0]]), 64)
    assert upper[20, 32] > upper[44, 32]  # v up is row down
