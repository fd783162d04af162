"""Builds the default pack."""

import numpy as np

from .subdivide import Subdivision
from .topology import edge_table


def fine_mirror(step: Subdivision, quads: np.ndarray, mirror: np.ndarray) -> np.ndarray:
    """Mirror of the fine vertices (V,) i32 from the control quads' (F0, 4) and mirror (V0,)."""
    edges, _ = edge_table(quads)
    count = len(mirror)
    reflected = np.sort(mirror[edges], axis=1).astype(np.int64)
    edge_row = np.searchsorted(
        edges[:, 0].astype(np.int64) * count + edges[:, 1], reflected[:, 0] * count + reflected[:, 1]
    )
    face_key = {tuple(sorted(face)): row for row, face in enumerate(quads.tolist())}
    face_row = np.array([face_key[tuple(sorted(face))] for face in mirror[quads].tolist()])
    parts = [mirror, count + edge_row, count + len(edges) + face_row]
    return np.concatenate(parts).astype(np.int32)
