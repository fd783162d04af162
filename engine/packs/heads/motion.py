"""Linear motions of rigid-looking parts: what a field of displacements does to a part as a whole.

A part that the skin does not carry (eyeball, teeth, tongue) follows it by a similarity.
Displacements are linear in a model's coefficients, so the similarity is linearised about the part's
place: d(x) = t + s (x - c) + r x (x - c).
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Motions:
    """Linearised similarities of M fields: shift (M, 3) metres, growth (M,), turn (M, 3) radians,
    about `centre` (3,)."""

    centre: np.ndarray
    shift: np.ndarray
    growth: np.ndarray
    turn: np.ndarray

    def of(self, points: np.ndarray) -> np.ndarray:
        """(M, n, 3) displacements of points (n, 3)."""
        offset = points - self.centre
        return (
            self.shift[:, None]
            + self.growth[:, None, None] * offset
            + np.cross(self.turn[:, None], offset[None])
        )


def follow(
    points: np.ndarray,
    moves: np.ndarray,
    weights: np.ndarray,
    centre: np.ndarray,
    turning: bool = True,
    growing: bool = True,
) -> Motions:
    """The motions that carry points (n, 3) by moves (M, n, 3) best, weighted least squares.

    weights (n,). turning, growing: whether rotation and scale take part; else they are 0.
    """
    offset = points - centre
    count = len(points)
    columns = [np.tile(np.eye(3), (count, 1))]
    if growing:
        columns.append(offset.reshape(-1, 1))
    if turning:
        x, y, z = offset.T
        zero = np.zeros(count)
        turns = np.stack([zero, z, -y, -z, zero, x, y, -x, zero], axis=1)
        columns.append(turns.reshape(-1, 3))
    root = np.sqrt(np.repeat(weights, 3))
    design = np.concatenate(columns, axis=1) * root[:, None]
    goals = moves.reshape(len(moves), -1).T * root[:, None]
    solution = np.linalg.lstsq(design, goals, rcond=None)[0].T
    shift, rest = solution[:, :3], solution[:, 3:]
    growth = rest[:, 0] if growing else np.zeros(len(moves))
    turn = rest[:, -3:] if turning else np.zeros((len(moves), 3))
    return Motions(centre, shift, growth, turn)


def affine_motion(points: np.ndarray, moves: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Affine fields of best fit: shift (M, 3) at the points' centre and gradient (M, 3, 3), so that
    d(x) = shift + gradient @ (x - centre). points (n, 3), moves (M, n, 3)."""
    offset = points - points.mean(axis=0)
    shift = moves.mean(axis=1)
    rest = moves - shift[:, None]
    inverse = np.linalg.pinv(offset, rcond=1e-6)
    return shift, np.einsum("an,mnc->mca", inverse, rest)
