"""The committed tables against the built default pack."""

from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("scipy")
from engine.packs.build.default import (
    CALIBRATION_TABLE,
    DATA,
    LANDMARK_TABLE,
    TURN_KEY,
    TURN_TABLE,
    UV_TABLE,
)
from engine.packs.calibrate import landmark_names as names
from engine.packs.calibrate.conformal import corner_areas
from engine.packs.calibrate.features import EARS, MIDLINE, NOSE, TEMPLATE_68
from engine.packs.calibrate.identity_weights import RAW_SCALE_KEY
from engine.packs.calibrate.topology import TOPOLOGY_KEY, topology_sha256
from engine.protocol.headpack import read_pack
from engine.protocol.safetensors import read_safetensors

TABLES = (UV_TABLE, LANDMARK_TABLE, TURN_TABLE, CALIBRATION_TABLE)
SOCKETS, BAG = (0.948, 0.992), (0.880, 0.9965)


@pytest.fixture(scope="module")
def head(default_pack):
    return read_pack(default_pack).head


@pytest.fixture(scope="module")
def control(head):
    """Control quads and parts, read back out of the fine ones."""
    quads = head.quads.reshape(-1, 4, 4)[:, :, 0]
    return SimpleNamespace(quads=quads, face_part=head.face_part[::4])


@pytest.mark.parametrize("table", TABLES)
def test_tables_belong_to_the_topology_of_the_head(control, table):
    found = read_safetensors(DATA / table)[TOPOLOGY_KEY]
    assert np.array_equal(found, topology_sha256(control))


def test_tables_are_small():
    assert sum((DATA / table).stat().st_size for table in TABLES) < 300_000


def test_the_pack_carries_the_errors_of_turned_heads(head):
    turn = read_safetensors(DATA / TURN_TABLE)[TURN_KEY]
    assert np.array_equal(head.landmarks468.turn, turn)
    half_turned = 0.8 * np.abs(turn[0]) + 0.64 * np.abs(turn[2])
    assert 0.0005 < half_turned.mean() < 0.005  # metres at some 45 degrees


@pytest.fixture(scope="module")
def skin_uv(head):
    return head.corner_uv[head.face_part == 0].astype(np.float64)


def test_no_face_is_flipped_in_uv(skin_uv):
    assert (corner_areas(skin_uv) > 0.0).all()


def test_uv_is_mirrored_left_and_right(head, skin_uv):
    quads = head.quads[head.face_part == 0]
    row_of = {tuple(sorted(quad)): row for row, quad in enumerate(quads.tolist())}
    for row in range(0, len(quads), 37):
        twins = head.mirror[quads[row]]
        other = row_of[tuple(sorted(twins.tolist()))]
        order = [int(np.flatnonzero(quads[other] == k)[0]) for k in twins]
        assert np.allclose(skin_uv[other][order], skin_uv[row] * [-1, 1] + [1, 0], atol=1e-6)


def test_subject_left_lies_right_in_the_layout_and_no_face_straddles_it(head, skin_uv):
    x = head.mean[head.quads[head.face_part == 0]][:, :, 0].mean(axis=1)
    middle = skin_uv[:, :, 0].mean(axis=1)
    assert np.all((middle > 0.5) == (x > 0.0))
    assert np.ptp(skin_uv[:, :, 0], axis=1).max() < 0.3


def test_sockets_and_mouth_lie_on_their_islands(head, skin_uv):
    corners = skin_uv.reshape(-1, 2)
    u = np.minimum(corners[:, 0], 1.0 - corners[:, 0])
    in_socket = (u > 0.117) & (u < 0.1684) & (corners[:, 1] > SOCKETS[0])
    in_bag = (u < 0.110) & (corners[:, 1] > BAG[0])
    assert (in_socket.reshape(-1, 4).all(axis=1)).sum() == 4 * 2 * 349
    assert (in_bag.reshape(-1, 4).all(axis=1)).sum() == 4 * 398


def spots(head, name):
    table = getattr(head, name)
    corners = head.mean[head.triangles[table.triangles]]
    return np.einsum("nk,nkc->nc", table.barycentric, corners), table.weight


def test_landmarks_are_on_the_skin_with_sound_weights(head):
    for name, count in (("landmarks468", 468), ("landmarks68", 68)):
        table = getattr(head, name)
        assert len(table.weight) == count
        part = np.repeat(head.face_part, 2)[table.triangles]
        assert (part == 0).all()
        assert table.weight.min() >= 0.0 and table.weight.max() <= 1.0
        assert (table.weight > 0.29).mean() > 0.8


def test_left_and_right_are_the_subjects(head):
    points, _ = spots(head, "landmarks468")
    right, left = names.LID_RIGHT_UPPER, names.LID_LEFT_UPPER
    assert (points[list(right), 0] < 0.0).all() and (points[list(left), 0] > 0.0).all()
    assert (points[list(names.BROW_RIGHT), 0] < 0.0).all()
    points, _ = spots(head, "landmarks68")
    assert (points[36:42, 0] < 0.0).all() and (points[42:48, 0] > 0.0).all()
    assert points[0, 0] < 0.0 < points[16, 0]


def test_landmarks_are_symmetric(head):
    points, weight = spots(head, "landmarks468")
    pairs = ((33, 263), (133, 362), (61, 291), (78, 308), (234, 454), (70, 300), (48, 278))
    for right, left in pairs:
        assert points[right] * [-1, 1, 1] == pytest.approx(points[left], abs=1e-3)
        assert weight[right] == pytest.approx(weight[left], abs=1e-4)
    assert np.abs(points[[10, 152, 1, 13, 14], 0]).max() < 1e-3


def test_lids_frame_the_eyes_and_lips_meet(head):
    points, _ = spots(head, "landmarks468")
    for upper, lower in (
        (names.LID_LEFT_UPPER[2:-2], names.LID_LEFT_LOWER[1:-1]),
        (names.LID_RIGHT_UPPER[2:-2], names.LID_RIGHT_LOWER[1:-1]),
    ):
        gap = points[list(upper), 1].min() - points[list(lower), 1].max()
        assert gap > 0.002
    assert np.linalg.norm(points[13] - points[14]) < 0.003
    assert points[0, 1] > points[13, 1] >= points[14, 1] - 1e-4 > points[17, 1]


def test_the_two_landmark_sets_agree_where_they_mean_the_same(head):
    many, _ = spots(head, "landmarks468")
    few, _ = spots(head, "landmarks68")
    same = {36: 33, 39: 133, 42: 362, 45: 263, 48: 61, 54: 291, 30: 4, 62: 13, 66: 14, 33: 2}
    for ibug, mesh in same.items():
        assert np.linalg.norm(few[ibug] - many[mesh]) < 0.006, ibug


def test_calibration_is_a_full_rank_distribution_near_the_raw_one():
    table = read_safetensors(DATA / CALIBRATION_TABLE)
    count = len(table["mean"])
    assert table["transform"].shape == (count, count)
    assert table[RAW_SCALE_KEY].shape == (count,)
    spread = np.linalg.svd(table["transform"].astype(np.float64), compute_uv=False)
    assert spread.min() > 0.05 and spread.max() < 10.0
    assert np.abs(table["mean"]).max() < 3.0


def test_features_are_named_once():
    every = [feature.name for feature in MIDLINE + NOSE + EARS]
    assert len(set(every)) == len(every)
    assert len(TEMPLATE_68) == 68 and len(set(TEMPLATE_68)) == 68
