"""A belief about one head's identity, carried to another head."""

from dataclasses import replace

import numpy as np

from engine.fit.shape.carried import SIGMA, bridge, similarity_motions
from engine.fit.shape.landmark_basis import LandmarkBasis
from engine.head.numerics import align_similarity

COUNT, TOLD = 60, 4


def _known(seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    mean = rng.normal(0.0, 0.05, (COUNT, 3))
    modes = rng.normal(0.0, 0.004, (TOLD, COUNT, 3))
    return mean, modes - modes.mean(axis=1, keepdims=True)


def _basis(mean: np.ndarray, identity: np.ndarray) -> LandmarkBasis:
    normals = np.tile([0.0, 0.0, 1.0], (COUNT, 1))
    return LandmarkBasis(mean, identity, np.zeros((0, COUNT, 3)), normals, np.ones(COUNT))


def _turned(values: np.ndarray) -> np.ndarray:
    c, s = np.cos(0.3), np.sin(0.3)
    return np.asarray(1.1 * values @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1.0]]))


def test_the_same_head_elsewhere_gets_the_same_belief() -> None:
    mean, modes = _known()
    mix = np.linalg.qr(np.random.default_rng(0).normal(size=(TOLD, TOLD)))[0]
    other = _basis(_turned(mean) + 0.1, _turned(np.tensordot(mix, 100.0 * modes, 1)))
    across = bridge(mean, 100.0 * modes, np.ones(COUNT), other)
    told, sigma = np.array([1.0, -0.5, 0.3, 0.0]), np.array([0.2, 0.5, 0.9, 1.0])
    belief = across.carry(told, sigma)
    np.testing.assert_allclose(mix.T @ belief.mean, told, atol=2e-2)
    deviations = np.sqrt(np.diag(mix.T @ np.linalg.inv(belief.precision) @ mix))
    np.testing.assert_allclose(deviations, sigma, atol=2e-2)


def test_equals_plain_conditioning_of_the_joint_distribution() -> None:
    mean, modes = _known()
    rng = np.random.default_rng(1)
    own = rng.normal(0.0, 0.004, (5, COUNT, 3))
    other = _basis(mean + rng.normal(0.0, 0.002, (COUNT, 3)), own)
    told, sigma = np.array([1.5, -0.5, 0.3, 0.1]), np.array([0.2, 0.5, 0.7, 0.4])
    found = bridge(mean, modes, np.ones(COUNT), other).carry(told, sigma)

    # Landmarks of the known head as evidence, its own prior taken out: y = mean + modes w + noise.
    variance = sigma**2 / (1.0 - sigma**2)
    middle = told / sigma**2 * variance
    scale, rotation, shift = align_similarity(other.mean, mean, np.ones(COUNT))
    placed = (scale * other.mean @ rotation.T + shift).ravel()
    own = (scale * own @ rotation.T).reshape(5, -1)
    flat = modes.reshape(TOLD, -1)
    free = similarity_motions(mean)
    noise = SIGMA**2 * np.eye(3 * COUNT) + (flat.T * variance) @ flat + 1e6 * free.T @ free
    inverse = np.linalg.inv(noise)
    precision = np.eye(5) + own @ inverse @ own.T
    wanted = np.linalg.solve(precision, own @ inverse @ (mean.ravel() + middle @ flat - placed))
    np.testing.assert_allclose(found.precision, precision, rtol=1e-3, atol=1e-2)
    np.testing.assert_allclose(found.mean, wanted, rtol=1e-2, atol=1e-3)


def test_nothing_told_leaves_the_heads_own_prior() -> None:
    mean, modes = _known()
    basis = _basis(mean, np.random.default_rng(2).normal(0.0, 0.004, (5, COUNT, 3)))
    silent = replace(basis, weight=np.zeros(COUNT) + 1e-9)
    for other, sigma in ((silent, np.full(TOLD, 0.1)), (_basis(mean, modes), np.ones(TOLD))):
        belief = bridge(mean, modes, np.ones(COUNT), other).carry(np.ones(TOLD) * 0.0, sigma)
        np.testing.assert_allclose(belief.mean, 0.0, atol=1e-3)
        np.testing.assert_allclose(belief.precision, np.eye(len(belief.mean)), atol=2e-2)
