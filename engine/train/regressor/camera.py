"""Random views of a head, and where its points land."""

import math
from dataclasses import dataclass

import numpy as np

from ...protocol.conventions import FRONTAL_ROTATION

NEAR, FAR = 0.30, 3.0
"""Metres from lens to head: a phone at arm's length or less, to a portrait lens."""


@dataclass(frozen=True, eq=False)
class View:
    """rotation (3, 3), translation (3,): model to camera. focal and side: pixels, square picture,
    principal point in the middle. depth (side, side): z-buffer of the head, or None."""

    rotation: np.ndarray
    translation: np.ndarray
    focal: float
    side: int
    depth: np.ndarray | None = None

    @property
    def scale(self) -> float:
        """Pixels per metre at the head."""
        return self.focal / float(self.translation[2])

    @property
    def eye(self) -> np.ndarray:
        """(3,) the camera in model space."""
        return -self.translation @ self.rotation

    def project(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pixels (..., 2) and depth (...) in metres of model points (..., 3)."""
        seen = points @ self.rotation.T + self.translation
        depth = np.maximum(seen[..., 2], 1e-3)
        return self.focal * seen[..., :2] / depth[..., None] + self.side / 2.0, depth

    def shows(self, points: np.ndarray, slack: float) -> np.ndarray:
        """(...) whether model points are less than `slack` metres behind the head's surface."""
        assert self.depth is not None
        pixels, depth = self.project(points)
        column, row = (np.clip(pixels[..., i], 0, self.side - 1).astype(int) for i in (0, 1))
        return np.asarray(depth < self.depth[row, column] + slack)


def turned(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """(3, 3) model to camera; radians; 0 looks into the lens. Roll last, in the picture."""
    cy, sy, cp, sp = math.cos(yaw), math.sin(yaw), math.cos(pitch), math.sin(pitch)
    about_y = np.array([[cy, 0.0, sy], [0.0, 1.0, 0.0], [-sy, 0.0, cy]])
    about_x = np.array([[1.0, 0.0, 0.0], [0.0, cp, -sp], [0.0, sp, cp]])
    cr, sr = math.cos(roll), math.sin(roll)
    about_z = np.array([[cr, -sr, 0.0], [sr, cr, 0.0], [0.0, 0.0, 1.0]])
    return np.asarray(about_z @ FRONTAL_ROTATION @ about_x @ about_y)


def random_view(rng: np.random.Generator, side: int) -> View:
    """Mostly faces towards the lens, some far to the side; the head somewhere near the middle."""
    wide = rng.random() < 0.25
    yaw = rng.uniform(-1.2, 1.2) if wide else rng.normal(0.0, 0.32)
    pitch, roll = rng.normal(0.0, 0.16), rng.normal(0.0, 0.15)
    distance = float(np.clip(np.exp(rng.normal(math.log(0.95), 0.55)), NEAR, FAR))
    tall = 0.20  # metres from chin to crown, about
    focal = side * rng.uniform(0.50, 0.62) * distance / tall
    shift = rng.normal(0.0, 0.05, 2) * [1.0, 1.0] * distance * side / focal
    rotation = turned(yaw, pitch, roll)
    middle = rotation @ np.array([0.0, -0.01, -0.03])
    return View(rotation, np.array([*shift, distance]) - middle, focal, side)
