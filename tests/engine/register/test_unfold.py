import numpy as np

from engine.register.island_cut import STIFFNESS, cut_border
from engine.register.islands import face_neighbours, smooth_labels, stray_faces
from engine.register.unfold import cut_mesh, unfold

from .meshes import grid_quads


def grid(side: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Quads, UVs within [0.1, 0.4] and flat points of a grid of side x side vertices."""
    y, x = np.meshgrid(*2 * [np.linspace(0.1, 0.4, side)], indexing="ij")
    uv = np.stack([x, y], axis=-1).reshape(-1, 2)
    return grid_quads(side, side), uv, np.column_stack([uv, np.zeros(len(uv))])


def areas(uv: np.ndarray) -> np.ndarray:
    first, second = uv[:, 1] - uv[:, 0], uv[:, 2] - uv[:, 0]
    return first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]


def cut(quads, uv, points, loose=None):
    loose = np.zeros(len(uv), dtype=bool) if loose is None else loose
    zero = np.zeros(len(quads), dtype=int)
    return cut_mesh(quads, uv[quads], zero, points, np.zeros(len(uv)), loose)


def test_a_turned_over_face_is_unfolded_and_the_rest_stays():
    quads, uv, points = grid(15)
    folded = uv.copy()
    folded[112] += [0.05, 0.02]
    assert (areas(folded[quads]) < 0).any()
    mesh = cut(quads, folded, points)
    out = unfold(mesh)[mesh.faces]
    assert (areas(out) > 0).all()
    far = np.abs(points[quads].mean(axis=1) - points[112]).max(axis=1) > 0.14
    assert np.array_equal(out[far], uv[quads][far])


def test_a_pocket_is_filled_from_its_rim():
    quads, uv, points = grid(11)
    inside = np.linalg.norm(points - points[60], axis=1) < 0.07
    wrong = uv.copy()
    wrong[inside] = [0.39, 0.11]
    mesh = cut(quads, wrong, points, inside)
    out = unfold(mesh)[mesh.faces]
    assert np.abs(out - uv[quads]).max() < 0.004


def test_triangles_and_quads_unfold_alike():
    quads, uv, points = grid(11)
    folded = uv.copy()
    folded[60] += [0.06, 0.0]
    halves = np.concatenate([quads[:, [0, 1, 2, 2]], quads[:, [0, 2, 3, 3]]])
    mesh = cut(halves, folded, points)
    assert (areas(unfold(mesh)[mesh.faces]) > 0).all()


def test_both_sides_of_a_cut_keep_their_uv():
    quads, uv, points = grid(3)
    corner_uv = uv[quads]
    corner_uv[2:, :, 0] = 1.0 - corner_uv[2:, :, 0]
    everywhere = np.zeros(len(uv)), np.zeros(len(uv), dtype=bool)
    mesh = cut_mesh(quads, corner_uv, np.zeros(4, dtype=int), points, *everywhere)
    assert len(mesh.uv) == 12
    assert np.allclose(mesh.uv[mesh.faces], corner_uv)


def test_single_faces_follow_their_neighbours():
    quads, _, _ = grid(6)
    label = np.zeros(25, dtype=int)
    label[12] = 3
    everything = np.ones(25, dtype=bool)
    assert (smooth_labels(quads, label, everything) == 0).all()
    half = np.where(np.arange(25) % 5 < 2, 3, 0)
    assert np.array_equal(smooth_labels(quads, half, everything), half)


def test_what_lies_apart_from_its_island_is_stray():
    quads, _, _ = grid(8)
    label = np.zeros(49, dtype=int)
    label[:14] = 2
    label[[47, 48]] = 2
    stray = stray_faces(quads, label, np.ones(49, dtype=bool), 0)
    assert np.flatnonzero(stray).tolist() == [47, 48]


def test_the_border_of_islands_is_the_cheapest_of_all_cuts():
    """Against trying all labels of a grid of 3 x 3 faces of a millimetre."""
    quads, _, _ = grid(4)
    first, second, _ = face_neighbours(quads, np.arange(9))
    length, area = np.full(len(first), 0.001), np.full(9, 1e-6)
    rng = np.random.default_rng(5)
    for _ in range(20):
        lead = rng.normal(0.0, 0.003, 9).clip(-0.0029, 0.0029)

        def cost(inside: np.ndarray, lead: np.ndarray = lead) -> float:
            wrong = np.abs(lead) * (inside != (lead > 0.0))
            border = STIFFNESS * length[inside[first] != inside[second]].sum()
            return 1e3 * (wrong * area).sum() + border

        every = [np.array([k >> bit & 1 for bit in range(9)], dtype=bool) for k in range(512)]
        found = cut_border(first, second, length, lead, area)
        assert cost(found) <= min(cost(inside) for inside in every) + 1e-9


def test_a_jag_in_a_border_goes():
    """Four faces in a row on the wrong side by a little, of faces of a millimetre."""
    quads, _, _ = grid(9)
    first, second, _ = face_neighbours(quads, np.arange(64))
    row, column = np.divmod(np.arange(64), 8)
    lead = 0.001 * (row - 3.5)
    lead[(row == 3) & (column > 1) & (column < 6)] = 0.0001
    length, area = np.full(len(first), 0.001), np.full(64, 1e-6)
    assert np.array_equal(cut_border(first, second, length, lead, area), row > 3)
