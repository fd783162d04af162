"""How far maps of the same skin, found in different lights, differ; and how much of it is light."""

from dataclasses import dataclass

import cv2
import numpy as np

from ..protocol.conventions import BYTE_MAX


@dataclass(frozen=True)
class Spread:
    """Grey levels (0 to 255) over the chosen texels.

    rms: of a map about its mean. difference: rms of the difference of two maps, over all pairs.
    ratio: difference over rms; 0 where all agree, 1.41 for maps that have nothing in common. leak:
    correlation of what is a map's own (it minus the mean of all) with what is its light's own (the
    shading minus the mean of all); 0 where no light is left. error: rms of map minus truth over
    the rms of the truth; likeness: correlation of map and truth; both None without a truth.
    """

    rms: float
    difference: float
    ratio: float
    leak: float
    error: float | None
    likeness: float | None


def spread(
    maps: np.ndarray, shading: np.ndarray, texels: np.ndarray, truth: np.ndarray | None
) -> Spread:
    """maps, shading: (n, S, S), sRGB units and any unit; texels: (S, S) bool; truth: (S, S)."""
    x = maps[:, texels].astype(np.float64)
    light = shading[:, texels].astype(np.float64)
    rms = float(np.sqrt(x.var(axis=1).mean()))
    difference = rms_difference(x)
    error = likeness = None
    if truth is not None:
        t = truth[texels].astype(np.float64)
        error = float(np.sqrt(((x - t) ** 2).mean() / max((t**2).mean(), 1e-12)))
        likeness = float(np.mean([_correlation(one, t) for one in x]))
    return Spread(
        BYTE_MAX * rms,
        BYTE_MAX * difference,
        difference / max(rms, 1e-12),
        _correlation(x - x.mean(axis=0), light - light.mean(axis=0)),
        error,
        likeness,
    )


def rms_difference(rows: np.ndarray) -> float:
    """Root mean square difference of two of the rows (n, m), over all pairs and columns."""
    # The mean squared difference over all pairs is twice the unbiased variance.
    return float(np.sqrt(2.0 * rows.var(axis=0, ddof=1).mean()))


def slow_part(maps: np.ndarray, texels: np.ndarray, sigma: float) -> np.ndarray:
    """(n, S, S) Gaussian means of the chosen texels round each; sigma in texels."""
    weight = texels.astype(np.float32)
    share = np.maximum(cv2.GaussianBlur(weight, (0, 0), sigma), 1e-6)
    blurred = [cv2.GaussianBlur(one.astype(np.float32) * weight, (0, 0), sigma) for one in maps]
    return np.stack(blurred) / share


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Of two arrays of one shape; 0 where one is constant."""
    a, b = a - a.mean(), b - b.mean()
    norm = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum() / norm) if norm > 0.0 else 0.0
