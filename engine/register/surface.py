"""Triangle surfaces: normals, borders and closest points with normals in the metric."""

from dataclasses import dataclass, fields

import numpy as np
from scipy.spatial import cKDTree

CANDIDATES = 24
"""Triangles tried per query. Ours: with triangles of even size the best one is always among
the first dozen by centroid; the margin is for ears and lids."""
_CHUNK = 1 << 14


def triangulate(quads: np.ndarray) -> np.ndarray:
    """Quads (F, 4) to triangles (2 F, 3): (0, 1, 2) and (0, 2, 3) of each, as in head packs."""
    return np.stack([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]], axis=1).reshape(-1, 3)


def triangle_normals(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(T, 3) unit normals; zero for triangles without area."""
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    return _unit(np.cross(b - a, c - a))


def vertex_normals(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(V, 3) unit normals, area-weighted mean of the triangles around each vertex."""
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    cross = np.cross(b - a, c - a)
    out = np.zeros_like(vertices)
    for k in range(3):
        np.add.at(out, triangles[:, k], cross)
    return _unit(out)


def _unit(vectors: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.maximum(length, 1e-30)


def border_edges(faces: np.ndarray) -> np.ndarray:
    """(n, 2) vertex pairs of edges that have only one of the faces (F, k)."""
    pairs = np.stack([faces, np.roll(faces, -1, axis=1)], axis=-1).reshape(-1, 2)
    edges, count = np.unique(np.sort(pairs, axis=1), axis=0, return_counts=True)
    return edges[count == 1]


def border_vertices(faces: np.ndarray, vertex_count: int) -> np.ndarray:
    """(V,) bool: vertices on an edge that has only one of the faces (F, k)."""
    out = np.zeros(vertex_count, dtype=bool)
    out[border_edges(faces)] = True
    return out


def closest_barycentric(points: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Barycentric coordinates (n, 3) of the point of triangle corners (n, 3, 3) nearest to
    points (n, 3). Ericson 2005, Real-Time Collision Detection, 5.1.5 (region tests)."""
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    ab, ac, ap = b - a, c - a, points - a
    d1, d2 = _dot(ab, ap), _dot(ac, ap)
    bp, cp = points - b, points - c
    d3, d4 = _dot(ab, bp), _dot(ac, bp)
    d5, d6 = _dot(ab, cp), _dot(ac, cp)
    va, vb, vc = d3 * d6 - d5 * d4, d5 * d2 - d1 * d6, d1 * d4 - d3 * d2
    total = va + vb + vc
    flat = np.abs(total) < 1e-300
    total = np.where(flat, 1.0, total)
    out = np.stack([1.0 - (vb + vc) / total, vb / total, vc / total], axis=1)
    zero = np.zeros_like(d1)

    def put(where: np.ndarray, u: np.ndarray, v: np.ndarray, w: np.ndarray) -> None:
        out[where] = np.stack([u, v, w], axis=1)[where]

    t = np.clip(_ratio(d4 - d3, (d4 - d3) + (d5 - d6)), 0.0, 1.0)
    put((va <= 0) & (d4 >= d3) & (d5 >= d6), zero, 1 - t, t)
    t = np.clip(_ratio(d2, d2 - d6), 0.0, 1.0)
    put((vb <= 0) & (d2 >= 0) & (d6 <= 0), 1 - t, zero, t)
    t = np.clip(_ratio(d1, d1 - d3), 0.0, 1.0)
    put((vc <= 0) & (d1 >= 0) & (d3 <= 0), 1 - t, t, zero)
    one = np.ones_like(d1)
    put((d6 >= 0) & (d5 <= d6), zero, zero, one)
    put((d3 >= 0) & (d4 <= d3), zero, one, zero)
    put((d1 <= 0) & (d2 <= 0), one, zero, zero)
    return out


def _dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.einsum("nc,nc->n", a, b)


def _ratio(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a / np.where(np.abs(b) < 1e-300, 1.0, b)


@dataclass(frozen=True)
class SurfacePoints:
    """Points on a surface: triangle (n,), barycentric (n, 3), position (n, 3), distance (n,)
    (Euclidean, to the query), cosine (n,) of query normal and surface normal (1 without)."""

    triangle: np.ndarray
    barycentric: np.ndarray
    position: np.ndarray
    distance: np.ndarray
    cosine: np.ndarray


class SurfaceIndex:
    """Closest points on a fixed triangle surface.

    normal_weight: length in the units of the vertices that a normal deviation of 1 costs
    (the metric is |p - q|^2 + normal_weight^2 |n_p - n_q|^2), so that upper and lower lip, or
    both sides of an ear, are told apart.
    """

    def __init__(
        self, vertices: np.ndarray, triangles: np.ndarray, normal_weight: float = 0.0
    ) -> None:
        self.vertices = vertices
        self.triangles = triangles
        self.normal_weight = normal_weight
        self.corners = vertices[triangles]
        self.normals = triangle_normals(vertices, triangles)
        self.smooth = vertex_normals(vertices, triangles)[triangles]
        self._tree = cKDTree(self._features(self.corners.mean(axis=1), self.normals))

    def _features(self, points: np.ndarray, normals: np.ndarray | None) -> np.ndarray:
        if self.normal_weight == 0.0 or normals is None:
            return points
        return np.concatenate([points, self.normal_weight * normals], axis=1)

    def closest(
        self, points: np.ndarray, normals: np.ndarray | None = None, candidates: int = CANDIDATES
    ) -> SurfacePoints:
        """Nearest surface points of points (n, 3) with unit normals (n, 3)."""
        if (normals is None) != (self.normal_weight == 0.0):
            raise ValueError("normals are needed exactly when the index has a normal weight")
        if len(points) > _CHUNK:
            return self._in_chunks(points, normals, candidates)
        count = min(candidates, len(self.triangles))
        near = self._tree.query(self._features(points, normals), k=count)[1]
        near = near.reshape(len(points), count)
        queries = np.repeat(points, count, axis=0)
        flat = near.ravel()
        bary = closest_barycentric(queries, self.corners[flat])
        position = np.einsum("nk,nkc->nc", bary, self.corners[flat])
        cost = ((position - queries) ** 2).sum(axis=1)
        if normals is not None:
            smooth = _unit(np.einsum("nk,nkc->nc", bary, self.smooth[flat]))
            turn = ((smooth - np.repeat(normals, count, axis=0)) ** 2).sum(axis=1)
            cost = cost + self.normal_weight**2 * turn
        best = cost.reshape(-1, count).argmin(axis=1) + count * np.arange(len(points))
        cosine = np.ones(len(points))
        if normals is not None:
            cosine = _dot(smooth[best], normals)
        distance = np.linalg.norm(position[best] - points, axis=1)
        return SurfacePoints(flat[best], bary[best], position[best], distance, cosine)

    def _in_chunks(
        self, points: np.ndarray, normals: np.ndarray | None, candidates: int
    ) -> SurfacePoints:
        """As `closest`, in steps: a scan has half a million queries of a kilobyte each."""
        parts = [
            self.closest(
                points[start : start + _CHUNK],
                None if normals is None else normals[start : start + _CHUNK],
                candidates,
            )
            for start in range(0, len(points), _CHUNK)
        ]
        names = [field.name for field in fields(SurfacePoints)]
        joined = (np.concatenate([getattr(part, name) for part in parts]) for name in names)
        return SurfacePoints(*joined)
