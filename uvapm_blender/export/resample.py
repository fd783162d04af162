"""Pictures of another size, in numpy."""

import numpy as np

from ...engine.protocol.conventions import (
    linear_to_srgb,
    signed_to_unit,
    srgb_to_linear,
    unit_to_signed,
)

FLAT_NORMAL = (0.0, 0.0, 1.0)


def resized(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """(H, W, C) f32 to (height, width, C): mean of the covered area, or linear between texels.

    Texels are areas, their centres at (i + 1/2) / H, so that nothing shifts in UV space.
    """
    return _along(_along(image, height, 0), width, 1)


def _along(image: np.ndarray, size: int, axis: int) -> np.ndarray:
    old = image.shape[axis]
    if size == old:
        return image
    image = np.moveaxis(image, axis, 0)
    if size > old:
        places = np.clip((np.arange(size) + 0.5) * old / size - 0.5, 0.0, old - 1.0)
        below = np.minimum(places.astype(int), old - 2) if old > 1 else np.zeros(size, int)
        share = (places - below).reshape((-1,) + (1,) * (image.ndim - 1)).astype(np.float32)
        above = np.minimum(below + 1, old - 1)
        made = image[below] * (1.0 - share) + image[above] * share
    elif old % size == 0:
        made = image.reshape(size, old // size, *image.shape[1:]).mean(axis=1)
    else:
        sums = np.concatenate([np.zeros_like(image[:1]), np.cumsum(image, 0, np.float64)])
        ends = np.arange(size + 1) * old / size
        below = np.minimum(ends.astype(int), old - 1)
        share = (ends - below).reshape((-1,) + (1,) * (image.ndim - 1))
        sums = sums[below] * (1.0 - share) + sums[below + 1] * share
        made = np.diff(sums, axis=0) * (size / old)
    return np.moveaxis(made, 0, axis).astype(np.float32)


def resized_colour(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """sRGB picture (H, W, 3 or 4), averaged as light; colours count by their alpha."""
    if image.shape[:2] == (height, width):
        return image
    alpha = image[..., 3:]
    light = srgb_to_linear(image[..., :3])
    if not alpha.size or float(alpha.min()) >= 1.0:
        small = resized(light, height, width)
        return np.dstack([linear_to_srgb(small), resized(alpha, height, width)])
    cover = resized(alpha, height, width)
    small = resized(light * alpha, height, width) / np.maximum(cover, 1e-6)
    small = np.where(cover > 1e-6, small, resized(light, height, width))
    return np.dstack([linear_to_srgb(small), cover]).astype(np.float32)


def resized_normals(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Stored normal map (H, W, 3), averaged as vectors, which stay of length 1."""
    if image.shape[:2] == (height, width):
        return image
    return signed_to_unit(_unit(resized(unit_to_signed(image), height, width)))


def with_relief(image: np.ndarray, strength: float) -> np.ndarray:
    """Stored normal map (H, W, 3) as Blender's Normal Map node shows it at a strength.

    n' = normalise(z + strength (n - z)), z the smooth surface's normal (Cycles'
    svm_node_normal_map).
    """
    if strength == 1.0:
        return image
    flat = np.array(FLAT_NORMAL, np.float32)
    normal = flat + np.float32(max(strength, 0.0)) * (unit_to_signed(image) - flat)
    return signed_to_unit(_unit(normal))


def turned_green(image: np.ndarray) -> np.ndarray:
    """Stored normal map (H, W, 3) with +y downwards, as DirectX has it, or back."""
    return signed_to_unit(unit_to_signed(image) * np.array([1.0, -1.0, 1.0], np.float32))


def _unit(vectors: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.maximum(length, 1e-6)
