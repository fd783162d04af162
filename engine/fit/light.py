"""Light from albedo, exposure from the skin prior: the linear half of stage 2."""

import numpy as np

from ..protocol.albedo_pack import AlbedoModel
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


def skin_statistics(
    model: AlbedoModel, weight: np.ndarray, tone_spread: float
) -> tuple[np.ndarray, np.ndarray]:
    """Mean (3,) and covariance (3, 3) of the face's mean colour under the model's prior, sRGB.

    weight: (N,) of the model's texels.
    Along its longest axis, from dark skin to light, the spread counts `tone_spread` times.
    """
    share = (weight / weight.sum()).astype(np.float32)
    mean = model.mean @ share
    response = model.basis @ share
    components = response.shape[1]
    jacobian = np.zeros((3, 3 * components))
    for channel in range(3):
        jacobian[channel, channel * components : (channel + 1) * components] = response[channel]
    covariance = jacobian @ model.covariance @ jacobian.T
    longest = np.linalg.eigh(covariance)[1][:, -1]
    pull = float(longest @ covariance @ longest) * (tone_spread**2 - 1.0)
    return mean, covariance + pull * np.outer(longest, longest) + np.eye(3) * 0.01**2


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
    albedo model's faces. Returns (3,) shading. Ours: the posterior mean over a grid of exposures
    and two tints, which errs less than the peak.
    """
    gains = np.linspace(-1.2, 1.2, 41)
    tints = np.linspace(-0.48, 0.48, 13)
    common, red, blue = np.meshgrid(gains, tints, tints, indexing="ij")
    log_gain = np.stack([common + red, common - 0.5 * (red + blue), common + blue], axis=-1)
    albedo = linear_to_srgb(np.maximum(mean_colour / np.exp(log_gain) - settings.gloss, 0.0))
    offset = albedo - skin_mean
    skin = np.einsum("...i,ij,...j->...", offset, np.linalg.inv(skin_covariance), offset)
    mean_gain = log_gain.mean(axis=-1)
    spread = ((log_gain - mean_gain[..., None]) ** 2).sum(axis=-1)
    exposure = (mean_gain - settings.gain) / settings.gain_sigma
    cost = skin + exposure**2 + spread / settings.tint_sigma**2
    share = np.exp(-0.5 * (cost - cost.min())) * (albedo <= 1.0).all(axis=-1)
    if not share.any():
        return np.exp(log_gain.reshape(-1, 3)[np.argmin(cost)])
    return np.exp((log_gain * share[..., None]).sum(axis=(0, 1, 2)) / share.sum())
