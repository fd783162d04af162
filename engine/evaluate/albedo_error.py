"""How far an albedo lies from the true one, and how far answers from other lights lie apart."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from ..protocol.conventions import linear_to_srgb
from ..skin.colorimetry import individual_typology_angle, srgb_to_lab
from .colour_difference import ciede2000

_GAINS = np.linspace(-0.3, 0.3, 31)
_MOST = 4000
"""Log gains round the ratio of the means that are tried, and pixels they are tried on."""


@dataclass(frozen=True)
class AlbedoErrors:
    """One answer in several lights, mean CIEDE2000 over the pixels and lights.

    scaled: after one global brightness scale of each; raw: without. spread, spread_raw: between
    the answers of two lights, mean over all pairs. tone: mean absolute error of the ITA, degrees,
    without the scale. by_light: `scaled` of each light.
    """

    scaled: float
    raw: float
    spread: float
    spread_raw: float
    tone: float
    by_light: tuple[float, ...]


def _lab(linear: np.ndarray) -> np.ndarray:
    return srgb_to_lab(linear_to_srgb(np.clip(linear, 0.0, 1.0)))


def best_scale(found: np.ndarray, truth: np.ndarray) -> float:
    """The factor that brings found (n, 3) nearest to truth (n, 3) in CIEDE2000, linear RGB.

    By trial: the measure is neither smooth nor quadratic, and one number is quickly tried.
    """
    step = max(1, len(found) // _MOST)
    found, lab = found[::step], _lab(truth[::step])
    first = float(truth.mean() / max(found.mean(), 1e-6))
    scales = first * np.exp(_GAINS)
    errors = [ciede2000(_lab(found * scale), lab).mean() for scale in scales]
    return float(scales[int(np.argmin(errors))])


def mean_tone(linear: np.ndarray) -> float:
    """ITA in degrees of the mean of colours (n, 3), linear RGB."""
    return float(individual_typology_angle(linear_to_srgb(np.clip(linear, 0, 1).mean(axis=0))))


def albedo_errors(
    answers: Sequence[np.ndarray], truth: np.ndarray, tone_texels: np.ndarray
) -> AlbedoErrors:
    """answers: (n, 3) linear RGB, one a light; truth (n, 3); tone_texels (n,) bool: where the tone
    is read."""
    lab = _lab(truth)
    scaled = [_lab(one * best_scale(one, truth)) for one in answers]
    raw = [_lab(one) for one in answers]
    by_light = tuple(float(ciede2000(one, lab).mean()) for one in scaled)
    angle = mean_tone(truth[tone_texels])
    tones = [abs(mean_tone(one[tone_texels]) - angle) for one in answers]
    return AlbedoErrors(
        float(np.mean(by_light)),
        float(np.mean([ciede2000(one, lab).mean() for one in raw])),
        _apart(scaled),
        _apart(raw),
        float(np.mean(tones)),
        by_light,
    )


def _apart(labs: Sequence[np.ndarray]) -> float:
    pairs = [ciede2000(a, b).mean() for a, b in combinations(labs, 2)]
    return float(np.mean(pairs)) if pairs else 0.0
