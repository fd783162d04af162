"""Height map -> tangent-space normal map, with slopes in metres per metre."""

import numpy as np

from .metric import TexelMetric

STEEPEST = 1.2
"""Largest slope, 50 degrees. Ours: steeper walls of a pore show as black dots in a raster render
and cannot be told from it in skin."""


def slopes(height: np.ndarray, metric: TexelMetric) -> tuple[np.ndarray, np.ndarray]:
    """Slope of a height map along the tangent and the bitangent, each (S, S) float32.

    height: (S, S) metres above the smooth surface, row 0 on top. With h_u, h_v the steps of the
    height a texel: tangent h_u / along; bitangent (h_v - shear * tangent slope) / across, so that a
    layout that shears does not tilt the map.
    """
    padded = np.pad(height, 1, mode="edge")
    step_u = (padded[1:-1, 2:] - padded[1:-1, :-2]) * np.float32(0.5)
    step_v = (padded[:-2, 1:-1] - padded[2:, 1:-1]) * np.float32(0.5)
    tangent = step_u / metric.along
    return tangent, (step_v - metric.shear * tangent) / metric.across


def tangent_normals(height: np.ndarray, metric: TexelMetric) -> np.ndarray:
    """(S, S, 3) float32 unit normals in tangent space (conventions: +y is up in the map).

    height: (S, S) metres. The normal of a height field z = h(x, y) is (-h_x, -h_y, 1), normalised.
    Slopes bend softly towards STEEPEST.
    """
    x, y = slopes(height, metric)
    factor = 1.0 / np.sqrt(1.0 + (x * x + y * y) / np.float32(STEEPEST**2))
    normal = np.empty((*height.shape, 3), np.float32)
    normal[..., 0] = -x * factor
    normal[..., 1] = -y * factor
    normal[..., 2] = 1.0
    normal /= np.sqrt((normal * normal).sum(-1, keepdims=True))
    return normal
