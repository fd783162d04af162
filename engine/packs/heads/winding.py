"""Which way the faces of a mesh are wound."""

import numpy as np


def wound_outwards(mean: np.ndarray, faces: np.ndarray) -> bool:
    """Whether faces (F, 4) of vertices (V, 3) are counter-clockwise from outside, as a whole.

    Then the volume that they close round the middle comes out positive (divergence theorem, the
    cross product of the diagonals as twice a face's area); small holes hardly count.
    """
    corners = (mean.astype(np.float64) - mean.mean(axis=0, dtype=np.float64))[faces]
    diagonals = corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1]
    return bool((np.cross(*diagonals) * corners.mean(axis=1)).sum() > 0.0)
