"""The table of turned heads is found again from samples that follow a known one."""

import numpy as np

from engine.fit.shape.landmark_basis import LandmarkBasis
from engine.fit.shape.landmark_turn import face_angles, turn_features
from engine.fit.shape.view import rotation_matrix
from engine.packs.calibrate.landmark_turn import MIRROR, ODD, learn_turn
from engine.protocol.conventions import FRONTAL_ROTATION

HALF, HEADS = 20, 400


def _symmetric(rng: np.random.Generator, sign: float, scale: float) -> np.ndarray:
    """(2 HALF, 3) displacements, the second half mirrored with a sign."""
    half = rng.normal(0.0, scale, (HALF, 3))
    return np.concatenate([half, sign * half * MIRROR])


def test_a_known_table_is_learned() -> None:
    rng = np.random.default_rng(8)
    half = np.abs(rng.normal(0.0, 0.05, (HALF, 3))) + 0.004
    mean = np.concatenate([half, half * MIRROR])
    turn = np.stack([_symmetric(rng, sign, 0.003) for sign in ODD])
    identity = rng.normal(0.0, 0.001, (3, 2 * HALF, 3))
    expression = rng.normal(0.0, 0.001, (2, 2 * HALF, 3))
    basis = LandmarkBasis(mean, identity, expression, mean, np.ones(2 * HALF))
    samples: dict[str, list[np.ndarray]] = {
        name: [] for name in ("observed", "truth", "identity", "expression", "presence")
    }
    bias = rng.normal(0.0, 0.001, mean.shape)
    for number in range(HEADS):
        z, w = rng.standard_normal(3), rng.random(2)
        head = mean + np.tensordot(z, identity, 1) + np.tensordot(w, expression, 1)
        rotation = FRONTAL_ROTATION @ rotation_matrix(rng.normal(0.0, 0.3, 3))
        error = np.tensordot(turn_features(*face_angles(rotation)), turn, 1) + bias
        lost = 0.2 if number % 50 == 0 else 0.0  # a head that the network did not find
        samples["truth"].append(800.0 * head @ rotation.T + 100.0)
        samples["observed"].append(800.0 * (head + error + lost) @ rotation.T + 100.0)
        for name, value in (("identity", z), ("expression", w), ("presence", np.array(0.9))):
            samples[name].append(value)
    found = learn_turn({name: np.stack(values) for name, values in samples.items()}, basis)
    assert found.heads == HEADS - HEADS // 50
    assert found.turn.shape == turn.shape
    # A depth that all points share is the head's place, not an error.
    wanted = turn - turn[..., 2:].mean(axis=1, keepdims=True) * np.array([0.0, 0.0, 1.0])
    assert np.abs(found.turn[0] - wanted[0]).max() < 1.5e-3
    assert (found.after < 0.6 * found.before).all()
