"""A head mesh from outside, in its own units and axes, and what registration works on."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import scipy.sparse as sparse
from scipy.sparse.csgraph import connected_components

from ..packs.heads.files.obj import read_obj
from ..protocol.errors import EngineError, ErrorCode
from .gltf import read_gltf
from .surface import border_vertices, triangulate

MOST_VERTICES = 500_000
"""Ours: ten times a usual scan; it takes some 2 GB."""
WELD = 1e-6
"""Vertices nearer than this share of the longest side are one: files cut meshes at UV seams."""


@dataclass(frozen=True, eq=False)
class HeadMesh:
    """vertices (V, 3) f64 in the file's units and axes. faces (F, 4) i32, counter-clockwise from
    outside, a triangle repeats its last corner. corner_uv (F, 4, 2) f32, v up, or None. name: for
    people."""

    vertices: np.ndarray
    faces: np.ndarray
    corner_uv: np.ndarray | None
    name: str

    @cached_property
    def triangle_face(self) -> np.ndarray:
        """(T,) face of each row of `triangles`."""
        return np.flatnonzero(self._real_triangles) // 2

    @cached_property
    def triangles(self) -> np.ndarray:
        """(T, 3) corners (0, 1, 2) and (0, 2, 3) of each face, those without area left out."""
        return triangulate(self.faces)[self._real_triangles]

    @cached_property
    def _real_triangles(self) -> np.ndarray:
        a, b, c = triangulate(self.faces).T
        return (a != b) & (b != c) & (c != a)

    @cached_property
    def welded(self) -> np.ndarray:
        """(V,) the first vertex at the same place, of those on open edges: a cut at a UV seam has
        two such edges; eye fluid that touches a lid touches closed skin and stays a piece."""
        open_edge = border_vertices(self.triangles, len(self.vertices))
        step = max(float(np.ptp(self.vertices, axis=0).max()) * WELD, 1e-300)
        grid = np.rint((self.vertices - self.vertices.min(axis=0)) / step).astype(np.int64)
        rows = np.flatnonzero(open_edge)
        _, first, inverse = np.unique(grid[rows], axis=0, return_index=True, return_inverse=True)
        out = np.arange(len(self.vertices))
        out[rows] = rows[first][inverse.reshape(-1)]
        return out

    @cached_property
    def component(self) -> np.ndarray:
        """(T,) number of the connected piece of each triangle, vertices at one place joined."""
        corners = self.welded[self.triangles]
        count = len(self.vertices)
        rows = np.concatenate([corners[:, 0], corners[:, 1]])
        columns = np.concatenate([corners[:, 1], corners[:, 2]])
        links = sparse.coo_matrix((np.ones(len(rows)), (rows, columns)), shape=(count, count))
        return connected_components(links, directed=False)[1][corners[:, 0]]


def check_mesh(mesh: HeadMesh) -> HeadMesh:
    """The mesh, when its arrays can be a head. Raises EngineError(BAD_INPUT)."""
    count = len(mesh.vertices)
    if not 0 < count <= MOST_VERTICES:
        raise _bad(mesh.name, f"1 to {MOST_VERTICES:,} vertices", f"{count:,}")
    if not np.isfinite(mesh.vertices).all():
        raise _bad(mesh.name, "finite positions", "infinite or undefined ones")
    if not len(mesh.faces) or mesh.faces.min() < 0 or mesh.faces.max() >= count:
        raise _bad(mesh.name, f"faces over vertices 0 to {count - 1}", "others or none")
    if mesh.corner_uv is not None and mesh.corner_uv.shape != (*mesh.faces.shape, 2):
        raise _bad(mesh.name, "a UV for each corner", f"an array of {mesh.corner_uv.shape}")
    if not len(mesh.triangles) or not np.ptp(mesh.vertices, axis=0).max() > 0:
        raise _bad(mesh.name, "a surface", "points at one place")
    return mesh


def read_mesh(path: Path) -> HeadMesh:
    """A mesh of an OBJ, GLB or glTF file. Raises EngineError: BAD_INPUT, PACK_INVALID (OBJ)."""
    path = Path(path)
    kind = path.suffix.lower()
    if kind in (".glb", ".gltf"):
        vertices, triangles, uv = read_gltf(path)
        faces = triangles[:, [0, 1, 2, 2]]
        corner_uv = None if uv is None else uv[faces]
        return check_mesh(HeadMesh(vertices, faces, corner_uv, path.name))
    if kind != ".obj":
        raise EngineError(
            ErrorCode.BAD_INPUT,
            f"{path.name} is no mesh that can be read: .obj, .glb and .gltf are.",
            "Export the mesh as OBJ or GLB.",
        )
    obj = read_obj(path)
    wide = obj.faces.shape[1]
    corner = [0, 1, 2, 2] if wide == 3 else [0, 1, 2, 3]
    corner_uv = None
    if len(obj.uv) and obj.uv_faces.min() >= 0:
        corner_uv = obj.uv[obj.uv_faces[:, corner]].astype(np.float32)
    faces = np.ascontiguousarray(obj.faces[:, corner], dtype=np.int32)
    return check_mesh(HeadMesh(obj.vertices, faces, corner_uv, path.name))


def _bad(name: str, expected: str, found: str) -> EngineError:
    return EngineError(
        ErrorCode.BAD_INPUT,
        f"{name}: expected {expected}, found {found}.",
        "Export the mesh again, triangles or quads, and decimate it where it is too large.",
    )
