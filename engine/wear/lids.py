"""Lids slide over the artist's eyeballs: a shape key moves straight, an eyeball is round."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse
from scipy.spatial import cKDTree

from ..packs.heads.donors import EYES, sphere_of
from .pieces import Follower
from .worn import WornMesh

_AROUND = 1.7
"""Radii of the eye within which skin is looked at."""
_THIN = 0.0005
"""Metres that a lid keeps from the eye, or what it has at rest when that is less."""
_STILL = 0.0003
"""Metres below which a vertex does not slide."""
_WEIGHTS = (0.5, 0.75, 1.0)
"""Of the shape, at which the lid must be outside. Ours: at half of it the way is deepest."""
_MOST = 0.0025
"""Metres that a lid may be lifted."""
_SMOOTH = 3
_SPREAD = 0.8
"""Share of its lift that a vertex hands on to its neighbours."""
_NEIGHBOURS = 4


@dataclass(frozen=True, eq=False)
class Eye:
    """An eyeball as directions (n, 3) and distances (n,) of its vertices from its middle."""

    middle: np.ndarray
    directions: cKDTree
    radius: np.ndarray

    def height(self, points: np.ndarray) -> np.ndarray:
        """(m,) metres of points (m, 3) above the eyeball."""
        away = points - self.middle
        distance = np.linalg.norm(away, axis=1)
        near = self.directions.query(away / distance[:, None], k=_NEIGHBOURS)[1]
        return distance - self.radius[near].max(axis=1)


def eyes_of(bound: list[Follower], mesh: WornMesh) -> list[Eye]:
    """The eyeballs among what follows the template."""
    out = []
    for follower in bound:
        if follower.part in EYES and len(follower.rows) > _NEIGHBOURS:
            points = mesh.vertices[follower.rows]
            middle, _ = sphere_of(points)
            away = points - middle
            radius = np.linalg.norm(away, axis=1)
            out.append(Eye(middle, cKDTree(away / radius[:, None]), radius))
    return out


def lifted(shift: np.ndarray, mesh: WornMesh, eyes: list[Eye]) -> np.ndarray:
    """(W, 3) displacements at weight 1 with which lids stay outside the eyes on their way.

    Where the straight way would go through the eyeball the lid is lifted along the eye's radius,
    and its surroundings a little less.
    """
    out = shift.copy()
    near_skin = mesh.with_skin & mesh.matched
    for eye in eyes:
        reach = _AROUND * float(eye.radius.max())
        close = near_skin & (np.linalg.norm(mesh.vertices - eye.middle, axis=1) < reach)
        rows = np.flatnonzero(close & (np.linalg.norm(shift, axis=1) > _STILL))
        if not len(rows):
            continue
        rest = eye.height(mesh.vertices[rows])
        rows, rest = rows[rest > 0.0], rest[rest > 0.0]
        need = np.zeros(len(rows))
        for weight in _WEIGHTS:
            there = mesh.vertices[rows] + weight * shift[rows]
            low = np.minimum(rest, _THIN) - eye.height(there)
            need = np.maximum(need, low / weight)
        lift = np.zeros(len(out))
        lift[rows] = np.clip(need, 0.0, _MOST)
        lift = _spread(lift, mesh, close)
        end = mesh.vertices + out - eye.middle
        out += lift[:, None] * end / np.linalg.norm(end, axis=1, keepdims=True)
    return out


def _spread(lift: np.ndarray, mesh: WornMesh, close: np.ndarray) -> np.ndarray:
    """Falls off over a few rings, never below what is needed."""
    if not lift.any():
        return lift
    edges = mesh.edges[close[mesh.edges].all(axis=1)]
    ones = np.ones(2 * len(edges))
    links = np.concatenate([edges, edges[:, ::-1]])
    average = sparse.csr_matrix((ones, links.T), shape=(len(lift), len(lift)))
    count = np.maximum(np.asarray(average.sum(axis=1)).ravel(), 1.0)
    wide = lift.copy()
    for _ in range(_SMOOTH):
        np.maximum.at(wide, links[:, 0], _SPREAD * wide[links[:, 1]])
    for _ in range(_SMOOTH):
        wide = np.where(close, 0.5 * wide + 0.5 * (average @ wide) / count, wide)
    return np.where(close, np.maximum(wide, lift), 0.0)
