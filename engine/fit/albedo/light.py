"""Light from albedo: the linear half of stage 2."""

import numpy as np

from ...protocol.conventions import ambient_light, sh_basis
from ..settings import AlbedoSettings

ORDER_SIGMA = (0.5,) + (1.0,) * 3 + (0.5,) * 5
"""Relative spread of the light's coefficients by order. Ours: the mean is set by the exposure,
and skylight and windows are mostly first order."""


def solve_light(
    colour: np.ndarray,
    albedo: np.ndarray,
    normals: np.ndarray,
    weight: np.ndarray,
    level: np.ndarray,
    settings: AlbedoSettings,
) -> np.ndarray:
    """Spherical-harmonic light that turns the albedo into the observed colours.

    colour, albedo (N, 3) linear RGB; normals (N, 3) unit, model space; weight (N, 3) >= 0;
    level (3,) the mean shading that the prior expects in each channel. One weighted linear
    least-squares problem for the 27 numbers (Ramamoorthi & Hanrahan 2001, eq. 13), with a
    Gaussian prior around a uniform environment in which the channels go together: lamps and
    skies differ little in colour beside their difference in brightness.
    Returns (9, 3) shading coefficients.
    """
    basis = sh_basis(normals)
    count = basis.shape[1]
    precision = weight / (settings.noise**2 * settings.correlation)
    normal = np.zeros((3, count, 3, count))
    target = np.zeros((3, count))
    for channel in range(3):
        rows = basis * albedo[:, channel : channel + 1]
        weighted = rows * precision[:, channel : channel + 1]
        normal[channel, :, channel, :] = weighted.T @ rows
        target[channel] = weighted.T @ colour[:, channel]
    spread = np.array(ORDER_SIGMA) * settings.light_sigma
    channels = np.full((3, 3), 1.0) + settings.light_tint**2 * np.eye(3)
    inverse = np.linalg.inv(channels * level[:, None] * level[None, :])
    prior = inverse[:, None, :, None] * np.diag(spread**-2.0)[None, :, None, :]
    mean = (ambient_light() * level).T
    normal = (normal + prior).reshape(3 * count, 3 * count)
    target = target.ravel() + prior.reshape(3 * count, 3 * count) @ mean.ravel()
    return np.linalg.solve(normal, target).reshape(3, count).T
