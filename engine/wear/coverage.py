"""How much of a mesh is the person's: all that has a place on it, fading where the head ends."""

import numpy as np

from ..head.numerics import smoothstep
from .spread import distance_from, islands_of
from .worn import WornMesh

LONG_FADE = 0.018
"""Metres over which the maps fade at the neck (ours)."""
HOLE = 0.05
"""Metres: what is not matched and smaller than this is an eye or a mouth: no fade around it, or
the lids and lips would be lost."""


def open_ends(mesh: WornMesh) -> np.ndarray:
    """(W,) bool: skin without UVs that is no eye or mouth: neck and body."""
    island = islands_of(mesh.graph, ~mesh.dressed & mesh.with_skin)
    large = np.zeros(len(island), dtype=bool)
    for number in range(island.max() + 1):
        there = island == number
        large[there] = np.ptp(mesh.vertices[there], axis=0).max() > HOLE
    return large


def coverage_of(mesh: WornMesh) -> np.ndarray:
    """(W,) in [0, 1]: 0 where nothing is known, 1 within."""
    away = distance_from(mesh.graph, open_ends(mesh), 2.0 * LONG_FADE)
    return np.where(mesh.dressed, smoothstep(away, 0.0, LONG_FADE), 0.0)
