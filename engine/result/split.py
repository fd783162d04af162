"""Vertices split at UV seams: what glTF and graphics cards need, one part at a time."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..protocol.faces import is_triangle
from ..protocol.headpack import split_quads
from ..protocol.result import ResultMesh


@dataclass(frozen=True, eq=False)
class SplitPart:
    """vertices (N,) i64 into the mesh's vertices; uv (N, 2) f32, v up; triangles (T, 3) i64
    into the N split vertices, in the order of the part's faces."""

    vertices: np.ndarray
    uv: np.ndarray
    triangles: np.ndarray


@dataclass(frozen=True, eq=False)
class SparseMove:
    """How an expression moves a part: rows (m,) i64 of its split vertices that move at all, move
    (m, 3) f32 metres; low and high (3,) over all its vertices."""

    rows: np.ndarray
    move: np.ndarray
    low: np.ndarray
    high: np.ndarray


class _Shared:
    """What all heads of a pack share, equal when the arrays are the same objects."""

    def __init__(self, mesh: ResultMesh) -> None:
        self.mesh = mesh
        self._arrays = (mesh.expression, mesh.quads, mesh.corner_uv, mesh.face_part)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Shared):
            return NotImplemented
        return all(a is b for a, b in zip(self._arrays, other._arrays, strict=True))

    def __hash__(self) -> int:
        return hash(tuple(map(id, self._arrays)))


def split_head(mesh: ResultMesh, part: int, still: float) -> tuple[SplitPart, list[SparseMove]]:
    """A part with split vertices, and how each expression moves it.

    still: metres; vertices that move less along every axis do not count. Kept for the last
    packs' arrays, which are never changed.
    """
    return _split_head(_Shared(mesh), part, still)


@lru_cache(maxsize=32)
def _split_head(shared: _Shared, part: int, still: float) -> tuple[SplitPart, list[SparseMove]]:
    split = split_part(shared.mesh, part)
    deltas = (delta[split.vertices] for delta in shared.mesh.expression)
    return split, [sparse_move(delta.astype(np.float32), still) for delta in deltas]


def sparse_move(delta: np.ndarray, still: float) -> SparseMove:
    """(N, 3) f32 displacements, those up to `still` metres along each axis left out."""
    rows = np.flatnonzero(np.abs(delta).max(axis=1) > still)
    moving = delta[rows]
    ends = [moving] if len(rows) == len(delta) else [moving, np.zeros((1, 3), np.float32)]
    whole = np.concatenate(ends)
    return SparseMove(rows, moving, whole.min(axis=0), whole.max(axis=0))


def split_part(mesh: ResultMesh, part: int) -> SplitPart:
    """One split vertex for each different (vertex, corner UV) of the faces of `part`; triangles,
    which repeat their last corner, give one triangle."""
    chosen = mesh.face_part == part
    vertex = mesh.quads[chosen].reshape(-1).astype(np.int64)
    uv, uv_index = unique_uv(mesh.corner_uv[chosen])
    pairs, corners = np.unique(vertex * len(uv) + uv_index.reshape(-1), return_inverse=True)
    corners = corners.reshape(-1, 4)
    triangles = split_quads(corners).reshape(-1, 2, 3)
    real = np.ones(triangles.shape[:2], bool)
    real[is_triangle(mesh.quads[chosen]), 1] = False  # of a triangle the second half is nothing
    triangles = triangles[real]
    return SplitPart(pairs // len(uv), uv[pairs % len(uv)], triangles)


def unique_uv(corner_uv: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(F, 4, 2) corner UVs to the different ones (N, 2) f32 and (F, 4) indices into them.

    Compared bit by bit as one 64-bit word, which sorts ten times as fast as pairs do.
    """
    corners = np.ascontiguousarray(corner_uv, dtype=np.float32) + np.float32(0.0)  # no -0.0
    words, index = np.unique(corners.view(np.int64).reshape(-1), return_inverse=True)
    return words.view(np.float32).reshape(-1, 2), index.reshape(corners.shape[:2])
