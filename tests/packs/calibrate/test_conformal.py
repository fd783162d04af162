import numpy as np
import pytest

pytest.importorskip("scipy")
from engine.packs.calibrate.conformal import corner_areas, corner_stretch, embed_patch

from ...engine.register.meshes import dome, grid_quads


def square_border(rows, columns):
    index = np.arange(rows * columns)
    row, column = index // columns, index % columns
    rim = (row == 0) | (row == rows - 1) | (column == 0) | (column == columns - 1)
    uv = np.stack([column / (columns - 1), row / (rows - 1)], axis=1)
    return {int(k): uv[k] for k in index[rim]}


def test_embedding_in_a_convex_border_has_no_folds():
    vertices, quads = dome(15, 15, bumps=0.08)
    uv = embed_patch(quads, vertices, square_border(15, 15))
    corner_uv = np.array([[uv[k] for k in quad] for quad in quads.tolist()])
    assert (corner_areas(corner_uv) > 0.0).all()


def test_flat_patch_keeps_its_shape():
    rows = columns = 9
    uv = np.stack(np.meshgrid(np.linspace(0, 1, 9), np.linspace(0, 1, 9)), -1).reshape(-1, 2)
    vertices = np.c_[uv, np.zeros(81)]
    found = embed_patch(grid_quads(rows, columns), vertices, square_border(rows, columns))
    assert np.allclose(np.array([found[k] for k in range(81)]), uv)


def test_flipped_corners_are_seen():
    square = np.array([[[0.0, 0], [1, 0], [1, 1], [0, 1]]])
    assert (corner_areas(square) > 0.0).all()
    assert (corner_areas(square[:, ::-1]) < 0.0).all()
    assert (corner_areas(np.array([[[0.0, 0], [1, 0], [0.2, 0.2], [0, 1]]])) <= 0.0).any()


def test_stretch_is_the_scale_along_and_across():
    corners = np.array([[[0.0, 0, 0], [0.1, 0, 0], [0.1, 0.1, 0], [0, 0.1, 0]]])
    uv = corners[..., :2] * [4.0, 2.0]
    assert corner_stretch(uv, corners) == pytest.approx(np.tile([4.0, 2.0], (1, 4, 1)))
