"""Stage 2: light and coarse albedo, solved in UV space by alternating least squares.

Given the shape, every texel knows its normal; colour = albedo x shading. Albedo given light and
light given albedo are both weighted linear least squares (DESIGN, "solve in UV space").
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...protocol.albedo import decode_texels, project_texels
from ...protocol.albedo_pack import AlbedoModel
from ...protocol.conventions import linear_to_srgb, sh_basis, srgb_to_linear
from ...protocol.errors import EngineError, ErrorCode
from ...reporter import Reporter
from ..eyes.white import EyeWhite
from ..seen.texels import TexelObservation
from ..settings import AlbedoSettings
from .exposure import skin_prior, solve_exposure
from .light import solve_light
from .model_size import SOLVE_SIZE
from .skin_samples import BURNT_WEIGHT, SkinSamples, open_channels, skin_samples

HELD = frozenset({"albedo", "light"})
"""What `fit_albedos` can leave as it was."""


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


def _solve_albedo(
    skins: Sequence[SkinSamples],
    observed: Sequence[np.ndarray],
    weights: Sequence[np.ndarray],
    prior: np.ndarray,
    settings: AlbedoSettings,
) -> np.ndarray:
    """(3, K) coefficients: ridge regression with the joint Gaussian prior of all channels.

    observed: (n, 3) sRGB of each photo without its light; weights: (n,) of each.
    """
    channels, components, _ = skins[0].basis.shape
    normal = prior.copy()
    target = np.zeros((channels, components))
    for skin, seen, weight in zip(skins, observed, weights, strict=True):
        precision = open_channels(skin).T * (weight / (settings.noise**2 * settings.correlation))
        for channel in range(channels):
            span = slice(channel * components, (channel + 1) * components)
            rows = skin.basis[channel] * np.sqrt(precision[channel], dtype=np.float32)
            normal[span, span] += rows @ rows.T
        target += project_texels(skin.basis, (seen.T - skin.mean) * precision)
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
    """Solve light and coarse albedo of one photo: `fit_albedos` with one view. Raises Cancelled."""
    return fit_albedos(model, [observation], mask, settings, reporter)[0]


def fit_albedos(
    model: AlbedoModel,
    observations: Sequence[TexelObservation],
    mask: np.ndarray,
    settings: AlbedoSettings,
    reporter: Reporter,
    start: Sequence[AlbedoFit] | None = None,
    held: frozenset[str] = frozenset(),
    features: np.ndarray | None = None,
    whites: Sequence[EyeWhite | None] | None = None,
) -> tuple[AlbedoFit, ...]:
    """Solve one coarse albedo, and the light of each photo of the same person.

    model: see `model_size.reduce_model`. observations, mask: at the model's resolution; mask
    (S, S) in [0, 1]: skin of the face. start: one fit a photo to go on from, in their order.
    held: "albedo" keeps the coefficients of start[0], "light" the lights of start.
    features (S, S) in [0, 1]: brows, lids and lips, which a last solve follows more closely.
    whites: what the eyes of each photo tell of the light's colour.
    All fits returned share one array of coefficients.
    Raises Cancelled, and EngineError(BAD_SETTINGS) for a start that does not fit the photos.
    """
    _check_start(observations, start, held)
    whites = [None] * len(observations) if whites is None else whites
    settings = _at_size(settings, model.valid.shape[0])
    settings = replace(settings, gloss=0.0) if held else settings
    skins = [skin_samples(model, one, mask, settings) for one in observations]
    prior = np.linalg.inv(model.covariance + 1e-3 * np.eye(len(model.covariance)))
    if start is None:
        coefficients = np.zeros(model.basis.shape[:2])
        lights = [_first_light(model, *two, settings) for two in zip(skins, whites, strict=True)]
    else:
        coefficients = start[0].coefficients
        lights = [one.light for one in start]
    kept = [one.weight for one in skins]
    for step in range(settings.rounds):
        reporter.progress(step + 1, settings.rounds)
        if not held:
            lights = [
                _exposed(model, *four, settings)
                for four in zip(skins, lights, kept, whites, strict=True)
            ]
        observed = [_unlit(*pair, settings) for pair in zip(lights, skins, strict=True)]
        if "albedo" not in held:
            weights = [k * _sure(*two) for k, *two in zip(kept, lights, skins, strict=True)]
            coefficients = _solve_albedo(skins, observed, weights, prior, settings)
        coarse = [decode_texels(one.mean, one.basis, coefficients).T for one in skins]
        for index, one in enumerate(skins):
            kept[index] = one.weight * _robust(
                _error(one, observed[index], coarse[index]), settings
            )
            if "light" not in held:
                lights[index] = _solve_light(
                    one, coarse[index], kept[index], lights[index], settings
                )
    if "albedo" not in held and features is not None:
        coefficients = _closer(model, skins, observed, kept, lights, features, prior, settings)
        coarse = [decode_texels(one.mean, one.basis, coefficients).T for one in skins]
    # The renderer knows no gloss: the light that is handed on is brighter by it.
    plain = replace(settings, gloss=0.0)
    if not held:
        lights = [
            _solve_light(*four, plain) for four in zip(skins, coarse, kept, lights, strict=True)
        ]
    return tuple(
        _albedo_fit(model, coefficients, *one, mask, plain)
        for one in zip(observations, lights, strict=True)
    )


def _closer(
    model: AlbedoModel,
    skins: Sequence[SkinSamples],
    observed: Sequence[np.ndarray],
    kept: Sequence[np.ndarray],
    lights: Sequence[np.ndarray],
    features: np.ndarray,
    prior: np.ndarray,
    settings: AlbedoSettings,
) -> np.ndarray:
    """(3, K) coefficients with the light known, closer to the photos, most of all at the features:
    by them faces are told apart, and what differs there so far is no outlier."""
    weights = []
    for skin, trust, light in zip(skins, kept, lights, strict=True):
        here = features[model.valid.astype(bool)][skin.chosen]
        weight = trust + here * (skin.weight - trust)
        gain = settings.skin_gain + here * (settings.feature_gain - settings.skin_gain)
        weights.append(weight * gain * _sure(light, skin))
    return _solve_albedo(skins, observed, weights, prior, settings)


def _check_start(
    observations: Sequence[TexelObservation],
    start: Sequence[AlbedoFit] | None,
    held: frozenset[str],
) -> None:
    unknown = ", ".join(sorted(held - HELD))
    if unknown:
        raise EngineError(
            ErrorCode.BAD_SETTINGS,
            f"The albedo stage cannot hold {unknown}.",
            f"It can hold {' and '.join(sorted(HELD))}.",
        )
    if (held and start is None) or (start is not None and len(start) != len(observations)):
        count = 0 if start is None else len(start)
        raise EngineError(
            ErrorCode.BAD_SETTINGS,
            f"{len(observations)} photos are to go on from {count} earlier fits of their albedo.",
            "Give one earlier fit for each photo.",
        )


def _unlit(light: np.ndarray, skin: SkinSamples, settings: AlbedoSettings) -> np.ndarray:
    """(n, 3) sRGB: the photo's colour over the shading, less the gloss."""
    shading = np.maximum(sh_basis(skin.normals) @ light, settings.least_shading)
    return linear_to_srgb(np.clip(skin.colour / shading - settings.gloss, 0.0, 1.2))


