"""How the landmark network errs as heads turn, learned from random photos whose heads are known.

The network's error of a point, in the face's own axes, is regressed on yaw and pitch beside
identity and expression. Only the part that goes with the pose is kept: the constant part and the
response to identity and expression, learned on rendered heads, make fits of scanned people worse.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from ...fit.shape.landmark_basis import LandmarkBasis
from ...fit.shape.landmark_turn import face_angles, turn_features
from ...head.numerics import align_similarity
from ...protocol.conventions import MIRROR

IDENTITY_RIDGE, EXPRESSION_RIDGE = 30.0, 3.0
"""Penalties of the response to a unit of identity (a sigma) and of expression. Ours: chosen on
held-out heads; between 10 and 100 the error hardly changes."""
LEAST_PRESENCE = 0.5
LARGEST = 0.012
"""Metres; heads whose points err more than this on the average were not found."""
ODD = np.array([-1.0, 1.0, 1.0, 1.0, -1.0])
"""Signs of the terms when the picture is mirrored."""


@dataclass(frozen=True)
class LearnedTurn:
    """turn (TURN_TERMS, L, 3) metres in model axes; heads used; before, after: metres, root mean
    square of the pose's share of the error along x, y, z over heads turned by more than half a
    radian, on heads that were not learned from."""

    turn: np.ndarray
    heads: int
    before: np.ndarray
    after: np.ndarray


def learn_turn(samples: Mapping[str, np.ndarray], basis: LandmarkBasis) -> LearnedTurn:
    """samples: `observed`, `truth` (n, L, 3) pixels, `identity` (n, K), `expression` (n, E),
    `presence` (n,), as `train/regressor/samples.py` lays them out."""
    known = np.flatnonzero(np.asarray(samples["presence"]) > LEAST_PRESENCE)
    errors, poses = _errors(samples, known, basis)
    kept = np.abs(errors).mean(axis=(1, 2)) < LARGEST
    errors, poses, known = errors[kept], poses[kept], known[kept]
    more = np.hstack([np.asarray(samples[name])[known] for name in ("identity", "expression")])
    ridge = np.repeat(
        (IDENTITY_RIDGE, EXPRESSION_RIDGE), (len(basis.identity), len(basis.expression))
    )
    held = np.arange(len(known)) % 5 == 0
    mirrored = cKDTree(basis.mean).query(basis.mean * MIRROR)[1]
    trial = _regress(errors[~held], poses[~held], more[~held], ridge, mirrored)
    before, after = _scores(errors[held], poses[held], trial, basis.weight)
    turn = _regress(errors, poses, more, ridge, mirrored)
    return LearnedTurn(turn, len(known), before, after)


def _errors(
    samples: Mapping[str, np.ndarray], known: np.ndarray, basis: LandmarkBasis
) -> tuple[np.ndarray, np.ndarray]:
    """Errors (n, L, 3) in metres along the model's axes and pose features (n, TURN_TERMS)."""
    share = basis.weight / basis.weight.sum()
    errors, poses = [], []
    for number in known:
        identity, expression = (samples[name][number] for name in ("identity", "expression"))
        head = basis.mean + np.tensordot(identity, basis.identity, 1)
        head = head + np.tensordot(expression, basis.expression, 1)
        truth = samples["truth"][number].astype(np.float64)
        scale, rotation, _ = align_similarity(head, truth, basis.weight)
        error = (samples["observed"][number] - truth) / scale
        error[:, 2] -= share @ error[:, 2]
        errors.append(error @ rotation)
        poses.append(turn_features(*face_angles(rotation)))
    return np.array(errors), np.array(poses)


def _regress(
    errors: np.ndarray, poses: np.ndarray, more: np.ndarray, ridge: np.ndarray, mirrored: np.ndarray
) -> np.ndarray:
    """(TURN_TERMS, L, 3), the same for both sides of the face."""
    features = np.hstack([poses, np.ones((len(poses), 1)), more])
    penalty = np.concatenate([np.full(poses.shape[1] + 1, 1e-6), ridge])
    normal = features.T @ features + np.diag(penalty)
    found = np.linalg.solve(normal, features.T @ errors.reshape(len(errors), -1))
    turn = found[: poses.shape[1]].reshape(-1, *errors.shape[1:])
    return 0.5 * (turn + ODD[:, None, None] * turn[:, mirrored] * MIRROR)


def _scores(
    errors: np.ndarray, poses: np.ndarray, turn: np.ndarray, weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Rms along x, y, z without and with the correction, the mean error of all heads left out."""
    turned = np.abs(poses[:, 0]) > 0.5
    centred = errors - errors.mean(axis=0)
    after = centred - np.tensordot(poses - poses.mean(axis=0), turn, 1)
    share = weight / weight.sum()
    return tuple(
        np.sqrt(np.einsum("nlc,l->c", part[turned] ** 2, share) / max(1, turned.sum()))
        for part in (centred, after)
    )
