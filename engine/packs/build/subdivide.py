"""One Catmull-Clark step as a sparse linear operator.

Catmull & Clark 1978 for the interior; at a boundary the cubic B-spline curve rules
(midpoints; 1/8, 6/8, 1/8). A boundary vertex with a single face is kept (sharp corner).
"""

from dataclasses import dataclass

import numpy as np

from .topology import edge_table


@dataclass(frozen=True)
class Subdivision:
    """Operator and topology of one step.

    rows, columns (n,) i32, values (n,) f32: sparse V x V0, sorted by row, without duplicates.
    quads: (4 F0, 4) i32; quad 4 f + k is the one at corner k of control quad f, starting there.
    vertex_count: V. New vertices in the order: control vertices, edges, faces.
    """

    rows: np.ndarray
    columns: np.ndarray
    values: np.ndarray
    quads: np.ndarray
    vertex_count: int

    def apply(self, values: np.ndarray) -> np.ndarray:
        """(V0, ...) -> (V, ...), float64. Plain scatter-add; the pack reader has a faster one."""
        flat = np.asarray(values, dtype=np.float64)
        out = np.zeros((self.vertex_count, *flat.shape[1:]))
        weights = self.values.astype(np.float64).reshape(-1, *[1] * (flat.ndim - 1))
        np.add.at(out, self.rows, weights * flat[self.columns])
        return out


def subdivide(quads: np.ndarray, vertex_count: int) -> Subdivision:
    """The step for control quads (F0, 4) over `vertex_count` vertices."""
    edges, face_edges = edge_table(quads)
    faces_at_edge = np.bincount(face_edges.ravel(), minlength=len(edges))
    entries = [
        _face_points(quads, vertex_count + len(edges)),
        _edge_points(quads, edges, face_edges, faces_at_edge, vertex_count),
        _vertex_points(quads, edges, face_edges, faces_at_edge, vertex_count),
    ]
    total = vertex_count + len(edges) + len(quads)
    rows, columns, values = (np.concatenate([e[i] for e in entries]) for i in range(3))
    key, inverse = np.unique(rows * vertex_count + columns, return_inverse=True)
    summed = np.bincount(inverse, weights=values)
    edge_ids = vertex_count + face_edges
    face_ids = np.repeat(vertex_count + len(edges) + np.arange(len(quads)), 4).reshape(-1, 4)
    fine = np.stack([quads, edge_ids, face_ids, np.roll(edge_ids, 1, axis=1)], axis=-1)
    return Subdivision(
        rows=(key // vertex_count).astype(np.int32),
        columns=(key % vertex_count).astype(np.int32),
        values=summed.astype(np.float32),
        quads=fine.reshape(-1, 4).astype(np.int32),
        vertex_count=total,
    )


def subdivide_corner_uv(corner_uv: np.ndarray) -> np.ndarray:
    """(F0, 4, 2) corner UVs to (4 F0, 4, 2): linear in each quad, seams kept."""
    following = np.roll(corner_uv, -1, axis=1)
    before = np.roll(corner_uv, 1, axis=1)
    centre = np.broadcast_to(corner_uv.mean(axis=1, keepdims=True), corner_uv.shape)
    fine = [corner_uv, 0.5 * (corner_uv + following), centre, 0.5 * (corner_uv + before)]
    return np.stack(fine, axis=2).reshape(-1, 4, 2)


Entries = tuple[np.ndarray, np.ndarray, np.ndarray]


def _face_points(quads: np.ndarray, first: int) -> Entries:
    rows = np.repeat(first + np.arange(len(quads)), 4)
    return rows, quads.ravel().astype(np.int64), np.full(quads.size, 0.25)


def _edge_points(
    quads: np.ndarray,
    edges: np.ndarray,
    face_edges: np.ndarray,
    faces_at_edge: np.ndarray,
    first: int,
) -> Entries:
    """Interior: mean of the two ends and the two face points. Boundary: the midpoint."""
    ends = np.where(faces_at_edge == 2, 0.25, 0.5)
    rows = [np.repeat(first + np.arange(len(edges)), 2)]
    columns = [edges.ravel()]
    values = [np.repeat(ends, 2)]
    inner = faces_at_edge[face_edges] == 2
    face, corner = np.nonzero(inner)
    rows.append(np.repeat(first + face_edges[face, corner], 4))
    columns.append(quads[face].ravel())
    values.append(np.full(4 * len(face), 0.25 * 0.25))
    return np.concatenate(rows), np.concatenate(columns).astype(np.int64), np.concatenate(values)


def _vertex_points(
    quads: np.ndarray,
    edges: np.ndarray,
    face_edges: np.ndarray,
    faces_at_edge: np.ndarray,
    vertex_count: int,
) -> Entries:
    """Interior, valence n: (F + 2 R + (n - 3) P) / n with F mean face, R mean edge midpoint."""
    border_edges = edges[faces_at_edge == 1]
    valence = np.bincount(quads.ravel(), minlength=vertex_count)
    border_count = np.bincount(border_edges.ravel(), minlength=vertex_count)
    inner = (border_count == 0) & (valence > 0)
    smooth_border = (border_count == 2) & (valence > 1)
    n = np.maximum(valence, 1).astype(np.float64)
    every = np.arange(vertex_count)
    own = np.where(inner, (n - 3.0) / n, np.where(smooth_border, 0.75, 1.0))
    rows, columns, values = [every], [every], [own]

    corner_vertex = quads.ravel().astype(np.int64)
    used = inner[corner_vertex]
    rows.append(np.repeat(corner_vertex[used], 4))
    columns.append(np.repeat(quads, 4, axis=0)[used].ravel().astype(np.int64))
    values.append(np.repeat(0.25 / n[corner_vertex[used]] ** 2, 4))

    both = np.concatenate([edges, edges[:, ::-1]]).astype(np.int64)
    used = inner[both[:, 0]]
    rows.append(np.repeat(both[used, 0], 2))
    columns.append(both[used].ravel())
    values.append(np.repeat(2.0 * 0.5 / n[both[used, 0]] ** 2, 2))

    both = np.concatenate([border_edges, border_edges[:, ::-1]]).astype(np.int64)
    used = smooth_border[both[:, 0]]
    rows.append(both[used, 0])
    columns.append(both[used, 1])
    values.append(np.full(int(used.sum()), 0.125))
    return np.concatenate(rows), np.concatenate(columns), np.concatenate(values)
