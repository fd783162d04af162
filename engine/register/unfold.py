"""Corner UVs without folds: what was read badly is filled from around it by mean values.

Nostrils are deeper on some heads than on others, lids thicker. There the nearest point of the
default head says little: such corners are freed, with those of faces that are turned over or lie
over better ones, and take mean value coordinates (Floater 2003) of the corners around them.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import scipy.sparse as sparse
from scipy.sparse.linalg import splu

from ..protocol.conventions import uv_to_pixels
from .mean_value import mean_value_weights

ROUNDS = 24
READ_TRUST, LOOSE_TRUST = 20.0, 1e-6
"""Weight of a UV that was read against the mean of its neighbours (weight 1), and of one of which
nothing is known."""
FOLD_STEP = 0.5
RINGS = 4
"""Of faces around folds that may move too."""
OVERLAP_SIZE = 1024
"""Texels a side of the map in which faces that lie over others are looked for."""
OVERLAP_FAR = 0.004
"""Metres between two faces on one texel from which one lies over the other."""


@dataclass(frozen=True, eq=False)
class UvMesh:
    """A mesh cut at the seams of its UVs. faces (F, 4) over n UV vertices; uv (n, 2); points
    (n, 3) metres; distrust (n,) metres: how far the default head is from the vertex; loose (n,)
    bool: nothing is known of it."""

    faces: np.ndarray
    uv: np.ndarray
    points: np.ndarray
    distrust: np.ndarray
    loose: np.ndarray


def cut_mesh(
    faces: np.ndarray,
    corner_uv: np.ndarray,
    island: np.ndarray,
    vertices: np.ndarray,
    distrust: np.ndarray,
    loose: np.ndarray,
) -> UvMesh:
    """One UV vertex for each vertex, island and side of the layout at which faces show it.

    faces (F, 4) and island (F,); vertices, distrust, loose over the mesh's vertices.
    """
    side = corner_uv[..., 0] > 0.5
    near_middle = np.abs(corner_uv[..., 0] - 0.5) < 0.05
    key = (4 * faces.astype(np.int64) + 2 * (side & ~near_middle) + near_middle) * (
        int(island.max()) + 1
    ) + island[:, None]
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    index = inverse.reshape(faces.shape)
    count = len(first)
    uv = np.zeros((count, 2))
    np.add.at(uv, index.ravel(), corner_uv.reshape(-1, 2))
    uv /= np.bincount(index.ravel(), minlength=count)[:, None]
    vertex = faces.ravel()[first]
    return UvMesh(index, uv, vertices[vertex], distrust[vertex], loose[vertex])


def unfold(mesh: UvMesh) -> np.ndarray:
    """(n, 2) UVs of a cut mesh, without folds as far as that goes.

    Each UV lies between what was read and the mean of its neighbours; the trust in vertices of
    folded faces falls from round to round, as when the default head's own UVs were made.
    """
    triangles, face = _triangles(mesh.faces)
    laplacian = _laplacian(mesh)
    trust = np.where(mesh.loose, LOOSE_TRUST, READ_TRUST)
    uv = _solve(laplacian, mesh.uv, trust, _grown(mesh, mesh.loose))
    covering = np.unique(mesh.faces[_covering(mesh, uv)])
    trust[covering] = LOOSE_TRUST
    folded = np.unique(mesh.faces[face[_areas(uv, triangles) <= 0.0]])
    region = mesh.loose.copy()
    region[covering] = region[folded] = True
    region = _grown(mesh, region)
    for _ in range(ROUNDS):
        uv = _solve(laplacian, mesh.uv, trust, region)
        folded = face[_areas(uv, triangles) <= 0.0]
        hit = np.unique(mesh.faces[folded])
        hit = hit[region[hit]]
        if not len(hit):
            break
        trust[hit] = np.maximum(FOLD_STEP * trust[hit], LOOSE_TRUST)
    return uv


def _grown(mesh: UvMesh, vertices: np.ndarray) -> np.ndarray:
    """(n,) bool: the vertices and RINGS of faces around them."""
    out = vertices.copy()
    for _ in range(RINGS):
        out[mesh.faces[out[mesh.faces].any(axis=1)]] = True
    return out


def _triangles(faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(T, 3) triangles of faces and the face of each; a triangle gives one, a quad two."""
    quad = np.flatnonzero(faces[:, 2] != faces[:, 3])
    both = np.concatenate([faces[:, [0, 1, 2]], faces[quad][:, [0, 2, 3]]])
    number = np.concatenate([np.arange(len(faces)), quad])
    a, b, c = both.T
    real = (a != b) & (b != c) & (c != a)
    return both[real], number[real]


