"""Samples as the training takes them: inputs and targets in the net's own units."""

from dataclasses import dataclass

import numpy as np
import torch

from ...fit.shape.landmark_basis import LandmarkBasis
from ...head.camera import vector_from_rotation
from ...nets.regressor import UNIT, RegressorInfo, align, inputs_of
from ...protocol.conventions import LUMINANCE_WEIGHTS
from .samples import SampleSet

LEAST_PRESENCE = 0.3
"""Photos in which the landmark net sees no face are left out, as the fit leaves them out."""


@dataclass(frozen=True, eq=False)
class RegressorData:
    """embedding (n, 128), points (n, 1413), targets (n, total): float32; row `rows[i]` of the
    samples is sample i. identity (n, K): all of the truth."""

    embedding: np.ndarray
    points: np.ndarray
    targets: np.ndarray
    rows: np.ndarray
    identity: np.ndarray


def prepare_data(samples: SampleSet, basis: LandmarkBasis, info: RegressorInfo) -> RegressorData:
    """All samples that show a face."""
    arrays = samples.arrays
    rows = np.flatnonzero(np.asarray(arrays["presence"]) >= LEAST_PRESENCE)
    observed, truth = (arrays[name][rows].astype(np.float64) for name in ("observed", "truth"))
    aligned = align(observed, basis.mean, basis.weight)
    moved = (truth - observed) @ aligned.rotation / aligned.scale[:, None, None]
    targets = [
        arrays["identity"][rows, : info.identity],
        arrays["expression"][rows],
        _pose(aligned.rotation, arrays["rotation"][rows], arrays["scene"][rows, 0]),
        _light(arrays["light"][rows]),
        moved.reshape(len(rows), -1) * UNIT,
    ]
    return RegressorData(
        np.asarray(arrays["embedding"][rows], np.float32),
        inputs_of(aligned),
        np.concatenate(targets, 1).astype(np.float32),
        rows,
        np.asarray(arrays["identity"][rows], np.float64),
    )


def _pose(observed: np.ndarray, truth: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """(n, 4): rotation vector from the observed to the true pose, log of the distance."""
    between = truth.astype(np.float64) @ observed.transpose(0, 2, 1)
    return np.column_stack([vector_from_rotation(torch.from_numpy(between)).numpy(), distance])


def _light(light: np.ndarray) -> np.ndarray:
    """(n, 27) light whose ambient luminance is 1: exposure cannot be told from skin."""
    level = light[:, 0] @ np.asarray(LUMINANCE_WEIGHTS)
    return np.asarray((light / level[:, None, None]).reshape(len(light), -1))
