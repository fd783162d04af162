"""From the sums of the last pass to the albedo model."""

import numpy as np

from ..protocol.albedo_pack import AlbedoModel
from .covariance import regular_covariance
from .reduction import Frame, Moments, Tick, blocks
from .subspace import Rotation, correlations, rotations

LEAST_SIGMA = 1e-8
"""Deviation of a component that the maps do not have, so that nothing divides by zero."""


def model_of(
    frame: Frame, found: Moments, valid: np.ndarray, components: int, count: int, tick: Tick
) -> tuple[AlbedoModel, tuple[float, ...]]:
    """The model, and per channel the share of the (weighted) variance that it carries.

    frame: with all channels; its directions are spent. count: maps behind `found`. The sign of a
    component is such that its entry of largest magnitude is positive.
    """
    turns = rotations(found, components)
    channels, texels = found.mean.shape
    basis = np.empty((channels, components, texels), np.float32)
    signs = np.empty((channels, components))
    for c, rotation in enumerate(turns):
        _plain_rows(frame, c, rotation, basis[c], tick)
        signs[c] = np.where(basis[c].max(axis=1) >= -basis[c].min(axis=1), 1.0, -1.0)
        for row, sign in zip(basis[c], signs[c], strict=True):
            row *= np.float32(sign)
            tick()
    lengths = [[np.sqrt(np.dot(row, row.astype(np.float64))) for row in rows] for rows in basis]
    joint = correlations(found, turns) * np.outer(signs, signs)
    model = AlbedoModel(
        mean=found.mean.astype(np.float32),
        basis=basis,
        sigma=np.maximum(lengths, LEAST_SIGMA).astype(np.float32),
        valid=valid,
        covariance=regular_covariance(joint, count),
    )
    explained = [
        float((turn.deviation**2).sum() / total) if total > 0.0 else 1.0
        for turn, total in zip(turns, found.variance, strict=True)
    ]
    return model, tuple(explained)


def _plain_rows(
    frame: Frame, channel: int, rotation: Rotation, rows: np.ndarray, tick: Tick
) -> None:
    """Fill (K, N) rows: a standard deviation of each component, in plain texel values.

    The directions carry the root of the weight once and are orthonormal with it; a coefficient's
    effect on a texel has it twice less: x - m = sum_k z_k sigma_k u_k / sqrt(w), u = Q R.
    """
    turn = (rotation.turn * rotation.deviation).astype(np.float32)
    for part in blocks(rows.shape[1]):
        block = frame.directions[channel][part] @ turn
        block /= frame.weight[part][:, None]
        rows[:, part] = block.T
        tick()
