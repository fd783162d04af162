"""What people say about a skin ("lighter", "redder") in coefficients of an albedo model.

The coefficients c, all 3K of them, have mean 0 and covariance C (Gaussian prior). The
mean skin colour is linear in them: m = m0 + A c. Of all changes that move it by d the most probable
is C A^T (A C A^T)^-1 d: the least Mahalanobis length under a linear condition (Bishop, PRML 2006,
equations 2.81 and B.41, are the same conditional mean). So "lighter" changes lips, brows and
freckles as they change from fair to dark people, and does not only scale the picture.
"""

from dataclasses import dataclass

import numpy as np

from .albedo import CHANNELS
from .albedo_pack import AlbedoModel
from .colour import lab_to_srgb, srgb_to_lab
from .detail_regions import REGIONS, region_weights

SKIN_REGIONS = ("forehead", "cheeks")
"""Where the skin colour is measured: as with people, on forehead and cheeks (Chardon et al. 1991),
away from lips, lids and beard."""
_REGION_GRID = 256
_MOST_SHRUNK = 0.5
"""A covariance with a larger least eigenvalue has no cross-correlations to speak of."""
_LEAST_SHARE = 1e-9
"""Of the largest eigenvalue: a covariance with linear dependencies has some near 0."""


@dataclass(frozen=True)
class ToneChange:
    """lighter, redder, yellower: change of L*, a*, b* of the mean skin colour (CIELAB, D65).

    even in [0, 1]: share of what is uneven that is taken away; at 1 only that is left which is
    most probable for a skin of this colour.
    """

    lighter: float = 0.0
    redder: float = 0.0
    yellower: float = 0.0
    even: float = 0.0


@dataclass(frozen=True, eq=False)
class AlbedoTone:
    """How an albedo model answers to a tone. K components a channel, 3K coefficients in the order
    R, G, B.

    colour: (3,) sRGB, mean skin colour of the mean map. response: (3, 3K), A above. gain:
    (3K, 3), C A^T (A C A^T)^-1. directions: (3K, J), principal directions of whole maps, each one
    standard deviation long, most important first. root: (3K, 3K), a square root of C.
    """

    colour: np.ndarray
    response: np.ndarray
    gain: np.ndarray
    directions: np.ndarray
    root: np.ndarray


def prepare_tone(model: AlbedoModel, count: int) -> AlbedoTone:
    """What the sliders need of a model; `count`: directions that are wanted.

    Principal directions of the joint map (all three channels at once): with S = diag(sigma) the
    covariance along the unit rows is S C S = U L U^T, so a direction in coefficients is
    S^-1 u sqrt(l). They differ from the components, which know one channel only.
    """
    covariance = people_covariance(model.covariance)
    components = model.basis.shape[1]
    weights = _skin_weights(model.valid)
    response = np.zeros((CHANNELS, CHANNELS * components))
    for channel in range(CHANNELS):
        own = slice(channel * components, (channel + 1) * components)
        response[channel, own] = model.basis[channel] @ weights
    spread = covariance @ response.T
    gain = spread @ np.linalg.pinv(response @ spread, hermitian=True)
    return AlbedoTone(
        model.mean.astype(np.float64) @ weights,
        response,
        gain,
        _directions(covariance, model.sigma, count),
        _root(covariance),
    )


def people_covariance(covariance: np.ndarray) -> np.ndarray:
    """(3K, 3K) float64: the covariance without the part that all directions share; unit diagonal.

    Training draws the sample covariance towards the identity (shrinkage, Ledoit & Wolf 2004), for
    the sake of its inverse. Drawn from as it is, that part would let the channels go apart: blue
    and green people. It shows as the least eigenvalue.
    """
    covariance = covariance.astype(np.float64)
    least = min(max(float(np.linalg.eigvalsh(covariance)[0]), 0.0), _MOST_SHRUNK)
    return (covariance - least * np.eye(len(covariance))) / (1.0 - least)


