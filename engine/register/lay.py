"""The bent default head laid exactly on the mesh: smooth displacements, closest points.

As `registration.register` (Amberg, Romdhani & Vetter 2007 with smooth displacements), but it starts
from a head of the right identity and expression, so that a third of the rounds do, and the pull of
each vertex falls where lids and lips could be taken for their opposites.
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse
from scipy.sparse.linalg import splu

from ..head.numerics import smoothstep
from ..reporter import Reporter
from .marks import Marks
from .registration import graph_laplacian, point_matrix
from .surface import SurfaceIndex, border_vertices, vertex_normals
from .template import Template

ROUNDS = 9
STIFFNESS_FIRST, STIFFNESS_LAST = 60.0, 0.5
MARK_WEIGHT_FIRST, MARK_WEIGHT_LAST = 3.0, 0.3
"""Of a landmark against a vertex: they lead at first; the surface knows better in the end."""
FAR_FIRST, FAR_LAST = 0.03, 0.008
"""Metres beyond which a vertex does not pull."""
LEAST_COSINE = 0.5
CANDIDATES = 14
"""Triangles tried for each vertex."""
NORMAL_WEIGHT = 0.01
"""Metres: as in `registration.RegistrationSettings`."""


@dataclass(frozen=True, eq=False)
class Laid:
    """vertices (Vt, 3): the default head on the mesh, its other parts as they were bent. distance
    (Vt,) metres to the mesh, NaN where a vertex took no part in the last round."""

    vertices: np.ndarray
    distance: np.ndarray


def lay(
    template: Template,
    bent: np.ndarray,
    vertices: np.ndarray,
    triangles: np.ndarray,
    marks: Marks,
    reporter: Reporter,
    rounds: int = ROUNDS,
) -> Laid:
    """Lay the head `bent` (Vt, 3) on the mesh's outer skin (V, 3), (T, 3), in model space."""
    head = template.head
    members = np.unique(head.triangles[template.skin])
    row_of = np.full(len(bent), -1)
    row_of[members] = np.arange(len(members))
    skin = row_of[head.triangles[template.skin]]
    outer = row_of[head.triangles[template.outer]]
    active = np.zeros(len(members), dtype=bool)
    active[np.unique(outer)] = True
    start = bent[members].astype(np.float64)

    index = SurfaceIndex(vertices, triangles, NORMAL_WEIGHT)
    border = border_vertices(triangles, len(vertices))
    laplacian = graph_laplacian(skin, len(members))
    smooth = (laplacian.T @ laplacian).tocsc()
    anchor, goals, share = _anchors(template, row_of, marks, len(members))
    current = start
    stiffness = np.geomspace(STIFFNESS_FIRST, STIFFNESS_LAST, rounds)
    lead = np.geomspace(MARK_WEIGHT_FIRST, MARK_WEIGHT_LAST, rounds)
    limit = np.geomspace(FAR_FIRST, FAR_LAST, rounds)
    for number in range(rounds):
        reporter.progress(number, rounds)
        pull, goal = _pull(index, border, current, outer, active, limit[number])
        weighted = lead[number] * anchor.T @ sparse.diags(share)
        system = sparse.diags(pull) + weighted @ anchor + stiffness[number] * smooth
        right = pull[:, None] * goal + weighted @ goals + stiffness[number] * (smooth @ start)
        current = solve_symmetric(system, right)
    pull, goal = _pull(index, border, current, outer, active, FAR_LAST)
    distance = np.full(len(bent), np.nan)
    miss = np.linalg.norm(goal - current, axis=1)
    distance[members] = np.where(pull > 0.0, miss, np.nan)
    out = bent.astype(np.float64).copy()
    out[members] = current
    return Laid(out, distance)


def solve_symmetric(system: sparse.spmatrix, right: np.ndarray) -> np.ndarray:
    """x (n, c) of a symmetric positive definite system; ten times as fast as a general one."""
    factor = splu(
        system.tocsc(),
        permc_spec="MMD_AT_PLUS_A",
        diag_pivot_thresh=0.0,
        options={"SymmetricMode": True},
    )
    return factor.solve(right)


def _anchors(
    template: Template, row_of: np.ndarray, marks: Marks, count: int
) -> tuple[sparse.csr_matrix, np.ndarray, np.ndarray]:
    known = marks.weight > 0.05
    corners = row_of[template.head.triangles[marks.triangle[known]]]
    inside = (corners >= 0).all(axis=1)
    weights = marks.barycentric[known]
    matrix = point_matrix(corners[inside], weights[inside], count)
    return matrix, marks.goals[known][inside], marks.weight[known][inside]


def _pull(
    index: SurfaceIndex,
    border: np.ndarray,
    current: np.ndarray,
    outer: np.ndarray,
    active: np.ndarray,
    limit: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Weights (n,) and closest points (n, 3): no pull off the mesh's open edge, from far away or
    to a surface that faces elsewhere."""
    normals = vertex_normals(current, outer)
    found = index.closest(current[active], normals[active], CANDIDATES)
    touched = border[index.triangles[found.triangle]] & (found.barycentric > 1e-6)
    off_edge = touched.sum(axis=1) == (found.barycentric > 1e-6).sum(axis=1)
    share = smoothstep(found.distance, limit, 0.5 * limit)
    share = share * smoothstep(found.cosine, LEAST_COSINE, LEAST_COSINE + 0.3) * ~off_edge
    pull, goal = np.zeros(len(current)), current.copy()
    pull[active], goal[active] = share, found.position
    return pull, goal
