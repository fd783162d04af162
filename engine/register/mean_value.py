"""Mean value weights of a triangle mesh."""

import numpy as np
import scipy.sparse as sparse


def mean_value_weights(triangles: np.ndarray, points: np.ndarray) -> sparse.csr_matrix:
    """(n, n) weights of each point's neighbours (Floater 2003, eq. 2.1), all positive.

    triangles (T, 3) over points (n, 3); those without area must be left out.
    """
    rows, columns, values = [], [], []
    for k in range(3):
        i, j, m = triangles[:, k], triangles[:, (k + 1) % 3], triangles[:, (k + 2) % 3]
        a, b = points[j] - points[i], points[m] - points[i]
        length_a, length_b = np.linalg.norm(a, axis=1), np.linalg.norm(b, axis=1)
        cosine = (a * b).sum(axis=1) / np.maximum(length_a * length_b, 1e-30)
        half = np.tan(0.5 * np.minimum(np.arccos(np.clip(cosine, -1.0, 1.0)), 3.0))
        rows += [i, i]
        columns += [j, m]
        values += [half / np.maximum(length_a, 1e-9), half / np.maximum(length_b, 1e-9)]
    entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    return sparse.csr_matrix(entries, shape=(len(points),) * 2)
