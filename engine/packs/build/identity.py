"""The identity space: PCA of sampled adults, aligned rigidly on the face."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...protocol.errors import EngineError, ErrorCode
from ...protocol.safetensors import read_safetensors
from .makehuman import ControlHead
from .sampler import TargetSet, sample_deltas, sample_weights

SAMPLES = 6000
COMPONENTS = 120
SEED = 20250
CHUNK = 500
OVERSAMPLING = 60
POWER_STEPS = 3
"""Extra directions and iterations of the randomised PCA (Halko, Martinsson & Tropp 2011)."""


@dataclass(frozen=True)
class IdentitySpace:
    """mean (V0, 3) f64 metres (origin: midpoint of the eyeball centres); basis (K, V0, 3) f64,
    one standard deviation each; explained: share of the weighted variance per component."""

    mean: np.ndarray
    basis: np.ndarray
    explained: np.ndarray


def align_rigid(samples: np.ndarray, target: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Rotate and shift samples (n, V, 3) onto target (V, 3) by weighted least squares.

    weight (V,) >= 0. No scale: sizes are part of identity. Kabsch 1976, batched.
    """
    share = (weight / weight.sum()).astype(samples.dtype)
    middle = np.einsum("v,nvc->nc", share, samples)
    goal = share @ target
    centred = samples - middle[:, None]
    moment = np.einsum("vc,nvd->ncd", (target - goal) * share[:, None], centred)
    u, _, vt = np.linalg.svd(moment.astype(np.float64))
    u[:, :, 2] *= np.sign(np.linalg.det(u @ vt))[:, None]
    rotation = (u @ vt).astype(samples.dtype)
    return np.einsum("ncd,nvd->nvc", rotation, centred) + goal


def sample_heads(
    head: ControlHead, targets: TargetSet, face_weight: np.ndarray, count: int = SAMPLES
) -> np.ndarray:
    """(count, V0, 3) f32 random adults in metres, aligned to their mean on the face."""
    weights = sample_weights(targets, count, SEED)
    base = head.vertices.astype(np.float32)
    mean = base + head.follow(sample_deltas(targets, weights.mean(axis=0, keepdims=True)))[0]
    out = np.empty((count, *base.shape), dtype=np.float32)
    for start in range(0, count, CHUNK):
        stop = start + CHUNK
        heads = base + head.follow(sample_deltas(targets, weights[start:stop]))
        out[start:stop] = align_rigid(heads, mean.astype(np.float32), face_weight)
    return out


def build_identity(
    samples: np.ndarray, metric: np.ndarray, centre: np.ndarray, components: int = COMPONENTS
) -> IdentitySpace:
    """PCA of samples (n, V0, 3) in the norm sum_v metric_v |x_v|^2 (metric (V0,) >= 0).

    centre: (V0,) weights whose weighted mean of the mean head becomes the origin. The basis is
    the regression of all vertices on the unit-variance scores, so vertices of no weight follow.
    Component signs: positive product with a fixed random vector (a largest entry would be a tie
    between left and right).
    """
    count = len(samples)
    mean = samples.mean(axis=0, dtype=np.float64)
    flat = (samples - mean.astype(np.float32)).reshape(count, -1)
    root = np.sqrt(np.repeat(metric, 3)).astype(np.float32)
    scores, variance, total = _principal_scores(flat * root, components)
    basis = (scores.T @ flat).astype(np.float64) / count
    basis *= np.sign(basis @ _frozen(SEED + 1).standard_normal(basis.shape[1]))[:, None]
    origin = (centre / centre.sum()) @ mean
    return IdentitySpace(mean - origin, basis.reshape(components, -1, 3), variance / total)


def _frozen(seed: int) -> np.random.RandomState:
    """Same numbers on every machine and numpy version; the calibration relies on it."""
    return np.random.RandomState(seed)


def _principal_scores(flat: np.ndarray, components: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Unit-variance scores (n, K) f32, variances (K,) and the total variance of rows (n, D)."""
    count = len(flat)
    guess = _frozen(SEED).standard_normal((flat.shape[1], components + OVERSAMPLING))
    left = flat @ guess.astype(np.float32)
    for _ in range(POWER_STEPS):
        left = flat @ (flat.T @ np.linalg.qr(left)[0])
    left = np.linalg.qr(left)[0]
    u, singular, _ = np.linalg.svd(left.T @ flat, full_matrices=False)
    scores = (left @ u[:, :components]) * np.float32(np.sqrt(count))
    return scores, singular[:components].astype(np.float64) ** 2, float((flat**2).sum())


def apply_calibration(space: IdentitySpace, path: Path) -> IdentitySpace:
    """Correct mean and spread with measured coefficients; unchanged when the file is absent.

    File: `mean` (K,) in old standard deviations, `transform` (K, K):
    new mean = mean + mean_coefficients @ basis, new basis = transform @ basis.
    """
    if not path.exists():
        return space
    table = read_safetensors(path)
    count = len(space.basis)
    for name, shape in (("mean", (count,)), ("transform", (count, count))):
        if name not in table or table[name].shape != shape:
            raise EngineError(
                ErrorCode.PACK_INVALID,
                f"{path.name} has no {name!r} of shape {shape}.",
                "Make the table again: python -m engine.packs.calibrate",
            )
    mean = space.mean + np.tensordot(table["mean"].astype(np.float64), space.basis, 1)
    basis = np.tensordot(table["transform"].astype(np.float64), space.basis, 1)
    return IdentitySpace(mean, basis, space.explained)
