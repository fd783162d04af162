"""Which texels of a skin map are measured, and the simple stand-ins the model must beat."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ..protocol.detail import DETAIL_SIZE
from ..protocol.errors import EngineError, ErrorCode
from ..skin.layout import MAX_SIZE, region_masks
from ..train.maps import SkinMap, read_map
from .image_metrics import surroundings

INSIDE = 0.5
"""Masks and coverage count from here on."""
LEAST_FACE = 0.5
"""Share of the face that a map must cover. Ours: with less its figures say little."""
DCT_TERMS = 100
"""As many numbers per channel as the model has by default."""
AREAS = ("map", "face", "box")


@dataclass(frozen=True, eq=False)
class MeasuredMap:
    """A map at one size with the texels that count.

    image (S, S, 3) float32 sRGB in [0, 1]. areas: name -> (S, S) bool: "map" (valid and covered),
    "face" (the part of it in the face), "box" (the part of it in the box round the face).
    """

    image: np.ndarray
    areas: Mapping[str, np.ndarray]


def measured_map(skin: SkinMap, valid: np.ndarray) -> MeasuredMap:
    """The areas of a map. valid: (S, S) bool, the texels of the model at the map's size.

    Raises EngineError(BAD_INPUT) when less than half of the face is covered.
    """
    masks = region_masks(len(valid))
    layout, face = masks["valid"] > INSIDE, masks["face"] > INSIDE
    texels = valid & layout & (skin.coverage > INSIDE)
    if (texels & face).sum() < LEAST_FACE * face.sum():
        raise EngineError(
            ErrorCode.BAD_INPUT,
            "The map covers less than half of the face.",
            "Is it in the FFHQ-UV layout?",
        )
    box = np.zeros_like(face)
    box[surroundings(face)] = True
    return MeasuredMap(skin.unit(), {"map": texels, "face": texels & face, "box": texels & box})


def read_measured(path: Path, valid: np.ndarray, size: int | None) -> MeasuredMap:
    """A map reduced to (size, size) by area, with its areas.

    valid: (H, W) bool of the albedo model. size: None for the map's own, at most 2048. Raises
    EngineError(BAD_INPUT), also for a map smaller than `size`.
    """
    skin = read_map(path, size)
    if len(skin.image) > MAX_SIZE:
        skin = read_map(path, MAX_SIZE)
    return measured_map(skin, resample_mask(valid, len(skin.image)))


def read_fine(path: Path, valid: np.ndarray) -> MeasuredMap:
    """A map at the size of detail maps, a smaller one at its own; see `read_measured`."""
    full = read_measured(path, valid, None)
    return full if len(full.image) <= DETAIL_SIZE else read_measured(path, valid, DETAIL_SIZE)


def resample_valid(image: np.ndarray, valid: np.ndarray, size: int) -> np.ndarray:
    """A coarse map resampled to (size, size, 3) as in the fit: bicubic, or by area when smaller.

    Texels that are not valid first get the mean of their valid neighbours, so that what is
    outside has no part in the result. image (H, W, 3) float32, valid (H, W) bool.
    """
    if len(image) == size:
        return image
    weight = valid.astype(np.float32)
    total = cv2.blur(image * weight[..., None], (5, 5))
    share = cv2.blur(weight, (5, 5))
    near = total / np.maximum(share, 1e-6)[..., None]
    filled = np.where(valid[..., None], image, near)
    method = cv2.INTER_AREA if size < len(image) else cv2.INTER_CUBIC
    return cv2.resize(filled, (size, size), interpolation=method)


def resample_mask(valid: np.ndarray, size: int) -> np.ndarray:
    """A (H, W) bool mask at (size, size): the nearest texel's."""
    return cv2.resize(valid.astype(np.uint8), (size, size), interpolation=cv2.INTER_NEAREST) > 0


def flat_colour(image: np.ndarray, texels: np.ndarray) -> np.ndarray:
    """(H, W, 3): everywhere the mean colour of the chosen texels."""
    return np.broadcast_to(image[texels].mean(axis=0), image.shape)


def lowest_dct(image: np.ndarray, texels: np.ndarray, terms: int = DCT_TERMS) -> np.ndarray:
    """(H, W, 3): the lowest `terms` DCT terms a channel of the box round the chosen texels.

    Lowest by (row frequency / height)^2 + (column frequency / width)^2. Texels of the box that are
    not chosen count as the mean colour; outside the box the result is that colour too.
    """
    result = flat_colour(image, texels).copy()
    rows, columns = surroundings(texels)
    inside = texels[rows, columns][..., None]
    part = np.where(inside, image[rows, columns], result[rows, columns])
    vertical, across = _dct_matrix(part.shape[0]), _dct_matrix(part.shape[1])
    height, width = (np.arange(n) / n for n in part.shape[:2])
    frequency = height[:, None] ** 2 + width[None, :] ** 2
    kept = np.zeros(frequency.size, bool)
    kept[np.argsort(frequency, axis=None, kind="stable")[:terms]] = True
    kept = kept.reshape(frequency.shape)
    for channel in range(part.shape[2]):
        spectrum = np.where(kept, vertical @ part[..., channel] @ across.T, 0.0)
        result[rows, columns, channel] = vertical.T @ spectrum @ across
    return result


def _dct_matrix(count: int) -> np.ndarray:
    """(n, n) orthonormal DCT-II (Ahmed, Natarajan & Rao 1974); row k is frequency k."""
    k, x = np.arange(count)[:, None], np.arange(count)[None, :]
    matrix = np.cos(np.pi * (2 * x + 1) * k / (2 * count)) * np.sqrt(2.0 / count)
    matrix[0] /= np.sqrt(2.0)
    return matrix
