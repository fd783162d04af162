"""The texels of a photo from which stage 2 is solved."""

from dataclasses import dataclass

import numpy as np

from ...head.numerics import smoothstep
from ...head.transfer import picture_to_srgb
from ...protocol.albedo_pack import AlbedoModel
from ...protocol.conventions import sh_basis
from ...protocol.detail import value
from ..seen.texels import TexelObservation
from ..settings import AlbedoSettings

BURNT_WEIGHT = 0.02
"""Of a channel that is cut off: it says no more than that it is bright."""


@dataclass(frozen=True, eq=False)
class SkinSamples:
    """The texels of one photo from which it is solved: chosen (n,) among the model's, weight (n,),
    colour (n, 3) linear RGB, burnt (n, 3): channels that the camera cut off; normals (n, 3); mean
    (3, n) and basis (3, K, n) of the model there; whole (9,): spherical harmonics averaged over the
    face that the camera could see: exposure is a matter of the face, not of what hair or deep shade
    leave of it."""

    chosen: np.ndarray
    weight: np.ndarray
    colour: np.ndarray
    burnt: np.ndarray
    normals: np.ndarray
    mean: np.ndarray
    basis: np.ndarray
    whole: np.ndarray


def texel_trust(
    observation: TexelObservation, mask: np.ndarray, settings: AlbedoSettings
) -> np.ndarray:
    """(S, S) in [0, 1]: seen, facing the camera, on the person, inside `mask`, well exposed."""
    brightest = picture_to_srgb(value(observation.colour))
    trust = _believed(observation, brightest, mask, settings)
    return trust * (1.0 - 0.9 * smoothstep(brightest, 0.96, 1.0))


def _believed(
    observation: TexelObservation,
    brightest: np.ndarray,
    mask: np.ndarray,
    settings: AlbedoSettings,
) -> np.ndarray:
    """`texel_trust` with burnt texels: the solve looks at each channel on its own."""
    exposed = smoothstep(brightest, 0.03, 0.12)
    return _facing(observation, mask, settings) * observation.person * exposed


def _facing(
    observation: TexelObservation, mask: np.ndarray, settings: AlbedoSettings
) -> np.ndarray:
    """(S, S) in [0, 1]: inside `mask`, and towards the camera."""
    facing = smoothstep(observation.facing, settings.least_facing, 0.5)
    return observation.visible * facing * mask


def open_channels(skin: SkinSamples) -> np.ndarray:
    """(n, 3): weight of a channel by whether the camera could still tell."""
    return np.where(skin.burnt, BURNT_WEIGHT, 1.0)


def skin_samples(
    model: AlbedoModel, observation: TexelObservation, mask: np.ndarray, settings: AlbedoSettings
) -> SkinSamples:
    """Every `stride`-th texel that can be believed; observation, mask at the model's size.

    The weights make up for those left out.
    """
    valid = model.valid.astype(bool)
    step = settings.stride
    grid = np.zeros(valid.shape, bool)
    grid[::step, ::step] = True
    brightest = picture_to_srgb(value(observation.colour))
    trust = _believed(observation, brightest, mask, settings)[valid]
    chosen = np.flatnonzero((trust > 0.02) & grid[valid])
    colour = observation.colour[valid][chosen].astype(np.float64)
    whole = _facing(observation, mask, settings)[valid] * grid[valid]
    face = np.flatnonzero(whole > 0.02)
    normals = observation.normal[valid][face].astype(np.float64)
    return SkinSamples(
        chosen,
        trust[chosen] * float(step * step),
        colour,
        colour > settings.burnt,
        observation.normal[valid][chosen].astype(np.float64),
        model.mean[:, chosen],
        model.basis[:, :, chosen],
        np.average(sh_basis(normals), axis=0, weights=whole[face]),
    )
