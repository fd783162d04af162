"""Edge rings around eyes and mouth, and points at equal places along them.

Head meshes carry closed edge rings around the eye sockets and the mouth bag. Ring 0 is the
border of the patch, ring k + 1 the next ring outwards. A closed ring is split at its corners
(largest and smallest x) into an upper and a lower curve.
"""

from collections import defaultdict

import numpy as np

Neighbours = dict[int, set[int]]


def neighbours_of(faces: np.ndarray) -> Neighbours:
    """Vertices joined by an edge of faces (F, n)."""
    out: Neighbours = defaultdict(set)
    for face in faces.tolist():
        for a, b in zip(face, face[1:] + face[:1], strict=True):
            out[a].add(b)
            out[b].add(a)
    return out


def rings_around(faces: np.ndarray, core: np.ndarray, count: int) -> list[np.ndarray]:
    """Rings 0 to `count` (sorted vertex ids) around the patch of faces `core` (F,) bool."""
    neighbours = neighbours_of(faces)
    inside = set(np.unique(faces[core]).tolist())
    rings = [np.intersect1d(faces[core], faces[~core])]
    for _ in range(count):
        following = {b for a in rings[-1].tolist() for b in neighbours[a]} - inside
        inside |= following
        rings.append(np.array(sorted(following)))
    return rings


def ordered_ring(ring: np.ndarray, neighbours: Neighbours, vertices: np.ndarray) -> np.ndarray:
    """The ring as a closed path from its vertex of largest x, upwards first."""
    members = set(ring.tolist())
    start = int(ring[vertices[ring, 0].argmax()])
    path = [start, max(neighbours[start] & members, key=lambda k: vertices[k, 1])]
    while True:
        ahead = (neighbours[path[-1]] & members) - set(path)
        if not ahead:
            return np.array(path)
        # Where a short chord offers two ways, the nearer vertex keeps the ring whole.
        here = vertices[path[-1]]
        path.append(min(ahead, key=lambda k: float(((vertices[k] - here) ** 2).sum())))


def upper_and_lower(path: np.ndarray, vertices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two paths from the corner of largest x to the corner of smallest x."""
    turn = int(vertices[path, 0].argmin())
    return path[: turn + 1], np.concatenate([path[turn:], path[:1]])[::-1]


def open_path(members: np.ndarray, neighbours: Neighbours, start: int, stop: int) -> np.ndarray:
    """The path of `members` along edges from start to stop; ValueError when there is none."""
    allowed = set(members.tolist())
    path = [start]
    while path[-1] != stop:
        ahead = (neighbours[path[-1]] & allowed) - set(path)
        if not ahead:
            raise ValueError(f"the path from {start} stops after {len(path)} vertices")
        path.append(stop if stop in ahead and len(path) > 1 else min(ahead))
    return np.array(path)


def arc_fractions(path: np.ndarray, vertices: np.ndarray) -> np.ndarray:
    """(n,) share of the path's length before each vertex, 0 to 1."""
    steps = np.linalg.norm(np.diff(vertices[path], axis=0), axis=1)
    length = np.concatenate([[0.0], np.cumsum(steps)])
    return length / length[-1]


def span_fractions(path: np.ndarray, vertices: np.ndarray) -> np.ndarray:
    """(n,) share of the way in x between the path's ends, strictly growing, 0 to 1.

    Ours: matching by x keeps vertical lines of a lid vertical where two heads' rings have
    other shapes; the small share of arc length keeps steep parts apart.
    """
    x = vertices[path, 0]
    span = np.maximum.accumulate((x - x[0]) / (x[-1] - x[0]))
    mixed = 0.9 * np.clip(span, 0.0, 1.0) + 0.1 * arc_fractions(path, vertices)
    return mixed / mixed[-1]


def points_on_path(
    path: np.ndarray, fractions: np.ndarray, wanted: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Points at the fractions `wanted` (n,): vertex ids (n, 2) and weights (n, 2)."""
    low = np.clip(np.searchsorted(fractions, wanted, side="right") - 1, 0, len(path) - 2)
    share = (wanted - fractions[low]) / (fractions[low + 1] - fractions[low])
    ids = np.stack([path[low], path[low + 1]], axis=1)
    return ids, np.stack([1.0 - share, share], axis=1)
