"""Height map -> tangent-space normal map, with slopes in metres per metre."""

import numpy as np

from ..protocol.relief import bent_normals
from .metric import TexelMetric


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

    height: (S, S) metres. Slopes bend softly towards `relief.STEEPEST`.
    """
    return bent_normals(*slopes(height, metric))
