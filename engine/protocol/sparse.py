"""Sparse operators with numpy alone: Blender's Python has no scipy."""

import numpy as np

BLOCK_ROWS = 512
"""Rows of the subdivision operator at a time; keeps the temporaries in the cache."""


def apply_operator(
    rows: np.ndarray, columns: np.ndarray, values: np.ndarray, dense: np.ndarray, count: int
) -> np.ndarray:
    """Sparse (count, V0) operator, entries sorted by row, times dense (V0, C): (count, C) f32.

    Rows of equal length are done together, so that the work is plain gathers and sums.
    """
    start = np.searchsorted(rows, np.arange(count + 1))
    length = np.diff(start)
    out = np.zeros((count, dense.shape[1]), dtype=np.float32)
    for entries in np.unique(length[length > 0]):
        alike = np.flatnonzero(length == entries)
        for first in range(0, len(alike), BLOCK_ROWS):
            block = alike[first : first + BLOCK_ROWS]
            total = np.zeros((len(block), dense.shape[1]), dtype=np.float32)
            for k in range(entries):
                entry = start[block] + k
                total += values[entry, None] * dense[columns[entry]]
            out[block] = total
    return out
