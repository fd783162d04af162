"""Each vertex of the mesh on the default head that was laid on it, and landmarks the other way."""

import numpy as np

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
LANDMARK_FAR = 0.006
"""Metres beyond which a landmark of the laid head is not on the mesh."""


def match_vertices(
    template: Template,
    laid: np.ndarray,
    vertices: np.ndarray,
    triangles: np.ndarray,
) -> tuple[SurfacePoints, np.ndarray]:
    """Nearest points of the laid skin (rows of head.triangles) for all vertices (V, 3), and which
    are matched (V,). triangles (T, 3): of the mesh's skin."""
    head = template.head
    rows = np.flatnonzero(template.skin)
    index = SurfaceIndex(laid, head.triangles[rows], NORMAL_WEIGHT)
    normals = vertex_normals(vertices, triangles)
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
    points = SurfacePoints(
        triangle, found.barycentric, found.position, found.distance, found.cosine
    )
    return points, matched & used


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
