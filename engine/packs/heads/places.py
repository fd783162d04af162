"""Where the points of one head lie on another: through the UV layout that both have."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse

from ...protocol.headpack import split_quads
from ...register.surface import SurfaceIndex

FEW, LARGEST = 24, 150
"""Triangles tried for each point, nearest by their middles; and, for points in none of them, how
many of the largest ones: their middles are far off where they border on small ones."""
INSIDE = 1e-6
"""UV distance up to which a point counts as inside a triangle: float32 rounding."""


@dataclass(frozen=True, eq=False)
class Places:
    """Points on a triangle mesh. triangle (n,) i64, two a face; barycentric (n, 3); distance (n,)
    in UV, infinite where a point has no place at all."""

    triangle: np.ndarray
    barycentric: np.ndarray
    distance: np.ndarray

    def operator(self, triangles: np.ndarray, vertex_count: int) -> sparse.csr_matrix:
        """(n, V) sparse: values at the mesh's vertices to values at the points; rows of points
        without a place are empty. triangles (2F, 3)."""
        found = np.isfinite(self.distance)
        rows = np.repeat(np.flatnonzero(found), 3)
        columns = triangles[self.triangle[found]].ravel()
        values = self.barycentric[found].ravel()
        shape = (len(self.triangle), vertex_count)
        return sparse.csr_matrix((values, (rows, columns)), shape=shape)


class LayoutIndex:
    """Finds points of the UV layout on the faces of a head that are drawn there."""

    def __init__(self, corner_uv: np.ndarray, faces: np.ndarray) -> None:
        """corner_uv (F, 4, 2) of all faces; faces (F,) bool: those to look at."""
        uv = split_quads(corner_uv).astype(np.float64)
        across, along = uv[:, 1] - uv[:, 0], uv[:, 2] - uv[:, 0]
        area = np.abs(across[:, 0] * along[:, 1] - across[:, 1] * along[:, 0])
        self._rows = np.flatnonzero(np.repeat(faces, 2) & (area > 0.0))
        flat = uv[self._rows].reshape(-1, 2)
        points = np.concatenate([flat, np.zeros((len(flat), 1))], axis=1)
        corners = np.arange(len(points)).reshape(-1, 3)
        self._index = SurfaceIndex(points, corners)
        self._large = np.argsort(-area[self._rows], kind="stable")[:LARGEST]
        self._large_index = SurfaceIndex(points, corners[self._large])

    def locate(self, uv: np.ndarray) -> Places:
        """The nearest places of points (n, 2); rows that are not finite have none."""
        uv = np.asarray(uv, dtype=np.float64)
        known = np.isfinite(uv).all(axis=1)
        points = np.concatenate([uv[known], np.zeros((known.sum(), 1))], axis=1)
        found = self._index.closest(points, candidates=FEW)
        triangle, barycentric = found.triangle, found.barycentric
        distance = found.distance
        again = np.flatnonzero(distance > INSIDE)
        if len(again):
            larger = self._large_index.closest(points[again], candidates=LARGEST)
            better = larger.distance < distance[again]
            rows = again[better]
            triangle[rows] = self._large[larger.triangle[better]]
            barycentric[rows] = larger.barycentric[better]
            distance[rows] = larger.distance[better]
        out = Places(np.zeros(len(uv), np.int64), np.zeros((len(uv), 3)), np.full(len(uv), np.inf))
        out.triangle[known] = self._rows[triangle]
        out.barycentric[known] = barycentric
        out.distance[known] = distance
        return out


def vertex_uv(
    faces: np.ndarray, corner_uv: np.ndarray, chosen: np.ndarray, count: int
) -> np.ndarray:
    """(V, 2) f64 UV of each vertex: that of its last corner among the chosen faces (F,) bool, nan
    for vertices of no such face. At seams one side stands for both."""
    out = np.full((count, 2), np.nan)
    out[faces[chosen].ravel()] = corner_uv[chosen].reshape(-1, 2)
    return out


def within(places: Places, reach: float) -> Places:
    """Places farther than `reach` (UV) become none."""
    distance = np.where(places.distance <= reach, places.distance, np.inf)
    return Places(places.triangle, places.barycentric, distance)