def _error(skin: SkinSamples, observed: np.ndarray, coarse: np.ndarray) -> np.ndarray:
    """(n, 3) sRGB: what the coarse albedo does not explain; a burnt channel may be darker."""
    error = observed - coarse
    return np.where(skin.burnt & (error < 0.0), 0.0, error)


def _sure(light: np.ndarray, skin: SkinSamples) -> np.ndarray:
    """(n,) in [0, 1]: less in the shade, where little light tells of the albedo."""
    shading = (sh_basis(skin.normals) @ light).mean(axis=1)
    return np.clip(shading / np.average(shading, weights=skin.weight), 0.0, 1.0)


def _solve_light(
    skin: SkinSamples,
    coarse: np.ndarray,
    kept: np.ndarray,
    light: np.ndarray,
    settings: AlbedoSettings,
) -> np.ndarray:
    """(9, 3) light given the coarse albedo (n, 3) sRGB; light: the one before.

    A burnt channel says that the light is bright: it counts where the light before is too dark.
    """
    albedo = srgb_to_linear(np.clip(coarse, 0.0, 1.0)).astype(np.float64) + settings.gloss
    level = _mean_shading(light, skin)
    enough = albedo * (sh_basis(skin.normals) @ light) >= skin.colour
    weight = kept[:, None] * np.where(skin.burnt & enough, BURNT_WEIGHT, 1.0)
    return solve_light(skin.colour, albedo, skin.normals, weight, level, settings)


