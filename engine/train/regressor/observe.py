"""What the fixed nets of a pack see in a photo: the input of the regressor."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ...nets.bundle import Nets
from ...nets.crop import SquareCrop
from ...nets.face_mesh import (
    CROP_SCALE,
    INPUT,
    LEFT_EYE_OUTER,
    RIGHT_EYE_OUTER,
    crop_from_points,
)
from ...nets.regressor import Points, embeddings, look
from .picture import SyntheticPhoto

JITTER = 0.06
"""Deviation of the first crop's centre over its side, and of the log of its side: a detector's."""
ROLL = 0.10
"""Radians, of the first crop."""


@dataclass(frozen=True, eq=False)
class Observed:
    """seen: by the landmark net in the crop. embedding (128,). truth (468, 3):
    the head's landmarks in pixels of the crop, depth in the same scale with the mean of the
    observed depth. level (3, 3): camera to the levelled crop. zoom: pixels of the crop per pixel
    of the photo."""

    seen: Points
    embedding: np.ndarray
    truth: np.ndarray
    level: np.ndarray
    zoom: float


def observe_photos(
    nets: Nets, photos: Sequence[SyntheticPhoto], weight: np.ndarray, seeds: Sequence[int]
) -> list[Observed]:
    """Landmarks as the fit gets them: a first crop from a rough box, a second from the landmarks.

    weight (468,): trust in the landmarks of the head. seeds: of the rough boxes.
    """
    images = [photo.image for photo in photos]
    crops = [_rough_crop(photo, seed) for photo, seed in zip(photos, seeds, strict=True)]
    first = look(nets.landmarks, images, crops)
    crops = [
        crop_from_points(_in_photo(crop, seen.points))
        for crop, seen in zip(crops, first, strict=True)
    ]
    second = look(nets.landmarks, images, crops)
    points = [_in_photo(crop, seen.points) for crop, seen in zip(crops, second, strict=True)]
    told = embeddings(nets.identity, images, points)
    rows = zip(photos, crops, second, told, strict=True)
    return [
        _observed(photo, crop, seen, embedding, weight) for photo, crop, seen, embedding in rows
    ]


def _in_photo(crop: SquareCrop, points: np.ndarray) -> np.ndarray:
    """(468, 3) points of a crop in pixels of the photo."""
    return np.column_stack([crop.to_photo(points[:, :2]), points[:, 2] * crop.side / INPUT])


def _rough_crop(photo: SyntheticPhoto, seed: int) -> SquareCrop:
    rng = np.random.default_rng(seed)
    pixels, _ = photo.view.project(photo.points)
    low, high = pixels.min(0), pixels.max(0)
    side = CROP_SCALE * float((high - low).max()) * float(np.exp(rng.normal(0.0, JITTER)))
    centre = (low + high) / 2.0 + rng.normal(0.0, JITTER, 2) * side / CROP_SCALE
    across = pixels[LEFT_EYE_OUTER] - pixels[RIGHT_EYE_OUTER]
    angle = float(np.arctan2(across[1], across[0]) + rng.normal(0.0, ROLL))
    return SquareCrop(*centre, side, angle, INPUT)


def _observed(
    photo: SyntheticPhoto, crop: SquareCrop, seen: Points, embedding: np.ndarray, weight: np.ndarray
) -> Observed:
    cosine, sine = np.cos(crop.angle), np.sin(crop.angle)
    level = np.array([[cosine, sine, 0.0], [-sine, cosine, 0.0], [0.0, 0.0, 1.0]])
    truth = in_crop(photo, crop, seen.points, weight)
    return Observed(seen, embedding, truth, level, INPUT / crop.side)


def in_crop(
    photo: SyntheticPhoto, crop: SquareCrop, points: np.ndarray, weight: np.ndarray
) -> np.ndarray:
    """(468, 3) true landmarks in the crop; points: observed there."""
    pixels, depth = photo.view.project(photo.points)
    matrix = crop.matrix()
    inside = np.linalg.solve(matrix[:, :2], (pixels - matrix[:, 2]).T).T
    share = weight / weight.sum()
    scale = photo.view.scale * INPUT / crop.side
    relative = (depth - share @ depth) * scale + share @ points[:, 2]
    return np.column_stack([inside, relative])


def threads_off() -> None:
    """One thread: there is a process for each core."""
    torch.set_num_threads(1)
