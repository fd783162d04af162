"""Small meshes for tests of registration and calibration."""

import numpy as np


def grid_quads(rows: int, columns: int) -> np.ndarray:
    """Quads of a grid of rows x columns vertices, counter-clockwise seen from +z."""
    index = np.arange(rows * columns).reshape(rows, columns)
    corners = index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]
    return np.stack([corner.ravel() for corner in corners], axis=1)


def dome(rows: int = 25, columns: int = 25, bumps: float = 0.02) -> tuple[np.ndarray, np.ndarray]:
    """A bumpy open dome about 0.2 units wide: vertices (V, 3) and quads."""
    y, x = np.meshgrid(np.linspace(-0.1, 0.1, rows), np.linspace(-0.1, 0.1, columns), indexing="ij")
    z = 0.1 - 4.0 * (x**2 + 0.7 * y**2)
    z = z + bumps * np.exp(-((x - 0.03) ** 2 + (y - 0.02) ** 2) / 0.0008)
    z = z - 0.5 * bumps * np.exp(-((x + 0.04) ** 2 + (y + 0.03) ** 2) / 0.0008)
    return np.stack([x, y, z], axis=-1).reshape(-1, 3), grid_quads(rows, columns)