def _areas(uv: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    a, b, c = (uv[triangles[:, k]] for k in range(3))
    first, second = b - a, c - a
    return first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]


def _laplacian(mesh: UvMesh) -> sparse.csr_matrix:
    """Identity minus mean value weights; both diagonals of a quad count; vertices on open edges
    are held by their neighbours on the border alone."""
    triangles, _ = _triangles(mesh.faces)
    quad = mesh.faces[mesh.faces[:, 2] != mesh.faces[:, 3]]
    others = np.concatenate([triangles, quad[:, [1, 2, 3]], quad[:, [1, 3, 0]]])
    a, b, c = (mesh.points[others[:, k]] for k in range(3))
    real = np.linalg.norm(np.cross(b - a, c - a), axis=1) > 1e-14
    weights = mean_value_weights(others[real], mesh.points)
    pairs = np.concatenate([triangles[:, [k, (k + 1) % 3]] for k in range(3)])
    edges, count = np.unique(np.sort(pairs, axis=1), axis=0, return_counts=True)
    edges = edges[count == 1]
    border = np.zeros(len(mesh.uv), dtype=bool)
    border[edges] = True
    both = np.concatenate([edges, edges[:, ::-1]])
    along = sparse.csr_matrix((np.ones(len(both)), both.T), shape=weights.shape)
    weights = sparse.diags((~border).astype(float)) @ weights + along
    total = np.asarray(weights.sum(axis=1)).ravel()
    scale = sparse.diags(1.0 / np.maximum(total, 1e-12))
    return (sparse.identity(len(mesh.uv)) - scale @ weights).tocsr()


def _solve(
    laplacian: sparse.csr_matrix, uv: np.ndarray, trust: np.ndarray, region: np.ndarray
) -> np.ndarray:
    """UVs of the region between their own (by trust) and the mean of their neighbours."""
    rows, others = np.flatnonzero(region), np.flatnonzero(~region)
    if not len(rows):
        return uv.copy()
    inner = laplacian[rows]
    system = (inner[:, rows] + sparse.diags(trust[rows])).tocsc()
    right = trust[rows][:, None] * uv[rows] - inner[:, others] @ uv[others]
    out = uv.copy()
    out[rows] = splu(system).solve(right)
    return out


def _covering(mesh: UvMesh, uv: np.ndarray) -> np.ndarray:
    """(n,) faces that lie over others in the layout and are trusted less."""
    distrust = mesh.distrust[mesh.faces].max(axis=1)
    order = np.argsort(-distrust, kind="stable")
    owner = np.full((OVERLAP_SIZE, OVERLAP_SIZE), -1, dtype=np.int32)
    pixels = uv_to_pixels(uv, OVERLAP_SIZE, OVERLAP_SIZE)[mesh.faces]
    corners = np.rint(pixels * 16.0 - 8.0).astype(np.int32)
    for number in order:  # the trusted are drawn last
        cv2.fillConvexPoly(owner, corners[number], int(number), cv2.LINE_8, 4)
    middle = np.clip(pixels.mean(axis=1).astype(int), 0, OVERLAP_SIZE - 1)
    shown = owner[middle[:, 1], middle[:, 0]]
    places = mesh.points[mesh.faces].mean(axis=1)
    apart = np.linalg.norm(places - places[shown], axis=1)
    size = np.linalg.norm(mesh.points[mesh.faces[:, 2]] - mesh.points[mesh.faces[:, 0]], axis=1)
    return np.flatnonzero(apart > np.maximum(OVERLAP_FAR, 2.0 * size))