def _skin_weights(valid: np.ndarray) -> np.ndarray:
    """(N,) weights of the valid texels, sum 1: of `SKIN_REGIONS`."""
    names = [REGIONS.index(name) for name in SKIN_REGIONS]
    grid = region_weights(_REGION_GRID)[names].sum(0)
    places = ((np.arange(side) + 0.5) * _REGION_GRID / side for side in valid.shape)
    row, column = (place.astype(int) for place in places)
    weights = grid[np.ix_(row, column)][valid].astype(np.float64)
    return weights / weights.sum()


def _directions(covariance: np.ndarray, sigma: np.ndarray, count: int) -> np.ndarray:
    scale = np.maximum(sigma.reshape(-1).astype(np.float64), 1e-12)
    values, vectors = np.linalg.eigh(scale[:, None] * covariance * scale)
    order = np.argsort(values)[::-1][:count]
    vectors = vectors[:, order] * np.sign(vectors[:, order].sum(0) + 1e-300)
    return vectors * np.sqrt(np.maximum(values[order], 0.0)) / scale[:, None]


def _root(covariance: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(covariance)
    return vectors * np.sqrt(np.maximum(values, 0.0))


def skin_colour(tone: AlbedoTone, coefficients: np.ndarray) -> np.ndarray:
    """(3,) sRGB, mean skin colour of the map of (3, K) coefficients."""
    return tone.colour + tone.response @ coefficients.reshape(-1)


def changed_coefficients(
    tone: AlbedoTone, coefficients: np.ndarray, directions: np.ndarray, change: ToneChange
) -> np.ndarray:
    """(3, K) float64: coefficients after the joint directions and a tone change.

    coefficients: (3, K); directions: (J,) standard deviations along `tone.directions`, J or fewer.
    Then `even` draws the result towards the most probable skin of the same mean colour; then the
    mean colour moves by the change in CIELAB, exactly as far as sRGB has the colour wanted. Nothing
    asked for: nothing changes.
    """
    out = coefficients.reshape(-1).astype(np.float64)
    out = out + tone.directions[:, : len(directions)] @ directions
    if change.even:
        out = out + change.even * (tone.gain @ (tone.response @ out) - out)
    step = np.array([change.lighter, change.redder, change.yellower])
    if step.any():
        before = np.clip(tone.colour + tone.response @ out, 0.0, 1.0)
        out = out + tone.gain @ (lab_to_srgb(srgb_to_lab(before) + step) - before)
    return out.reshape(coefficients.shape)


def draw_coefficients(
    tone: AlbedoTone,
    coefficients: np.ndarray,
    locked: np.ndarray,
    seed: int,
    amount: float,
) -> np.ndarray:
    """(3, K) coefficients of somebody like this, at random within the prior.

    coefficients: (3, K) now; locked: (3, K) bool, these stay, and the draw is conditioned on them;
    amount in [0, 1]: 0 stays, 1 is a new person. In between sqrt(1 - a^2) now + a draw, which
    keeps the prior's spread (a step of an autoregressive process). Conditioning by residuals
    (Hoffman & Ribak 1991): draw - C_ul C_ll^-1 (draw_l - now_l).
    """
    now, fixed = coefficients.reshape(-1).astype(np.float64), locked.reshape(-1)
    draw = tone.root @ np.random.default_rng(seed).standard_normal(tone.root.shape[1])
    if fixed.any():
        covariance = tone.root @ tone.root.T
        inverse = np.linalg.pinv(covariance[np.ix_(fixed, fixed)], _LEAST_SHARE, hermitian=True)
        draw -= covariance[:, fixed] @ (inverse @ (draw[fixed] - now[fixed]))
    mixed = np.sqrt(1.0 - amount * amount) * now + amount * draw
    return np.where(fixed, now, mixed).reshape(coefficients.shape)
