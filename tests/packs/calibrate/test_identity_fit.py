import numpy as np
import pytest

pytest.importorskip("scipy")
from engine.packs.calibrate.ict import IctModel
from engine.packs.calibrate.identity_fit import (
    DenseLink,
    align_similarity,
    calibrate,
    principal_transform,
)


def random_covariance(size, rng):
    root = rng.normal(size=(size, size))
    return root @ root.T / size + 0.1 * np.eye(size)


def test_transform_reproduces_the_covariance_and_orders_components():
    rng = np.random.default_rng(0)
    covariance, gram = random_covariance(12, rng), random_covariance(12, rng)
    transform, explained = principal_transform(covariance, gram)
    assert np.allclose(transform.T @ transform, covariance)
    variances = transform @ gram @ transform.T
    assert np.allclose(variances, np.diag(np.diag(variances)), atol=1e-9)
    assert np.all(np.diff(np.diag(variances)) <= 1e-9)
    assert explained.sum() == pytest.approx(1.0)


def test_alignment_undoes_similarities():
    rng = np.random.default_rng(1)
    goals = rng.normal(size=(3, 30, 3))
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    turn *= np.sign(np.linalg.det(turn))
    heads = 0.5 * goals @ turn.T + [1.0, 2.0, 3.0]
    assert np.allclose(align_similarity(heads, goals, rng.uniform(0.5, 1.0, 30)), goals)


def test_calibration_finds_where_people_lie():
    """Scans drawn from the model itself with another mean and spread: both come back, and the
    direction that the scans never show keeps its raw spread."""
    rng = np.random.default_rng(2)
    count, components = 1600, 4
    mean = rng.normal(size=(count, 3))
    normals = mean / np.linalg.norm(mean, axis=1, keepdims=True)
    basis = rng.normal(size=(components, count, 3)) * 0.03
    basis[3, : count // 2] = 0.0  # lives where the scans are not linked
    shift, spread = np.array([1.0, -0.5, 0.0, 0.0]), np.array([0.5, 2.0, 0.1, 0.0])
    rows = np.arange(count // 2)
    scans = mean[rows] + np.tensordot(shift, basis[:, rows], 1)
    modes = np.zeros((100, len(rows), 3), dtype=np.float32)
    modes[:components] = spread[:, None, None] * basis[:, rows]
    ict = IctModel(scans, modes, np.zeros((0, 3), dtype=int))
    ids = np.repeat(rows[:, None], 3, axis=1)
    bary = np.tile([1.0, 0.0, 0.0], (len(rows), 1))
    link = DenseLink(rows, ids, bary, np.ones(len(rows)), normals[rows])
    found = calibrate(mean, basis, ict, link, np.zeros(count))
    assert found.mean == pytest.approx(shift, abs=0.1)
    covariance = found.transform.T @ found.transform
    assert np.sqrt(np.diag(covariance))[:3] == pytest.approx(spread[:3], abs=0.1)
    assert covariance[3, 3] == pytest.approx(1.0, abs=0.05)
