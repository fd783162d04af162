"""The default head's own model fitted to a mesh: who it is, with which expression, and where."""

from dataclasses import dataclass

import numpy as np

from ..fit.shape.view import rotation_matrix
from ..head.numerics import smoothstep
from .marks import Marks, mark_places
from .registration import Similarity
from .surface import SurfaceIndex, border_vertices, vertex_normals
from .template import Template

ROUNDS = 14
STEP = 3
"""Of the template's outer vertices, every third pulls."""
SIGMA = 0.001
"""Metres; how far a vertex of the face may lie from the mesh."""
FAR_FIRST, FAR_LAST = 0.03, 0.01
"""Metres beyond which a vertex does not pull, in the first and the last round."""
LEAST_COSINE = 0.5
MARK_SIGMA = 0.004
"""Metres; the same for landmarks."""
EXPRESSION_SPREAD = 0.25
"""Of weights of expressions. Ours: meshes are at rest, with closed lids or parted lips at most."""
REST_OF_HEAD = 0.3
"""Weight of ears, scalp and neck against the face."""
SIZE_SPREAD = 0.02
"""Of the logarithm of the size about that of the landmarks. Ours: who is small and who is near
cannot be told from the form alone, and the identity must not make up for it."""
NEAR_TRIANGLES = 8
NORMAL_WEIGHT = 0.01


@dataclass(frozen=True, eq=False)
class Bent:
    """coefficients (K + E,); vertices (V, 3): the head in model space; place: from the mesh's
    space to that in which `vertices` lies."""

    coefficients: np.ndarray
    vertices: np.ndarray
    place: Similarity


def bend(
    template: Template,
    vertices: np.ndarray,
    triangles: np.ndarray,
    marks: Marks,
    rounds: int = ROUNDS,
    start: np.ndarray | None = None,
    keep_size: bool = False,
) -> Bent:
    """Iterated closest points (Besl & McKay 1992) from point to plane, each round a linear solve
    for identity, expression and similarity under the model's own prior.

    vertices (V, 3), triangles (T, 3): the mesh's outer skin, near its place in model space.
    """
    head = template.head
    corners = np.unique(head.triangles[template.outer])[::STEP]
    share = np.where(head.groups["face"][corners] > 0.5, 1.0, REST_OF_HEAD) / SIGMA
    target = SurfaceIndex(vertices, triangles, NORMAL_WEIGHT)
    border = border_vertices(triangles, len(vertices))
    count, split = len(template.modes), template.identities
    z = np.zeros(count) if start is None else start.copy()
    rotation, shift, scale = np.eye(3), np.zeros(3), 1.0
    prior = np.ones(count + 7)
    prior[split:count] = EXPRESSION_SPREAD**-2.0
    prior[count:] = 1e-9
    prior[-1] = 1e12 if keep_size else SIZE_SPREAD**-2.0
    known = marks.weight > 0.05
    mark_share = np.sqrt(marks.weight[known]) / MARK_SIGMA
    mark_modes = np.stack([mark_places(mode, marks, head)[known] for mode in template.modes])
    for number in range(rounds):
        shape = template.shape(z)
        far = np.interp(number, [0, rounds - 1], [FAR_FIRST, FAR_LAST])
        normals = vertex_normals(shape, head.triangles[template.outer])[corners] @ rotation.T
        here = scale * shape[corners] @ rotation.T + shift
        hit = target.closest(here, normals, NEAR_TRIANGLES)
        pull = share * smoothstep(hit.distance, far, 0.5 * far) * (hit.cosine > LEAST_COSINE)
        pull = np.where(border[target.triangles[hit.triangle]].any(axis=1), 0.0, pull)
        plane = target.normals[hit.triangle] * pull[:, None]
        rows = _rows(here, template.modes[:, corners], scale * rotation, shift)
        across = np.einsum("nc,ncp->np", plane, rows)
        missing = np.einsum("nc,nc->n", plane, here - hit.position)
        mark = scale * mark_places(shape, marks, head)[known] @ rotation.T + shift
        mark_rows = _rows(mark, mark_modes, scale * rotation, shift) * mark_share[:, None, None]
        off = (mark - marks.goals[known]) * mark_share[:, None]
        a = np.concatenate([across, mark_rows.reshape(-1, count + 7)])
        b = np.concatenate([missing, off.ravel()])
        normal = a.T @ a + np.diag(prior)
        step = -np.linalg.solve(
            normal, a.T @ b + prior * np.append(np.append(z, np.zeros(6)), np.log(scale))
        )
        z[:split] += step[:split]
        z[split:] = np.clip(z[split:] + step[split:count], 0.0, 1.0)
        turn, grow = rotation_matrix(step[count : count + 3]), np.exp(step[-1])
        rotation, scale = turn @ rotation, scale * grow
        shift = grow * turn @ shift + step[count + 3 : count + 6]
    inverse = Similarity(1.0 / scale, rotation.T, -rotation.T @ shift / scale)
    return Bent(z, template.shape(z), inverse)


def _rows(
    points: np.ndarray, modes: np.ndarray, linear: np.ndarray, shift: np.ndarray
) -> np.ndarray:
    """(n, 3, P + 7) derivative of placed points by modes, rotation, shift and log scale."""
    x, y, z = points.T
    zero = np.zeros_like(x)
    cross = np.stack([zero, z, -y, -z, zero, x, y, -x, zero], -1).reshape(-1, 3, 3)
    placed = np.einsum("knc,dc->ndk", modes, linear, optimize=True)
    unit = np.broadcast_to(np.eye(3), (len(points), 3, 3))
    return np.concatenate([placed, cross, unit, points[:, :, None]], axis=2)
