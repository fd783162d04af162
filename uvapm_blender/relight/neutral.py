"""An even, white studio: shape is seen, no colour is added."""

import math

import numpy as np

from ...engine.protocol.conventions import equirectangular_directions

FILL = 0.45
"""Radiance from everywhere, before scaling."""
BOXES = (
    ((-0.62, -0.68, 0.40), 0.42, 7.0),
    ((0.80, -0.55, 0.10), 0.50, 2.2),
    ((0.35, 0.85, 0.45), 0.30, 4.5),
)
"""Soft boxes: direction (Blender axes; the face looks along -y), half angle in radians, radiance
over the fill. Key from the viewer's left above the eyes, fill opposite, a rim from behind: the
portrait set-up of photographers. Sizes and ratios by eye."""
SOFTNESS = 0.06
"""Radians over which a box fades out."""
FRONT = (0.0, -1.0, 0.0)


def neutral_studio(height: int) -> np.ndarray:
    """Environment map (height, 2 height, 3) f32, linear grey, in Blender's layout.

    Scaled so that a white matt wall facing forwards shows 1: skin there shows its albedo.
    """
    directions = equirectangular_directions(height)
    light = np.full(directions.shape[:2], FILL)
    for towards, half, radiance in BOXES:
        axis = np.asarray(towards) / np.linalg.norm(towards)
        angle = np.arccos(np.clip(directions @ axis, -1.0, 1.0))
        light += radiance / (1.0 + np.exp((angle - half) / (SOFTNESS / 4.0)))
    light /= facing_shade(light, directions, FRONT)
    return np.repeat(light[..., None], 3, axis=-1).astype(np.float32)


def facing_shade(
    light: np.ndarray, directions: np.ndarray, normal: tuple[float, float, float]
) -> float:
    """Brightness of a white matt wall with `normal`: the integral of radiance times cosine over
    pi (Lambert). light (H, 2 H); directions (H, 2 H, 3), equirectangular."""
    height = light.shape[0]
    elevation = (np.arange(height) + 0.5) / height * math.pi - math.pi / 2.0
    area = np.cos(elevation)[:, None] * (math.pi / height) ** 2  # of a pixel on the sphere
    return float((light * area * np.maximum(directions @ np.asarray(normal), 0.0)).sum() / math.pi)
