"""How bright the light is and of what colour: what the photo alone cannot tell from skin.

A face twice as dark in twice the light is the same picture. Priors decide: the colours that skin
has, how cameras expose, and how far lamps are from white. The white of the eyes says more of the
light's colour than any prior.
"""

from dataclasses import dataclass

import numpy as np

from ...protocol.albedo_pack import AlbedoModel
from ...protocol.conventions import LUMINANCE_WEIGHTS, linear_to_srgb
from ..eyes.white import EyeWhite, log_tint
from .exposure_settings import ExposureSettings

GAINS = np.linspace(-1.0, 0.75, 36)
TINTS = np.linspace(-0.42, 0.42, 13)
"""Logarithms of the shading that are tried: its mean over the channels, and red's and blue's off
that. Ours: steps as wide as the narrowest belief do no harm to a posterior mean."""
LID_SHARES = np.linspace(0.0, 1.0, 11)
"""How much of what is taken for the white of the eyes may be lid."""
MIDDLE = 0.2
"""Luminance of skin between light and dark, to which `ExposureSettings.gain` belongs. Ours."""


@dataclass(frozen=True, eq=False)
class SkinPrior:
    """Mean colours of faces, sRGB: at mean (3,) + k + bend (3,) (k^2 - variance), k being the mean
    of the channels and `variance` its spread; precision (3, 3) round that curve, with little pull
    along it."""

    mean: np.ndarray
    variance: float
    bend: np.ndarray
    precision: np.ndarray


def skin_prior(model: AlbedoModel, weight: np.ndarray, settings: ExposureSettings) -> SkinPrior:
    """The prior for a face seen at the model's texels with weight (N,).

    The line from dark skin to light is the longest axis of the model's mean colours; how it bends
    and how far faces lie from it are settings.
    """
    share = (weight / weight.sum()).astype(np.float32)
    mean = (model.mean @ share).astype(np.float64)
    response = model.basis @ share
    components = response.shape[1]
    jacobian = np.zeros((3, 3 * components))
    for channel in range(3):
        jacobian[channel, channel * components : (channel + 1) * components] = response[channel]
    covariance = jacobian @ model.covariance @ jacobian.T
    longest = np.linalg.eigh(covariance)[1][:, -1]
    along = float(longest @ covariance @ longest)
    spread = np.eye(3) * settings.skin_sigma**2
    spread += along * settings.tone_spread**2 * np.outer(longest, longest)
    return SkinPrior(
        mean * np.array([1.0, 1.0, settings.skin_blue]),
        along * float(longest.mean()) ** 2,
        np.array(settings.skin_bend),
        np.linalg.inv(spread),
    )


def skin_cost(albedo: np.ndarray, skin: SkinPrior) -> np.ndarray:
    """Twice the negative log prior of mean colours (..., 3) sRGB."""
    offset = albedo - skin.mean
    tone = offset.mean(axis=-1)[..., None]
    offset = offset - skin.bend * (tone**2 - skin.variance)
    return np.einsum("...i,ij,...j->...", offset, skin.precision, offset)


def eye_cost(
    tint: np.ndarray, white: EyeWhite, skin: np.ndarray, settings: ExposureSettings
) -> np.ndarray:
    """Twice the negative log likelihood of what is seen of the white of the eyes.

    tint (..., 3): log tint of the light; skin (3,): log tint of the face in the photo. Ours: what
    is seen is white and lid, mixed in logarithms in an unknown share, over which is summed.
    """
    prior = np.exp(-LID_SHARES / settings.lid_share) + settings.lid_floor
    warm = settings.eye_red * np.array([1.0, 0.0, -1.0])
    likely = np.full(tint.shape[:-1], settings.eye_floor)
    for share, probability in zip(LID_SHARES, prior / prior.sum(), strict=True):
        expected = warm + (1.0 - share) * (tint + white.own) + share * skin
        off = ((white.seen - expected) ** 2).sum(axis=-1)
        likely += probability * np.exp(-0.5 * off / settings.eye_sigma**2)
    return -2.0 * np.log(likely)


def shows_white(white: EyeWhite, skin: np.ndarray, settings: ExposureSettings) -> bool:
    """Whether what is seen there is less red than the skin (3,), log tint, as lids are not."""
    off = skin - white.seen
    return float(off[0] - off[2]) > settings.least_apart


def solve_exposure(
    mean_colour: np.ndarray,
    skin: SkinPrior,
    white: EyeWhite | None,
    gloss: float,
    settings: ExposureSettings,
) -> np.ndarray:
    """The mean shading of each channel that best explains the mean colour of the face.

    mean_colour (3,) linear RGB: of the photo over a shading of mean 1; skin: the prior of its
    albedo; white: what the eyes tell, if anything; gloss: what the surface adds to the albedo.
    Returns (3,) shading. Ours: the posterior mean over a grid of exposures and two tints, which
    errs less than the peak.
    """
    common, red, blue = np.meshgrid(GAINS, TINTS, TINTS, indexing="ij")
    tint = np.stack([red, -(red + blue), blue], axis=-1)
    log_gain = common[..., None] + tint
    linear = np.maximum(mean_colour / np.exp(log_gain) - gloss, 0.0)
    albedo = linear_to_srgb(linear)
    darker = np.log(MIDDLE / np.maximum(linear @ np.array(LUMINANCE_WEIGHTS), 1e-3))
    usual = settings.gain + settings.dark_gain * darker
    cost = skin_cost(albedo, skin) + ((common - usual) / settings.gain_sigma) ** 2
    cost += (tint**2).sum(axis=-1) / settings.tint_sigma**2
    seen = log_tint(mean_colour)
    if white is not None and shows_white(white, seen, settings):
        cost += eye_cost(tint[0], white, seen, settings)
    share = np.exp(-0.5 * (cost - cost.min())) * (albedo <= 1.0).all(axis=-1)
    if not share.any():
        return np.exp(log_gain.reshape(-1, 3)[np.argmin(cost)])
    return np.exp((log_gain * share[..., None]).sum(axis=(0, 1, 2)) / share.sum())
