"""The photo without its light, and how far each of its texels can be trusted."""

import cv2
import numpy as np

from ...head.numerics import smoothstep
from ...head.transfer import picture_to_srgb
from ...protocol.conventions import sh_basis
from ..seen.texels import TexelObservation
from ..settings import AlbedoSettings, SeenSettings
from .skin_samples import texel_trust


def unlit_colour(
    observation: TexelObservation, light: np.ndarray, settings: AlbedoSettings
) -> np.ndarray:
    """(S, S, 3) sRGB in [0, 1]: the photo's colour over the shading of light (9, 3).

    0 where nothing was seen.
    """
    at = np.flatnonzero(observation.visible)
    normals = observation.normal.reshape(-1, 3)[at].astype(np.float32, copy=False)
    shading = np.maximum(sh_basis(normals) @ light.astype(np.float32), settings.least_shading)
    unlit = np.zeros(observation.colour.shape, np.float32)
    colour = observation.colour.reshape(-1, 3)[at]
    unlit.reshape(-1, 3)[at] = picture_to_srgb(np.clip(colour / shading, 0.0, 1.0))
    return unlit


def closed_skin(skin: np.ndarray, closable: np.ndarray, settings: SeenSettings) -> np.ndarray:
    """`AlbedoFit.skin` (S, S) with gaps up to `closing` wide closed where closable (S, S) is 1.

    What is small or thin and dark is a mole, a fold or a brow, and belongs to the skin.
    """
    width = round(settings.closing * len(skin)) // 2 * 2 + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    closed = cv2.morphologyEx(skin.astype(np.float32), cv2.MORPH_CLOSE, disc)
    return skin + closable * (closed - skin)


def seen_texels(
    observation: TexelObservation,
    mask: np.ndarray,
    skin: np.ndarray,
    albedo_settings: AlbedoSettings,
    settings: SeenSettings,
) -> np.ndarray:
    """(S, S) float32 in [0, 1]: seen, facing the camera, on the person, and skin.

    mask (S, S) in [0, 1]: which texels may count; skin: `closed_skin`, of any size.
    """
    size = observation.facing.shape[1::-1]
    skin = cv2.resize(skin, size, interpolation=cv2.INTER_CUBIC)
    seen = texel_trust(observation, mask, albedo_settings) * smoothstep(skin, 0.05, 0.4)
    seen = seen * smoothstep(observation.facing, settings.least_facing, settings.sure_facing)
    return seen.astype(np.float32)


_DISC_RADIUS = 6
"""Pixels. A wider disc is used on a smaller picture: erosion is slow, and its rim is soft."""


def inner_person(person: np.ndarray, face: np.ndarray, settings: SeenSettings) -> np.ndarray:
    """(h, w) float32 in [0, 1]: the person without a rim of `SeenSettings.rim`.

    person, face (h, w) in [0, 1]: the person's pixels, and those of the face's skin.
    """
    radius = max(1.0, settings.rim * float(face.sum()) ** 0.5)
    size, coarser = person.shape[1::-1], max(1, round(radius / _DISC_RADIUS))
    small = tuple(max(1, round(side / coarser)) for side in size)
    reach = max(1, round(radius / coarser))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    inner = cv2.resize(person.astype(np.float32), small, interpolation=cv2.INTER_AREA)
    inner = cv2.GaussianBlur(cv2.erode(inner, disc), (0, 0), reach / 2.0)
    return np.minimum(cv2.resize(inner, size, interpolation=cv2.INTER_LINEAR), person)
