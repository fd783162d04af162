"""The artist's mesh in model space, as baking and transfer need it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sparse
from scipy.sparse.csgraph import connected_components

from ..protocol.headpack import split_quads
from ..register.surface import vertex_normals
from .spread import edge_graph


@dataclass(frozen=True, eq=False)
class WornMesh:
    """Vertices at one place are one here, so that cuts at UV seams do not part the surface.

    vertices (W, 3): model space, metres. triangles (2F, 3): two for each face of the mesh; of a
    triangle the second one has no area. of_vertex (V,): our number of each vertex of the mesh;
    vertex_matched (V,) bool: it has a place on the template; vertex_dressed (V,) bool: its corners
    have UVs, as nostrils have that the template lacks. corner_uv (F, 4, 2): the mesh's corners in
    the FFHQ-UV layout.
    """

    vertices: np.ndarray
    triangles: np.ndarray
    of_vertex: np.ndarray
    vertex_matched: np.ndarray
    vertex_dressed: np.ndarray
    corner_uv: np.ndarray

    @cached_property
    def matched(self) -> np.ndarray:
        """(W,) bool: one of the vertices there has a place on the template."""
        return self._any(self.vertex_matched)

    @cached_property
    def dressed(self) -> np.ndarray:
        """(W,) bool: one of the vertices there has UVs, those that are matched among them."""
        return self.matched | self._any(self.vertex_dressed)

    def _any(self, of_vertices: np.ndarray) -> np.ndarray:
        out = np.zeros(len(self.vertices), dtype=bool)
        out[self.of_vertex[of_vertices]] = True
        return out

    @cached_property
    def normals(self) -> np.ndarray:
        """(W, 3) unit."""
        return vertex_normals(self.vertices, self.triangles)

    @cached_property
    def edges(self) -> np.ndarray:
        """(n, 2) pairs of vertices joined by an edge or the diagonal of a face, each once."""
        pairs = np.concatenate([self.triangles[:, [k, (k + 1) % 3]] for k in range(3)])
        pairs = np.unique(np.sort(pairs, axis=1), axis=0)
        return pairs[pairs[:, 0] != pairs[:, 1]]

    @cached_property
    def graph(self) -> sparse.csr_matrix:
        """(W, W) lengths of edges, metres."""
        return edge_graph(self.vertices, self.edges)

    @cached_property
    def piece(self) -> np.ndarray:
        """(W,) number of the connected piece."""
        return connected_components(self.graph, directed=False)[1]

    @cached_property
    def with_skin(self) -> np.ndarray:
        """(W,) bool: vertices of pieces of which something is matched."""
        return np.bincount(self.piece, self.matched)[self.piece] > 0


def worn_mesh(
    vertices: np.ndarray,
    faces: np.ndarray,
    welded: np.ndarray,
    matched: np.ndarray,
    corner_uv: np.ndarray,
    dressed: np.ndarray | None = None,
) -> WornMesh:
    """vertices (V, 3) in model space, metres; faces (F, 4), triangles padded; welded (V,): first
    vertex at the same place; matched (V,) bool; corner_uv (F, 4, 2): FFHQ-UV; dressed (V,) bool:
    what is not matched and has UVs too."""
    kept, of_vertex = np.unique(welded, return_inverse=True)
    of_vertex = of_vertex.reshape(-1)
    points = vertices[kept].astype(np.float64)
    triangles = of_vertex[split_quads(faces)]
    has_uv = matched if dressed is None else matched | dressed
    return WornMesh(points, triangles, of_vertex, matched, has_uv, corner_uv)
