"""Maps of surface patches to the plane by mean value weights."""

import numpy as np
import scipy.sparse as sparse
from scipy.sparse.linalg import spsolve

from ...register.mean_value import mean_value_weights
from ...register.surface import border_edges


def mean_value_laplacian(
    faces: np.ndarray, vertices: np.ndarray, members: np.ndarray, follow_border: bool = False
) -> sparse.csr_matrix:
    """(n, n) identity minus row-normalised mean value weights (Floater 2003, eq. 2.1).

    faces (F, 4) quads of the patch; members (n,) sorted vertex ids. Both diagonals of each quad
    count, so that the weights of a mirrored mesh are mirrored. All weights are positive.
    follow_border: vertices on open edges are held by their two neighbours on the border alone.
    """
    row_of = np.full(len(vertices), -1)
    row_of[members] = np.arange(len(members))
    quads = row_of[faces]
    corners = ([0, 1, 2], [0, 2, 3], [1, 2, 3], [1, 3, 0])
    triangles = np.concatenate([quads[:, corner] for corner in corners])
    points = vertices[members]
    weights = mean_value_weights(triangles, points)
    if follow_border:
        edges = row_of[border_edges(faces)]
        both = np.concatenate([edges, edges[:, ::-1]])
        on_border = np.zeros(len(members), dtype=bool)
        on_border[edges] = True
        along = sparse.csr_matrix((np.ones(len(both)), both.T), shape=weights.shape)
        weights = sparse.diags((~on_border).astype(float)) @ weights + along
    total = np.asarray(weights.sum(axis=1)).ravel()
    return sparse.identity(len(members), format="csr") - sparse.diags(1.0 / total) @ weights


def embed_patch(
    faces: np.ndarray, vertices: np.ndarray, border: dict[int, np.ndarray]
) -> dict[int, np.ndarray]:
    """UV of every vertex of a disc-like patch from UVs of its border (Floater 2003).

    Free of folds when the border's UV polygon is convex; check otherwise.
    """
    members = np.unique(faces)
    laplacian = mean_value_laplacian(faces, vertices, members)
    uv = np.array([border.get(int(k), np.zeros(2)) for k in members])
    free = np.array([int(k) not in border for k in members])
    inner = laplacian[free]
    right = -(inner[:, ~free] @ uv[~free])
    uv[free] = spsolve(inner[:, free].tocsc(), right).reshape(-1, 2)
    return dict(zip(members.tolist(), uv, strict=True))


def corner_areas(corner_uv: np.ndarray) -> np.ndarray:
    """(F, 4) signed area of the triangle at each corner of quads (F, 4, 2): > 0 unflipped."""
    before = np.roll(corner_uv, 1, axis=1) - corner_uv
    after = np.roll(corner_uv, -1, axis=1) - corner_uv
    return after[..., 0] * before[..., 1] - after[..., 1] * before[..., 0]


def corner_stretch(corner_uv: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """(F, 4, 2) singular values, large first, of the map from the surface (F, 4, 3) to UV
    (F, 4, 2) at each corner: UV length per metre along its two main directions."""
    after, before = (np.roll(corners, -1, axis=1) - corners, np.roll(corners, 1, axis=1) - corners)
    x = after / np.maximum(np.linalg.norm(after, axis=-1, keepdims=True), 1e-12)
    along = (before * x).sum(axis=-1)
    up = np.sqrt(np.maximum((before**2).sum(axis=-1) - along**2, 1e-18))
    length = np.maximum((after * x).sum(axis=-1), 1e-9)
    duv_a = np.roll(corner_uv, -1, axis=1) - corner_uv
    duv_b = np.roll(corner_uv, 1, axis=1) - corner_uv
    first = duv_a / length[..., None]
    second = (duv_b - along[..., None] * first) / up[..., None]
    return np.linalg.svd(np.stack([first, second], axis=-1), compute_uv=False)
