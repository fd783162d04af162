"""The slow, obvious twin of `rasterize.py`: loops and exact coverage, for tests."""

from fractions import Fraction

import numpy as np
import torch

from .rasterize import NEAR, Fragments


def rasterize_reference(
    pixels: torch.Tensor, depth: torch.Tensor, triangles: torch.Tensor, height: int, width: int
) -> Fragments:
    """As `rasterize.rasterize`, one pixel and one triangle at a time.

    Coverage is decided in rational numbers, so it has no rounding at all; weights and depth are
    double precision. Depth is rounded to single precision before it is compared, as the fast
    version does.
    """
    points = pixels.detach().double().numpy()
    z = depth.detach().double().numpy()
    triangle = np.full((height, width), -1, dtype=np.int32)
    nearest = np.full((height, width), np.inf, dtype=np.float32)
    weights = np.zeros((height, width, 3))
    for number, corners in enumerate(triangles.tolist()):
        xy, corner_z = points[corners], z[corners]
        if not (np.isfinite(xy).all() and np.isfinite(corner_z).all() and corner_z.min() > NEAR):
            continue
        exact = [(Fraction(x), Fraction(y)) for x, y in xy.tolist()]
        for row in _rows(xy[:, 1], height):
            for column in _rows(xy[:, 0], width):
                if not covers(exact, column, row):
                    continue
                share = _weights(xy, corner_z, column + 0.5, row + 0.5)
                at = np.float32(1.0 / (share[0] @ (1.0 / corner_z)))
                if at < nearest[row, column]:
                    nearest[row, column], triangle[row, column] = at, number
                    weights[row, column] = share[1]
    covered = torch.from_numpy(triangle.reshape(-1) >= 0).nonzero().squeeze(1)
    image, depths = torch.from_numpy(weights), torch.from_numpy(nearest).double()
    return Fragments(torch.from_numpy(triangle), image, depths, covered)


def _rows(values: np.ndarray, count: int) -> range:
    """Pixels of a row or column that a triangle may reach."""
    low, high = np.floor(values.min()) - 1, np.ceil(values.max()) + 1
    return range(int(np.clip(low, 0, count)), int(np.clip(high, 0, count)))


def covers(corners: list[tuple[Fraction, Fraction]], column: int, row: int) -> bool:
    """Whether a triangle owns a pixel, by moving its centre by (d, d*d), d infinitely small.

    corners: three (x, y). A centre is inside when it is on the same side of all three edges.
    """
    px, py = Fraction(2 * column + 1, 2), Fraction(2 * row + 1, 2)
    sides = []
    for i in range(3):
        (ax, ay), (bx, by) = corners[i], corners[(i + 1) % 3]
        terms = ((bx - ax) * (py - ay) - (by - ay) * (px - ax), ay - by, bx - ax)
        first = next((term for term in terms if term), Fraction(0))
        sides.append((first > 0) - (first < 0))
    return abs(sum(sides)) == 3


def _weights(xy: np.ndarray, z: np.ndarray, px: float, py: float) -> tuple[np.ndarray, np.ndarray]:
    """Weights in the image plane (affine) and on the triangle (perspective-correct)."""
    matrix = np.stack([xy[:, 0], xy[:, 1], np.ones(3)])
    affine = np.linalg.solve(matrix, np.array([px, py, 1.0]))
    surface = affine / z
    return affine, surface / surface.sum()
