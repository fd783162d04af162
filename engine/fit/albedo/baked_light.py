"""The baked-light meter: how much of an albedo still follows the light of its photo."""

import cv2
import numpy as np

from ...protocol.conventions import LUMINANCE_WEIGHTS, sh_basis, srgb_to_linear
from ...render.resize import resize_texture

WINDOW = 1 / 10
"""Gaussian of a neighbourhood, over the map's side. Ours: half a cheek, in which skin itself is
even but light changes."""
LEAST_CHANGE = 0.02
"""Change of the log shading in a neighbourhood, rms, below which nothing can be told. Ours: an
even light of which a fiftieth varies bakes in nothing that could be seen."""
_DARKEST = 0.02
"""Linear luminance and shading below this count as this: their logarithms are noise."""


def baked_light(
    albedo: np.ndarray, normal: np.ndarray, light: np.ndarray, weight: np.ndarray
) -> tuple[float, np.ndarray]:
    """How far the albedo follows the shading: 0 not at all, 1 as much as the photo itself.

    albedo (T, T, 3) sRGB; normal (S, S, 3) unit, model space; light (9, 3); weight (S, S) in
    [0, 1]: texels of skin that the photo showed. Returns a number in [0, 1] and a map (S, S)
    float32 in [0, 1], 0 where nothing can be told.
    Ours: photo = albedo x shading, so in logarithms a share of the light that stays in the albedo
    is the slope of albedo on shading. It is a weighted regression in each Gaussian neighbourhood;
    the number is the one slope that fits all of them. Light that was taken off twice has a
    negative slope, and counts as much. Features that follow the form of the face (lips, sockets)
    count as light too: an albedo without any reads about 0.1.
    """
    size = len(normal)
    small = srgb_to_linear(np.clip(resize_texture(albedo, size), 0.0, 1.0))
    weight = weight.astype(np.float32)
    shading = sh_basis(normal.astype(np.float32)) @ light.astype(np.float32)
    tone, shade = (_log_luminance(image) for image in (small, shading))
    sigma = WINDOW * size
    share = _blur(weight, sigma) + 1e-4

    def mean(image: np.ndarray) -> np.ndarray:
        return _blur(image * weight, sigma) / share

    middle_tone, middle_shade = mean(tone), mean(shade)
    together = mean(tone * shade) - middle_tone * middle_shade
    spread = np.maximum(mean(shade * shade) - middle_shade**2, 0.0)
    slope = together / (spread + LEAST_CHANGE**2)
    number = abs(float((weight * together).sum())) / float(
        (weight * (spread + LEAST_CHANGE**2)).sum() + 1e-6
    )
    where = np.minimum(weight, 1.0) * np.clip(np.abs(slope), 0.0, 1.0)
    return min(number, 1.0), where.astype(np.float32)


def _log_luminance(linear: np.ndarray) -> np.ndarray:
    luminance = linear.astype(np.float32) @ np.asarray(LUMINANCE_WEIGHTS, np.float32)
    return np.log(np.maximum(luminance, _DARKEST))


def _blur(image: np.ndarray, sigma: float) -> np.ndarray:
    return cv2.GaussianBlur(image.astype(np.float32), (0, 0), sigma)
