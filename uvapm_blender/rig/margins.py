"""The edges of the lids, found by the texture's seams: the socket has an island of its own."""

from dataclasses import dataclass

import numpy as np

MOST_AWAY = 1.6
"""Radii of the eyeball within which all of a lid's edge lies (ours: 1.2 on the default pack)."""
LEAST_POINTS = 8


@dataclass(frozen=True, eq=False)
class Lids:
    """Vertices of the edges of an eye's lids, from the smallest x to the largest, and its ball.

    upper (a,), lower (b,) indices; both begin and end with the corners. centre (3,), radius:
    metres, model space.
    """

    upper: np.ndarray
    lower: np.ndarray
    centre: np.ndarray
    radius: float


def seam_edges(quads: np.ndarray, corner_uv: np.ndarray) -> np.ndarray:
    """(n, 2) vertices of the edges whose two faces lie apart in the texture.

    quads (F, 4) and corner_uv (F, 4, 2); a triangle repeats its last corner.
    """
    ends = np.stack([quads, np.roll(quads, -1, axis=1)], axis=-1).reshape(-1, 2)
    places = np.rint(np.stack([corner_uv, np.roll(corner_uv, -1, axis=1)], axis=2) * 1e5)
    places = places.reshape(-1, 2, 2)
    real = ends[:, 0] != ends[:, 1]
    ends, places = ends[real], places[real]
    turned = ends[:, 0] > ends[:, 1]
    ends[turned], places[turned] = ends[turned][:, ::-1], places[turned][:, ::-1]
    order = np.lexsort((ends[:, 1], ends[:, 0]))
    ends, places = ends[order], places[order]
    same = (ends[1:] == ends[:-1]).all(axis=1)
    apart = (places[1:] != places[:-1]).any(axis=(1, 2))
    return ends[1:][same & apart]


def loops(edges: np.ndarray) -> list[np.ndarray]:
    """The closed loops among edges (n, 2), each in order; pieces with ends or forks are out."""
    beside: dict[int, list[int]] = {}
    for a, b in edges.tolist():
        beside.setdefault(a, []).append(b)
        beside.setdefault(b, []).append(a)
    found, seen = [], set()
    for start in beside:
        if start in seen:
            continue
        loop, before = [start], None
        while len(beside[loop[-1]]) == 2:
            a, b = beside[loop[-1]]
            before, following = loop[-1], (a if a != before else b)
            if following == start or following in seen:
                break
            loop.append(following)
            seen.add(following)
        if start in beside[loop[-1]] and all(len(beside[each]) == 2 for each in loop):
            found.append(np.array(loop))
        seen.update(loop)
    return found


def find_lids(
    vertices: np.ndarray, quads: np.ndarray, corner_uv: np.ndarray, eyeball: np.ndarray
) -> Lids | None:
    """The lids of one eye; None where the head has no such edge.

    vertices (V, 3) model space; quads (F, 4) and corner_uv (F, 4, 2) of the skin; eyeball (n,):
    vertices of the ball.
    """
    ball = vertices[eyeball]
    centre = (ball.min(axis=0) + ball.max(axis=0)) / 2.0
    radius = float(np.linalg.norm(ball - centre, axis=1).mean())
    near = np.linalg.norm(vertices[quads[:, 0]] - centre, axis=1) < 2.0 * MOST_AWAY * radius
    for loop in loops(seam_edges(quads[near], corner_uv[near])):
        away = vertices[loop] - centre
        if len(loop) < LEAST_POINTS or np.linalg.norm(away, axis=1).max() > MOST_AWAY * radius:
            continue
        if away[:, 2].min() <= 0.0:
            continue  # not in front of the ball
        x = vertices[loop, 0]
        loop = np.roll(loop, -int(x.argmin()))
        far = int(vertices[loop, 0].argmax())
        one, other = loop[: far + 1], np.append(loop[far:], loop[0])[::-1]
        sides = sorted((one, other), key=lambda side: vertices[side, 1].mean())
        return Lids(sides[1], sides[0], centre, radius)
    return None
