"""Light that nine numbers do not tell: soft shadows, cast shadows, gloss. It is no skin."""

import cv2
import numpy as np
import torch

from ...head.transfer import picture_to_linear, picture_to_srgb
from ...protocol.detail import value
from ...render.low_pass import LowPass
from ...render.resize import resize_texture
from ..settings import ResidualLightSettings


def without_residual_light(
    unlit: np.ndarray, below: np.ndarray, seen: np.ndarray, settings: ResidualLightSettings
) -> np.ndarray:
    """(T, T, 3) sRGB: the photo's albedo without what differs slowly from the layers below.

    unlit (T, T, 3) sRGB: photo over shading; below (T, T, 3) sRGB: coarse albedo and detail; seen
    (T, T) in [0, 1]. Ours: light multiplies, so it is looked for in the logarithm of their ratio.
    Its slow part, a Gaussian over seen skin that passes over hair and edges (weights of Geman &
    McClure 1987), is light that the fit missed: what skin has of it, the coarse albedo knows. Of
    the rest, what exceeds `limit` is the edge of a shadow or gloss, and is softened.
    """
    size = min(len(unlit), settings.size)
    weight = resize_texture(seen.astype(np.float32), size)
    known = (seen > 0.0).astype(np.float32)
    small = [_log(_means(each, known, size)) for each in (unlit, below)]
    ratio = small[0] - small[1]
    slow = np.zeros_like(ratio)
    for _ in range(settings.rounds):
        far = value(np.abs(ratio - slow)) / settings.robust
        trusted = np.ascontiguousarray(weight / (1.0 + far**2) ** 2)
        blur = LowPass(torch.from_numpy(trusted), settings.sigma * size)
        slow = blur(torch.from_numpy(ratio)).numpy()
    rest = ratio - slow
    light = slow + rest - settings.limit * np.tanh(rest / settings.limit)
    light = cv2.resize(light, unlit.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    cleared = picture_to_linear(np.clip(unlit, 0.0, 1.0)) * cv2.exp(-light)
    return picture_to_srgb(np.clip(cleared, 0.0, 1.0))


def _means(image: np.ndarray, known: np.ndarray, size: int) -> np.ndarray:
    """(size, size, 3): means of an image (T, T, 3) over what is known (T, T) of it: nothing was
    seen beside, and its zeros would pass for a shadow that is taken out as a bright rim."""
    share = 1.0 / np.maximum(resize_texture(known, size), np.float32(1e-6))
    told = cv2.multiply(image.astype(np.float32), cv2.merge([known, known, known]))
    return cv2.multiply(resize_texture(told, size), cv2.merge([share, share, share]))


def _log(image: np.ndarray) -> np.ndarray:
    return cv2.log(np.maximum(picture_to_linear(np.clip(image, 0.0, 1.0)), _DARKEST))


_DARKEST = np.float32(0.004)
"""Linear; below, a logarithm is noise of eight bits."""