def _exposed(
    model: AlbedoModel,
    skin: SkinSamples,
    light: np.ndarray,
    kept: np.ndarray,
    white: EyeWhite | None,
    settings: AlbedoSettings,
) -> np.ndarray:
    """(9, 3) the light at the level that the priors of skin and camera prefer."""
    share = np.zeros(model.mean.shape[1])
    share[skin.chosen] = skin.weight
    level = _mean_shading(light, skin)
    shading = np.maximum(sh_basis(skin.normals) @ (light / level), settings.least_shading)
    whole = np.where(skin.burnt.any(axis=1), BURNT_WEIGHT, 1.0)
    weight = kept * whole * _sure(light, skin)
    evened = np.average(skin.colour / shading, axis=0, weights=weight)
    prior = skin_prior(model, share, settings.exposure)
    gain = solve_exposure(evened, prior, white, settings.gloss, settings.exposure)
    return light * (gain / level)


def _albedo_fit(
    model: AlbedoModel,
    coefficients: np.ndarray,
    observation: TexelObservation,
    light: np.ndarray,
    mask: np.ndarray,
    settings: AlbedoSettings,
) -> AlbedoFit:
    """The fit with the skin found at all texels, those between the solved ones too."""
    skin = skin_samples(model, observation, mask, replace(settings, stride=1))
    coarse = decode_texels(skin.mean, skin.basis, coefficients).T
    error = _error(skin, _unlit(light, skin, settings), coarse)
    kept = skin.weight * _robust(error, settings)
    valid = model.valid.astype(bool)
    looks = np.zeros(valid.shape, dtype=np.float32)
    looks[tuple(axis[skin.chosen] for axis in np.nonzero(valid))] = kept
    residual = float(np.sqrt(np.average((error**2).mean(axis=1), weights=kept)))
    return AlbedoFit(coefficients, light, looks, residual)


def _at_size(settings: AlbedoSettings, size: int) -> AlbedoSettings:
    """The settings with the correlation of neighbours on a map of this size, 1 texel at least."""
    correlation = settings.correlation * (size / SOLVE_SIZE) ** 2
    stride = settings.stride if size >= SOLVE_SIZE else 1
    return replace(settings, correlation=max(correlation, 1.0), stride=stride)


def _mean_shading(light: np.ndarray, skin: SkinSamples) -> np.ndarray:
    """(3,) shading averaged over the face, covered or not."""
    return skin.whole @ light


def _first_light(
    model: AlbedoModel, skin: SkinSamples, white: EyeWhite | None, settings: AlbedoSettings
) -> np.ndarray:
    """(9, 3) light to start from: its shape with the mean albedo, its level from the priors."""
    albedo = srgb_to_linear(np.clip(skin.mean.T, 0.0, 1.0)).astype(np.float64)
    albedo = albedo / np.average(albedo, axis=0, weights=skin.weight)
    mean_colour = np.average(skin.colour, axis=0, weights=skin.weight)
    weight = skin.weight[:, None] * open_channels(skin)
    light = solve_light(skin.colour, albedo, skin.normals, weight, mean_colour, settings)
    return _exposed(model, skin, light, skin.weight, white, settings)
