"""Gaze as weights of the eyeLook expressions, with the lids left where the landmarks saw them."""

from collections.abc import Sequence

import numpy as np

from ...protocol.gaze import LOOKS
from ..shape.landmark_basis import LandmarkBasis

LID_MOVERS = ("eyeBlink", "eyeSquint", "eyeWide")
LID_POINTS = (
    *(33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246),
    *(362, 382, 381, 380, 374, 373, 390, 249, 263, 466, 388, 387, 386, 385, 384, 398),
)
"""The lids' edges among the 468 landmarks."""
_RIDGE = 1e-7
"""Square metres: expressions that hardly move the lids are left alone. Ours."""


def gaze_of(expression: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """(2,) radians, left and up: where expression weights (E,) make the eyes look, on average."""
    weight = dict(zip(names, expression.tolist(), strict=True))
    turns = [weight.get(name, 0.0) * np.array(angles) for name, angles in LOOKS.items()]
    return np.sum(turns, axis=0) / 2.0


def lens_gaze(eyes: np.ndarray, lens: np.ndarray) -> np.ndarray:
    """(2,) radians, left and up: the gaze from eyes (3,) to a lens (3,), both in model space."""
    x, y, z = lens - eyes
    return np.array([np.arctan2(x, z), np.arctan2(y, np.hypot(x, z))])


def with_gaze(
    expression: np.ndarray, names: Sequence[str], basis: LandmarkBasis, turn: np.ndarray
) -> np.ndarray:
    """Expression weights (E,) whose eyes look further by turn (2,) radians, left and up.

    The eyeLook expressions move the lids as well. Blinking, squinting and widening take that back,
    as far as weights in [0, 1] can: the smallest squared change of the lids' edges, by coordinate
    descent.
    """
    index = {name: number for number, name in enumerate(names)}
    looks = {name: angles for name, angles in LOOKS.items() if name in index}
    found = expression.copy()
    for side in ("Left", "Right"):
        own = {name: np.array(angles) for name, angles in looks.items() if name.endswith(side)}
        gaze = turn + sum((expression[index[name]] * angles for name, angles in own.items()))
        for name, angles in own.items():
            share = float(gaze @ angles) / float(angles @ angles)
            found[index[name]] = np.clip(share, 0.0, 1.0)
    movers = [number for name, number in index.items() if name.startswith(LID_MOVERS)]
    shapes = basis.expression[:, list(LID_POINTS)].reshape(len(expression), -1)
    columns, wanted = shapes[movers].T, (expression - found) @ shapes
    normal = columns.T @ columns + _RIDGE * np.eye(len(movers))
    change, target = np.zeros(len(movers)), columns.T @ wanted
    for _ in range(30):
        for number in range(len(movers)):
            step = (target[number] - normal[number] @ change) / normal[number, number]
            now = expression[movers[number]]
            change[number] = np.clip(change[number] + step, -now, 1.0 - now)
    found[movers] += change
    return found
