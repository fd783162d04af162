"""Faces of four corners, some of which are triangles."""

import numpy as np


def is_triangle(quads: np.ndarray) -> np.ndarray:
    """(F,) bool: faces (F, 4) that repeat their last corner, which is how a triangle is kept."""
    return quads[:, 2] == quads[:, 3]


def doubled_corners(quads: np.ndarray) -> np.ndarray:
    """(F,) bool: faces (F, 4) that repeat another corner than a triangle does."""
    ordered = np.sort(quads, axis=1)
    doubled = (ordered[:, 1:] == ordered[:, :-1]).sum(axis=1)
    return doubled != is_triangle(quads)
