"""Textures resampled to another size."""

import cv2
import numpy as np


def resize_texture(texture: np.ndarray, size: int) -> np.ndarray:
    """A texture (S, S, ...) resampled smoothly to (size, size, ...), larger or smaller."""
    if len(texture) == size:
        return texture
    method = cv2.INTER_AREA if size < len(texture) else cv2.INTER_CUBIC
    return cv2.resize(texture, (size, size), interpolation=method)
