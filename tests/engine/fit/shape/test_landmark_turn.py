"""Landmarks of turned heads: a known error of the network is taken out again."""

from dataclasses import replace

import numpy as np
import pytest

from engine.fit.shape.landmark_basis import LandmarkBasis
from engine.fit.shape.landmark_turn import correct_turn, face_angles, turn_features
from engine.fit.shape.view import rotation_matrix
from engine.protocol.conventions import FRONTAL_ROTATION
from engine.protocol.headpack import TURN_TERMS

COUNT = 60


@pytest.fixture
def basis() -> LandmarkBasis:
    rng = np.random.default_rng(3)
    mean = rng.normal(0.0, [0.04, 0.06, 0.02], (COUNT, 3))
    turn = rng.normal(0.0, 0.004, (TURN_TERMS, COUNT, 3))
    empty = np.zeros((0, COUNT, 3))
    return LandmarkBasis(mean, empty, empty, np.zeros_like(mean), np.ones(COUNT), turn)


def _turned(yaw: float, pitch: float) -> np.ndarray:
    about_y, about_x = (rotation_matrix(np.array(v)) for v in ((0, yaw, 0), (pitch, 0, 0)))
    return FRONTAL_ROTATION @ about_x @ about_y


def test_angles_tell_where_the_face_looks() -> None:
    assert face_angles(FRONTAL_ROTATION) == (0.0, 0.0)
    yaw, pitch = face_angles(_turned(0.5, 0.0))
    assert (yaw, pitch) == (pytest.approx(0.5), pytest.approx(0.0))
    assert face_angles(_turned(0.0, 0.3))[1] == pytest.approx(0.3)
    assert np.allclose(turn_features(0.2, -0.1), [0.2, -0.1, 0.04, 0.01, -0.02])
    assert np.array_equal(turn_features(3.0, 0.0), turn_features(2.0, 0.0))


@pytest.mark.parametrize("angles", [(0.6, 0.1), (-0.4, -0.2), (0.0, 0.0)])
def test_a_known_error_is_taken_out(basis: LandmarkBasis, angles: tuple[float, float]) -> None:
    rotation = _turned(*angles)
    error = np.tensordot(turn_features(*face_angles(rotation)), basis.turn, 1)
    shift = np.array([300.0, 200.0, 5.0])
    true = 900.0 * basis.mean @ rotation.T + shift
    seen = 900.0 * (basis.mean + error) @ rotation.T + shift
    given = seen.copy()
    corrected = correct_turn(seen, basis)
    assert np.array_equal(seen, given)
    assert np.abs(corrected - true).max() <= max(0.15 * np.abs(seen - true).max(), 1e-9)


def test_a_pack_that_does_not_know_changes_nothing(basis: LandmarkBasis) -> None:
    landmarks = np.random.default_rng(1).normal(0.0, 100.0, (COUNT, 3))
    assert np.array_equal(correct_turn(landmarks, replace(basis, turn=None)), landmarks)
