"""Each vertex of the mesh on the default head that was laid on it, and landmarks the other way."""

import numpy as np
import scipy.sparse as sparse
from scipy.sparse.csgraph import connected_components

from ..protocol.headpack import LandmarkEmbedding
from .correspondence import MeshLandmarks
from .surface import SurfaceIndex, SurfacePoints, border_vertices, vertex_normals
from .template import Template

NORMAL_WEIGHT = 0.004
"""Metres that a normal deviation of 1 costs. Ours: the laid head touches the mesh, so less than
while laying; enough to tell lips and lids that touch apart."""
NEAR_OUTER, NEAR_INNER = 0.004, 0.02
"""Metres from the default head up to which a vertex is matched, on outer skin and inside."""
LEAST_COSINE = 0.0
LARGEST_POCKET, EDGE_SHARE = 0.08, 0.02
"""Share of the mesh's vertices that a nostril or an ear canal has at most, and share of a pocket's
vertices that may be nearest to the default head's edge."""
LANDMARK_FAR = 0.006
"""Metres beyond which a landmark of the laid head is not on the mesh."""


def match_vertices(
    template: Template,
    laid: np.ndarray,
    vertices: np.ndarray,
    triangles: np.ndarray,
    welded: np.ndarray,
) -> tuple[SurfacePoints, np.ndarray, np.ndarray]:
    """Nearest points of the laid skin (rows of head.triangles) for all vertices (V, 3), which of
    them are matched (V,), and which lie in pockets inside what is matched (V,).

    triangles (T, 3): of the mesh's skin; both over `welded` (V,): the vertex each is one with.
    """
    head = template.head
    rows = np.flatnonzero(template.skin)
    index = SurfaceIndex(laid, head.triangles[rows], NORMAL_WEIGHT)
    normals = vertex_normals(vertices, triangles)[welded]
    found = index.closest(vertices, normals)
    triangle = rows[found.triangle]
    inner = ~template.outer[triangle]
    border = border_vertices(head.triangles[rows], len(laid))
    on_edge = border[head.triangles[triangle]] | (found.barycentric < 1e-6)
    at_edge = on_edge.all(axis=1) & border[head.triangles[triangle]].any(axis=1)
    near = found.distance < np.where(inner, NEAR_INNER, NEAR_OUTER)
    matched = near & (found.cosine > LEAST_COSINE) & ~(at_edge & (found.distance > 0.001))
    used = np.zeros(len(vertices), dtype=bool)
    used[np.unique(triangles)] = True
    used = used[welded]
    points = SurfacePoints(
        triangle, found.barycentric, found.position, found.distance, found.cosine
    )
    lost = used & ~matched
    filled = _pockets(triangles, lost, lost & at_edge)[welded]
    return points, matched & used, filled


def _pockets(triangles: np.ndarray, lost: np.ndarray, at_edge: np.ndarray) -> np.ndarray:
    """(V,) bool: connected sets of lost vertices that are small and not off the head's edge."""
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    edges = edges[lost[edges].all(axis=1)]
    count = len(lost)
    links = sparse.coo_matrix((np.ones(len(edges)), edges.T), shape=(count, count))
    label = connected_components(links, directed=False)[1]
    size = np.bincount(label, lost, count)
    off = np.bincount(label, at_edge, count)
    used = len(np.unique(triangles))
    small = (size < LARGEST_POCKET * used) & (off <= EDGE_SHARE * size)
    return lost & small[label]


def landmarks_on(
    template: Template,
    embedding: LandmarkEmbedding,
    laid: np.ndarray,
    vertices: np.ndarray,
    triangles: np.ndarray,
    rows: np.ndarray,
) -> MeshLandmarks:
    """Landmarks of the laid head on the mesh; rows (n,): those of `triangles` that are skin."""
    head = template.head
    corners = head.triangles[embedding.triangles]
    weights = embedding.barycentric.astype(np.float64)
    places = np.einsum("lk,lkc->lc", weights, laid[corners])
    normals = vertex_normals(laid, head.triangles[template.outer])
    normals = np.einsum("lk,lkc->lc", weights, normals[corners])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    found = SurfaceIndex(vertices, triangles[rows], NORMAL_WEIGHT).closest(places, normals)
    weight = np.where(found.distance < LANDMARK_FAR, embedding.weight, 0.0)
    return MeshLandmarks(
        rows[found.triangle].astype(np.int32),
        found.barycentric.astype(np.float32),
        weight.astype(np.float32),
    )
