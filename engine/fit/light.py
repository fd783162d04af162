"""Light from albedo, exposure from the skin prior: the linear half of stage 2."""

import numpy as np

from ..protocol.conventions import ambient_light, linear_to_srgb, sh_basis
from .settings import AlbedoSettings

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

    colour, albedo (N, 3) linear RGB; normals (N, 3) unit, model space; weight (N,) >= 0;
    level (3,) the mean shading that the prior expects in each channel. Weighted linear least
    squares a channel (Ramamoorthi & Hanrahan 2001, eq. 13, with a Gaussian prior around a
    uniform environment). Returns (9, 3) shading coefficients.
    """
    basis = sh_basis(normals)
    prior_mean = ambient_light() * level
    precision = weight / (settings.noise**2 * settings.correlation)
    light = np.empty((basis.shape[1], 3))
    for channel in range(3):
        rows = basis * albedo[:, channel : channel + 1]
        prior = (np.array(ORDER_SIGMA) * settings.light_sigma * level[channel]) ** -2.0
        normal = (rows * precision[:, None]).T @ rows + np.diag(prior)
        target = (rows * precision[:, None]).T @ colour[:, channel]
        light[:, channel] = np.linalg.solve(normal, target + prior * prior_mean[:, channel])
    return light


def solve_exposure(
    mean_colour: np.ndarray,
    skin_mean: np.ndarray,
    skin_covariance: np.ndarray,
    settings: AlbedoSettings,
) -> np.ndarray:
    """The mean shading of each channel that best explains the mean colour of the face.

    Brightness of the light and of the skin cannot be told apart from one photo, so three priors
    decide: the skin model's own mean colours, exposure near 1, and white light.
    mean_colour (3,) linear RGB; skin_mean (3,), skin_covariance (3, 3): sRGB mean colour of the
    albedo model's faces. Returns (3,) shading. Ours: a grid search over exposure and two tints,
    because the posterior is smooth and three-dimensional.
    """
    gains = np.linspace(-1.2, 1.2, 49)
    tints = np.linspace(-0.4, 0.4, 17)
    common, red, blue = np.meshgrid(gains, tints, tints, indexing="ij")
    log_gain = np.stack([common + red, common - 0.5 * (red + blue), common + blue], axis=-1)
    albedo = linear_to_srgb(mean_colour / np.exp(log_gain))
    offset = albedo - skin_mean
    skin = np.einsum("...i,ij,...j->...", offset, np.linalg.inv(skin_covariance), offset)
    mean_gain = log_gain.mean(axis=-1)
    spread = ((log_gain - mean_gain[..., None]) ** 2).sum(axis=-1)
    cost = skin + (mean_gain / settings.gain_sigma) ** 2 + spread / settings.tint_sigma**2
    impossible = (albedo > 1.0).any(axis=-1)
    best = np.argmin(np.where(impossible, np.inf, cost))
    return np.exp(log_gain.reshape(-1, 3)[best])
