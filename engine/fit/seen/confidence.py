"""How far each texel of the albedo can be believed, for people and for painting over it."""

import cv2
import numpy as np
import torch

from ...head.camera import Camera, project
from ...protocol.conventions import mirror_texels
from ...render.resize import resize_texture
from ..settings import ConfidenceSettings

_CENTRAL, _ITSELF = np.float32([-0.5, 0.0, 0.5]), np.float32([1.0])
"""Kernels of a central difference."""


def photo_density(position: np.ndarray, valid: np.ndarray, camera: Camera, size: int) -> np.ndarray:
    """(S, S) float32: pixels of the photo across a texel of a map of `size` a side.

    position (S, S, 3) metres, model space; valid (S, S) bool; camera: of the picture whose pixels
    count. The root of the area that a texel's neighbours span in the picture (determinant of the
    Jacobian), so grazing texels have few. 0 at the rims of the layout.
    """
    points = torch.from_numpy(np.ascontiguousarray(position, dtype=np.float32))
    pixels = project(points, camera)[0].numpy()
    across = cv2.sepFilter2D(pixels, cv2.CV_32F, _CENTRAL, _ITSELF, borderType=cv2.BORDER_REPLICATE)
    down = cv2.sepFilter2D(pixels, cv2.CV_32F, _ITSELF, _CENTRAL, borderType=cv2.BORDER_REPLICATE)
    area = np.abs(across[..., 0] * down[..., 1] - across[..., 1] * down[..., 0])
    inside = cv2.erode(valid.astype(np.uint8), np.ones((3, 3), np.uint8))
    return (np.sqrt(area) * inside * (len(position) / size)).astype(np.float32)


def confidence_map(
    seen: np.ndarray, density: np.ndarray, valid: np.ndarray, settings: ConfidenceSettings
) -> np.ndarray:
    """(T, T) float32 in [0, 1]: 1 where the photo shows a texel sharply, 0 where the model guesses.

    seen (T, T) in [0, 1]: trust in what the photo shows; density (S, S): see `photo_density`;
    valid (T, T) bool. A texel whose mirror image was seen takes a share of its confidence:
    faces are nearly, not quite, symmetric in tone.
    """
    sharp = np.clip(resize_texture(density, len(seen)) / settings.sharp_density, 0.0, 1.0)
    own = seen.astype(np.float32) * sharp
    return np.maximum(own, settings.mirrored * mirror_texels(own)) * valid
