"""ICT-FaceKit's eyeballs: they look straight ahead at rest and turn with the look shapes."""

from collections.abc import Sequence

import numpy as np

from ...protocol.gaze import LOOKS
from .donors import sphere_of


def settled_eye(
    ball: np.ndarray, first_shape: int, shape_names: Sequence[str], side: str
) -> np.ndarray:
    """The eyeball turned so that it looks straight ahead at rest, and along with the look shapes,
    which move only the lids in the model's files.

    ball (R, n, 3): its vertices at rest, then displacements, from `first_shape` on those of the
    expressions. side: "Left" or "Right".
    """
    middle = ball.mean(axis=1, keepdims=True)
    middle[0] = sphere_of(ball[0])[0]
    out: np.ndarray = middle + (ball - middle) @ _turn_ahead(ball[0] - middle[0]).T
    offset = out[0] - middle[0]
    for name, (left, up) in LOOKS.items():
        if name.endswith(side):
            row = first_shape + shape_names.index(name)
            out[row] += offset @ _looking(left, up).T - offset
    return out


def _turn_ahead(offset: np.ndarray) -> np.ndarray:
    """(3, 3) rotation that brings the eye's axis to +z. The axis is found where the cornea bulges:
    offsets (n, 3) from the centre, weighted by what stands out of the ball."""
    radius = np.linalg.norm(offset, axis=1)
    front = offset[:, 2] > 0.7 * radius
    bulge = np.clip(radius[front] - np.median(radius), 0.0, None) ** 2
    axis = (offset[front] / radius[front, None] * bulge[:, None]).sum(axis=0)
    x, y, z = axis / max(float(np.linalg.norm(axis)), 1e-12)
    return _looking(float(np.arctan2(x, z)), float(np.arcsin(y))).T if bulge.any() else np.eye(3)


def _looking(left: float, up: float) -> np.ndarray:
    """(3, 3) rotation of an eye from straight ahead: upwards about x, then to the left about y."""
    c, s, d, t = np.cos(left), np.sin(left), np.cos(up), np.sin(up)
    turn = np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])
    return turn @ np.array([[1.0, 0.0, 0.0], [0.0, d, t], [0.0, -t, d]])
