"""What the landmark network does as a head turns, taken out of its landmarks.

Seen from the side, the network's points slide over the face and its depth tilts, alike for all
people. The pack holds how, as a quadratic in yaw and pitch (`packs/calibrate/landmark_turn.py`).
"""

import numpy as np

from ...head.numerics import align_similarity
from ...protocol.headpack import TURN_TERMS
from .landmark_basis import LandmarkBasis

MOST_YAW, MOST_PITCH = 1.1, 0.6
"""Radians; beyond them the correction stays as it is there. Ours: as far as the samples reach."""
ROUNDS = 2
"""The pose is found from the landmarks, which the correction moves a little."""


def turn_features(yaw: float, pitch: float) -> np.ndarray:
    """(TURN_TERMS,) y, p, y^2, p^2, y p of a pose in radians (clipped)."""
    y = float(np.clip(yaw, -MOST_YAW, MOST_YAW))
    p = float(np.clip(pitch, -MOST_PITCH, MOST_PITCH))
    features = np.array([y, p, y * y, p * p, y * p])
    assert len(features) == TURN_TERMS
    return features


def face_angles(rotation: np.ndarray) -> tuple[float, float]:
    """Yaw and pitch in radians of a rotation (3, 3) from model to camera: where the face looks,
    to the right of the picture and downwards."""
    right, down = np.clip(rotation[:2, 2], -1.0, 1.0)
    return float(np.arcsin(right)), float(np.arcsin(down))


def correct_turn(landmarks: np.ndarray, basis: LandmarkBasis) -> np.ndarray:
    """(L, 3) landmarks as the network would give them without its errors of turned heads.

    landmarks (L, 3): photo pixels, depth in the same scale. Unchanged for a basis without `turn`.
    """
    landmarks = landmarks.astype(np.float64)
    if basis.turn is None:
        return landmarks
    corrected = landmarks
    for _ in range(ROUNDS):
        scale, rotation, _ = align_similarity(basis.mean, corrected, basis.weight)
        error = np.tensordot(turn_features(*face_angles(rotation)), basis.turn, 1)
        corrected = landmarks - scale * error @ rotation.T
    return corrected
