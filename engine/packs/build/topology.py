"""Edge loops and pieces of a quad mesh."""

from collections import defaultdict

import numpy as np

Edge = tuple[int, int]


def edge_table(quads: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Unique edges of quads (F, 4).

    Returns edges (E, 2), low index first, sorted, and face_edges (F, 4): the edge between
    corner k and corner k + 1 of each face.
    """
    pairs = np.stack([quads, np.roll(quads, -1, axis=1)], axis=-1).reshape(-1, 2)
    edges, inverse = np.unique(np.sort(pairs, axis=1), axis=0, return_inverse=True)
    return edges, inverse.reshape(-1, 4)


def boundary_loops(quads: np.ndarray) -> list[np.ndarray]:
    """Closed loops of vertices along edges that have only one face, in face order."""
    edges, face_edges = edge_table(quads)
    count = np.bincount(face_edges.ravel(), minlength=len(edges))
    follow: dict[int, int] = {}
    for face, corner in np.argwhere(count[face_edges] == 1):
        follow[int(quads[face, corner])] = int(quads[face, (corner + 1) % 4])
    loops = []
    while follow:
        start, vertex = follow.popitem()
        loop = [start]
        while vertex != start:
            loop.append(vertex)
            vertex = follow.pop(vertex)
        loops.append(np.array(loop))
    return loops


def trace_edge_loop(quads: np.ndarray, start: Edge) -> list[Edge]:
    """The closed edge loop through `start`: at each 4-valent vertex go straight on.

    Empty when the loop meets a vertex of another valence or a boundary.
    """
    faces_of: dict[Edge, set[int]] = defaultdict(set)
    edges_at: dict[int, set[Edge]] = defaultdict(set)
    for face, quad in enumerate(quads.tolist()):
        for a, b in zip(quad, quad[1:] + quad[:1], strict=True):
            edge = (min(a, b), max(a, b))
            faces_of[edge].add(face)
            edges_at[a].add(edge)
            edges_at[b].add(edge)
    loop, edge, vertex = [start], start, start[1]
    while True:
        straight = [x for x in edges_at[vertex] if not faces_of[edge] & faces_of[x]]
        if len(edges_at[vertex]) != 4 or len(straight) != 1:
            return []
        edge = straight[0]
        if edge == start:
            return loop
        loop.append(edge)
        vertex = edge[0] if edge[1] == vertex else edge[1]


def face_pieces(quads: np.ndarray, cut: list[Edge]) -> np.ndarray:
    """(F,) label of the piece of each face when faces are joined over all edges except `cut`."""
    edges, face_edges = edge_table(quads)
    closed = {tuple(edge) for edge in edges.tolist()} - {tuple(sorted(edge)) for edge in cut}
    is_open = np.array([tuple(edge) in closed for edge in edges.tolist()])
    label = np.arange(len(quads))
    while True:
        low = np.full(len(edges), len(quads))
        np.minimum.at(low, face_edges.ravel(), np.repeat(label, 4))
        reach = np.where(is_open[face_edges], low[face_edges], len(quads)).min(axis=1)
        new = np.minimum(label, reach)
        new = new[new]  # pointer jumping: few rounds although the mesh is long
        if np.array_equal(new, label):
            return label
        label = new
