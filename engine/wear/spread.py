"""Values over a mesh: distances along it, and smooth continuation of what is known."""

import numpy as np
import scipy.sparse as sparse
from scipy.sparse.csgraph import connected_components, dijkstra
from scipy.sparse.linalg import splu
from scipy.spatial import cKDTree

_ANCHOR = 1e-6
"""Pull towards the first guess, as a share of an edge's: pieces that hang on nothing keep it."""


def edge_graph(vertices: np.ndarray, edges: np.ndarray) -> sparse.csr_matrix:
    """(W, W) symmetric, entries are lengths in metres. edges: (n, 2)."""
    length = np.linalg.norm(vertices[edges[:, 0]] - vertices[edges[:, 1]], axis=1)
    length = np.maximum(length, 1e-9)
    rows, columns = np.concatenate([edges, edges[:, ::-1]]).T
    shape = (len(vertices), len(vertices))
    return sparse.csr_matrix((np.concatenate([length, length]), (rows, columns)), shape=shape)


def distance_from(graph: sparse.csr_matrix, sources: np.ndarray, limit: float) -> np.ndarray:
    """(W,) metres along edges from the nearest of the vertices `sources` (W,) bool, at most
    `limit` (Dijkstra 1959)."""
    if not sources.any():
        return np.full(graph.shape[0], limit)
    found = dijkstra(graph, indices=np.flatnonzero(sources), min_only=True, limit=limit)
    return np.minimum(found, limit)


def islands_of(graph: sparse.csr_matrix, chosen: np.ndarray) -> np.ndarray:
    """(W,) number of the connected island of the chosen (W,) bool vertices, -1 elsewhere."""
    rows = np.flatnonzero(chosen)
    out = np.full(len(chosen), -1)
    out[rows] = connected_components(graph[rows][:, rows], directed=False)[1]
    return out


def continued(
    vertices: np.ndarray, graph: sparse.csr_matrix, values: np.ndarray, known: np.ndarray
) -> np.ndarray:
    """(W, C) values, the unknown ones by harmonic continuation over the edges, each weighted by 1
    over its length. values (W, C); known (W,) bool. Pieces without a known vertex get what the
    nearest known one has."""
    out = values.astype(np.float64).copy()
    free = np.flatnonzero(~known)
    if not len(free) or not known.any():
        return out
    weights = graph.copy()
    weights.data = 1.0 / weights.data
    rows = weights[free]
    total = np.asarray(rows.sum(axis=1)).ravel()
    anchor = _ANCHOR * max(float(total.mean()), 1.0)
    guess = out[known][cKDTree(vertices[known]).query(vertices[free])[1]]
    system = sparse.diags(total + anchor) - rows[:, free]
    goal = rows[:, np.flatnonzero(known)] @ out[known] + anchor * guess
    out[free] = splu(system.tocsc()).solve(goal)
    return out


def smoothed(graph: sparse.csr_matrix, values: np.ndarray, length: float) -> np.ndarray:
    """(W, C) values without what is finer than `length` metres: x - length^2 laplace(x) = values.

    The Laplacian is that of a plane mesh of even triangles, 4 / (degree * length of edge^2) times
    the differences to the neighbours, so linear fields on it stay as they are.
    """
    weights = graph.copy()
    weights.data = (length / np.maximum(weights.data, length)) ** 2
    degree = np.maximum(np.diff(graph.indptr), 1)
    weights = sparse.diags(4.0 / degree) @ weights
    total = np.asarray(weights.sum(axis=1)).ravel()
    return splu((sparse.diags(1.0 + total) - weights).tocsc()).solve(values)
