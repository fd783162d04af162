"""Stage 2: light and coarse albedo, solved in UV space by alternating least squares.

Given the shape, every texel knows its normal; colour = albedo x shading. Albedo given light and
light given albedo are both weighted linear least squares (DESIGN, "solve in UV space").
"""

from dataclasses import dataclass, replace

import numpy as np

from ..head.numerics import smoothstep
from ..protocol.albedo import decode_texels, normal_matrix, project_texels
from ..protocol.albedo_pack import AlbedoModel
from ..protocol.conventions import linear_to_srgb, sh_basis, srgb_to_linear
from ..reporter import Reporter
from .light import solve_exposure, solve_light
from .model_size import SOLVE_SIZE
from .settings import AlbedoSettings
from .texels import TexelObservation


@dataclass(frozen=True)
class AlbedoFit:
    """Result of stage 2.

    coefficients (3, K) sigmas; light (9, 3) shading, model space, linear RGB; skin (S, S) in
    [0, 1]: how much a texel of the photo looks like lit skin (0 where unseen or hair, glasses,
    highlight); residual: root mean square error of the coarse albedo over that skin, sRGB units.
    """

    coefficients: np.ndarray
    light: np.ndarray
    skin: np.ndarray
    residual: float


def texel_trust(
    observation: TexelObservation, mask: np.ndarray, settings: AlbedoSettings
) -> np.ndarray:
    """(S, S) in [0, 1]: seen, facing the camera, on the person, inside `mask`, well exposed."""
    facing = smoothstep(observation.facing, settings.least_facing, 0.5)
    brightest = linear_to_srgb(observation.colour).max(axis=-1)
    exposed = smoothstep(brightest, 0.03, 0.12) * (1.0 - 0.9 * smoothstep(brightest, 0.96, 1.0))
    return observation.visible * facing * observation.person * mask * exposed


def _skin_statistics(model: AlbedoModel, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean (3,) and covariance (3, 3) of the face's mean colour under the model's prior, sRGB."""
    share = (weight / weight.sum()).astype(np.float32)
    mean = model.mean @ share
    pull = model.basis @ share
    components = pull.shape[1]
    jacobian = np.zeros((3, 3 * components))
    for channel in range(3):
        jacobian[channel, channel * components : (channel + 1) * components] = pull[channel]
    covariance = jacobian @ model.covariance @ jacobian.T
    return mean, covariance + np.eye(3) * 0.01**2


def _solve_albedo(
    basis: np.ndarray,
    offset: np.ndarray,
    weight: np.ndarray,
    prior: np.ndarray,
    settings: AlbedoSettings,
) -> np.ndarray:
    """(3, K) coefficients: ridge regression with the joint Gaussian prior of all channels.

    basis (3, K, n) sRGB per sigma; offset (n, 3) observed minus mean albedo; weight (n,).
    """
    channels, components, _ = basis.shape
    precision = weight / (settings.noise**2 * settings.correlation)
    normal = prior.copy()
    for channel, block in enumerate(normal_matrix(basis, precision)):
        span = slice(channel * components, (channel + 1) * components)
        normal[span, span] += block
    target = project_texels(basis, offset.T * precision)
    return np.linalg.solve(normal, target.ravel()).reshape(channels, components)


def _robust(residual: np.ndarray, settings: AlbedoSettings) -> np.ndarray:
    """Weight of a texel by its residual (n, 3) sRGB: Geman & McClure (1987)."""
    length = np.sqrt((residual**2).mean(axis=1)) / (settings.robust * settings.noise)
    return 1.0 / (1.0 + length**2) ** 2


def fit_albedo(
    model: AlbedoModel,
    observation: TexelObservation,
    mask: np.ndarray,
    settings: AlbedoSettings,
    reporter: Reporter,
) -> AlbedoFit:
    """Solve light and coarse albedo of one photo. model: see `model_size.reduce_model`.

    observation and mask at the model's resolution; mask (S, S) in [0, 1]: skin of the face.
    Raises Cancelled.
    """
    settings = _at_size(settings, model.valid.shape[0])
    valid = model.valid.astype(bool)
    trust = texel_trust(observation, mask, settings)[valid]
    chosen = np.flatnonzero(trust > 0.02)
    weight = trust[chosen]
    colour = observation.colour[valid][chosen].astype(np.float64)
    normals = observation.normal[valid][chosen].astype(np.float64)
    mean, basis = model.mean[:, chosen], model.basis[:, :, chosen]
    prior = np.linalg.inv(model.covariance + 1e-3 * np.eye(len(model.covariance)))
    coefficients = np.zeros(basis.shape[:2])
    light = _first_light(model, colour, normals, weight, chosen, settings)
    level = _mean_shading(light, normals, weight)
    kept = weight
    for step in range(settings.rounds):
        reporter.progress(step + 1, settings.rounds)
        shading = np.maximum(sh_basis(normals) @ light, settings.least_shading)
        observed = linear_to_srgb(np.minimum(colour / shading, 1.2))
        sure = np.clip(shading.mean(axis=1) / level.mean(), 0.0, 1.0)
        coefficients = _solve_albedo(basis, observed - mean.T, kept * sure, prior, settings)
        coarse = decode_texels(mean, basis, coefficients).T
        kept = weight * _robust(observed - coarse, settings)
        albedo = srgb_to_linear(np.clip(coarse, 0.0, 1.0)).astype(np.float64)
        light = solve_light(colour, albedo, normals, kept, level, settings)
        light = light * (level.mean() / _mean_shading(light, normals, weight).mean())
    error = float(np.sqrt(np.average(((observed - coarse) ** 2).mean(axis=1), weights=kept)))
    skin = np.zeros(valid.shape, dtype=np.float32)
    skin[tuple(axis[chosen] for axis in np.nonzero(valid))] = kept
    return AlbedoFit(coefficients, light, skin, error)


def _at_size(settings: AlbedoSettings, size: int) -> AlbedoSettings:
    """The settings with the correlation of neighbours on a map of this size, 1 texel at least."""
    correlation = settings.correlation * (size / SOLVE_SIZE) ** 2
    return replace(settings, correlation=max(correlation, 1.0))


def _mean_shading(light: np.ndarray, normals: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """(3,) shading averaged over the weighted texels."""
    return np.average(sh_basis(normals) @ light, axis=0, weights=weight)


def _first_light(
    model: AlbedoModel,
    colour: np.ndarray,
    normals: np.ndarray,
    weight: np.ndarray,
    chosen: np.ndarray,
    settings: AlbedoSettings,
) -> np.ndarray:
    """(9, 3) light to start from: its shape with the mean albedo, its level from the priors."""
    share = np.zeros(model.mean.shape[1])
    share[chosen] = weight
    skin_mean, skin_covariance = _skin_statistics(model, share)
    albedo = srgb_to_linear(np.clip(model.mean[:, chosen].T, 0.0, 1.0)).astype(np.float64)
    albedo = albedo / np.average(albedo, axis=0, weights=weight)
    mean_colour = np.average(colour, axis=0, weights=weight)
    light = solve_light(colour, albedo, normals, weight, mean_colour, settings)
    light = light / _mean_shading(light, normals, weight)
    shading = np.maximum(sh_basis(normals) @ light, settings.least_shading)
    evened = np.average(colour / shading, axis=0, weights=weight)
    return light * solve_exposure(evened, skin_mean, skin_covariance, settings)
