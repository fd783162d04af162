"""Cut squares out of a photo for the networks, and carry points back.

All coordinates are continuous: the centre of the first pixel is (0.5, 0.5).
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from ..protocol.errors import EngineError, ErrorCode

SMOOTH_ABOVE = 1.5  # ours: from here on bilinear sampling alone would alias visibly


@dataclass(frozen=True)
class SquareCrop:
    """A square in a photo that is resampled to `size` x `size` pixels.

    center_x, center_y, side: photo pixels. angle: radians, direction of the crop's x axis in the
    photo, clockwise as seen (photo y points down).
    """

    center_x: float
    center_y: float
    side: float
    angle: float
    size: int

    def matrix(self) -> np.ndarray:
        """(2, 3) float64 map from crop coordinates to photo coordinates."""
        scale = self.side / self.size
        cosine, sine = scale * math.cos(self.angle), scale * math.sin(self.angle)
        linear = np.array([[cosine, -sine], [sine, cosine]])
        center = np.array([self.center_x, self.center_y])
        return np.column_stack([linear, center - linear @ np.full(2, self.size / 2)])

    def to_photo(self, points: np.ndarray) -> np.ndarray:
        """(..., 2) crop coordinates to photo coordinates."""
        matrix = self.matrix()
        return points @ matrix[:, :2].T + matrix[:, 2]


def check_photo(photo: np.ndarray) -> None:
    """Raise EngineError BAD_INPUT unless photo is (H, W, 3) float32, at least 16 pixels a side."""
    if (
        photo.ndim != 3
        or photo.shape[2] != 3
        or photo.dtype != np.float32
        or min(photo.shape[:2]) < 16
    ):
        raise EngineError(
            ErrorCode.BAD_INPUT,
            "Expected a picture of shape (height, width, 3) in float32, at least 16 pixels a side; "
            f"got {photo.shape} in {photo.dtype}.",
            "Load the photo with the engine's own loader.",
        )


def resample(
    photo: np.ndarray, matrix: np.ndarray, size: int, carry_rim: bool = False
) -> np.ndarray:
    """Sample a square through an affine map, smoothed first where it shrinks.

    photo: (H, W) or (H, W, C) float32; matrix: (2, 3) crop -> photo, both continuous;
    size: pixels a side; carry_rim: outside the photo its rim is carried on instead of 0.
    Returns (size, size[, C]).
    """
    scale = math.sqrt(abs(np.linalg.det(matrix[:, :2])))
    corners = np.array([[0, 0], [size, 0], [0, size], [size, size]], dtype=np.float64)
    corners = corners @ matrix[:, :2].T + matrix[:, 2]
    margin = 2 * math.ceil(scale) + 2
    height, width = photo.shape[:2]
    low = np.clip(np.floor(corners.min(0)) - margin, 0, [width, height]).astype(int)
    high = np.clip(np.ceil(corners.max(0)) + margin, 0, [width, height]).astype(int)
    if (high <= low).any():
        return np.zeros((size, size, *photo.shape[2:]), np.float32)
    part = photo[low[1] : high[1], low[0] : high[0]]
    factor = np.ones(2)
    if scale > SMOOTH_ABOVE:
        extent = np.maximum(1, np.rint((high - low) / scale)).astype(int)
        part = cv2.resize(part, extent.tolist(), interpolation=cv2.INTER_AREA)
        factor = extent / (high - low)
    to_part = np.column_stack([factor[:, None] * matrix[:, :2], factor * (matrix[:, 2] - low)])
    return _warp(part, to_part, size, carry_rim)


def _warp(image: np.ndarray, matrix: np.ndarray, size: int, carry_rim: bool) -> np.ndarray:
    """cv2.warpAffine with continuous coordinates (OpenCV counts from pixel centres)."""
    by_index = matrix.copy()
    by_index[:, 2] += matrix[:, :2] @ np.full(2, 0.5) - 0.5
    return cv2.warpAffine(
        image,
        by_index,
        (size, size),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE if carry_rim else cv2.BORDER_CONSTANT,
    )


def cut(photo: np.ndarray, crop: SquareCrop, carry_rim: bool = False) -> np.ndarray:
    """The crop's pixels, (size, size, 3) float32; see `resample`."""
    return resample(photo, crop.matrix(), crop.size, carry_rim)


def to_batch(images: list[np.ndarray]) -> Tensor:
    """HxWx3 float32 pictures of one size to a (N, 3, H, W) tensor in channels-last memory.

    Channels last: about twice as fast for depthwise convolutions on a CPU.
    """
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)
