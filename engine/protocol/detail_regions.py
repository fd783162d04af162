"""Where on the FFHQ-UV layout a detail slider works: four soft regions, and the beard.

Every head shares the layout, so a few figures serve all head packs. They are ours, measured by
eye on the public layout; only the subject's right half is listed, the layout is symmetric.
"""

from functools import lru_cache

import numpy as np

from .conventions import mirror_texels
from .detail import DETAIL_SIZE
from .resample import resample

REFERENCE_SIZE = 1024
"""Side of the map in which the figures are given: (column, row), row 0 on top."""

REGIONS = ("forehead", "eyes", "cheeks", "mouth_and_beard")
"""Regions with a strength of their own, in the order of `region_weights`."""

Point = tuple[float, float]
Capsule = tuple[Point, Point, float]
"""Two ends of a line and the radius around it."""

_SHAPES: dict[str, tuple[Capsule, ...]] = {
    "forehead": (((380, 208), (512, 208), 78),),
    "eyes": (((335, 378), (452, 378), 50), ((355, 318), (440, 318), 16)),
    "cheeks": (
        ((270, 470), (390, 470), 62),
        ((512, 360), (512, 470), 22),
        ((450, 480), (512, 490), 28),
    ),
    "mouth_and_beard": (
        ((440, 590), (512, 590), 58),
        ((440, 690), (512, 700), 60),
        ((226, 500), (244, 600), 22),
        ((244, 600), (330, 695), 34),
        ((330, 695), (512, 745), 48),
    ),
}
"""The nose counts as cheeks. The rest of the head belongs to the nearest region."""

_BEARD: tuple[Point, ...] = (
    (214, 415), (236, 430), (246, 500), (268, 560), (310, 598), (372, 604), (402, 588), (428, 553),
    (452, 533), (480, 526), (512, 529), (512, 805), (420, 792), (310, 752), (236, 690), (204, 610),
    (204, 520),
)  # fmt: skip
"""Where hair grows on a cheek, chin and upper lip, as the generated maps have it."""
_LIPS: tuple[Point, ...] = (
    (419, 593.5), (437, 580.5), (455, 568.5), (470, 561.5), (486, 557), (500, 558.5), (512, 562),
    (512, 628.5), (490, 626), (470, 620.5), (450, 611.5), (433, 602),
)  # fmt: skip

REGION_SOFTNESS = 14.0
"""Reference pixels (5 mm) in which one region's weight falls to 1/e beside another's. Ours: wider
than a wrinkle, so that no slider draws an edge, and narrower than a lid."""
BEARD_SOFTNESS = 6.0
LIP_SOFTNESS = 2.0
"""Reference pixels of the rims' S-curve. Ours: beards thin out over millimetres, lips end."""

_GRID = 256
"""Texels a side in which the smooth masks are drawn before they are enlarged."""


@lru_cache(maxsize=2)
def region_weights(size: int = DETAIL_SIZE) -> np.ndarray:
    """(4, size, size) float32 weights of `REGIONS`: in [0, 1], their sum is 1. Read-only."""
    distances = np.stack([_region_distance(_SHAPES[name]) for name in REGIONS])
    logits = (distances.min(0) - distances) / REGION_SOFTNESS
    weights = np.stack([resample(w, size) for w in np.exp(logits) / np.exp(logits).sum(0)])
    weights = np.clip(weights, 0.0, 1.0)
    return _frozen(weights / weights.sum(0))


@lru_cache(maxsize=2)
def beard_mask(size: int = DETAIL_SIZE) -> np.ndarray:
    """(size, size) float32 in [0, 1]: 1 where stubble can grow, 0 elsewhere. Read-only."""
    beard = _s_curve(-_polygon_distance(_BEARD), BEARD_SOFTNESS)
    lips = _s_curve(-_polygon_distance(_LIPS), LIP_SOFTNESS)
    mask = beard * (1.0 - lips)
    return _frozen(np.clip(resample(np.maximum(mask, mirror_texels(mask)), size), 0.0, 1.0))


def _frozen(array: np.ndarray) -> np.ndarray:
    array = np.ascontiguousarray(array, dtype=np.float32)
    array.flags.writeable = False
    return array


def _s_curve(distance: np.ndarray, softness: float) -> np.ndarray:
    """0 to 1 through 1/2 at distance 0 (logistic function)."""
    return 1.0 / (1.0 + np.exp(-np.clip(distance / softness, -40.0, 40.0)))


def _grid() -> np.ndarray:
    """(256, 256, 2) centres of the texels in reference pixels, (column, row)."""
    centres = (np.arange(_GRID) + 0.5) * (REFERENCE_SIZE / _GRID)
    return np.stack(np.meshgrid(centres, centres), -1)


def _to_line(points: np.ndarray, first: Point, last: Point) -> np.ndarray:
    """Distance of (..., 2) points to the line between two points."""
    start, along = np.array(first), np.subtract(last, first)
    share = np.clip((points - start) @ along / (along @ along), 0.0, 1.0)
    return np.linalg.norm(points - start - share[..., None] * along, axis=-1)


def _region_distance(capsules: tuple[Capsule, ...]) -> np.ndarray:
    """(256, 256) signed distance, negative inside, to the nearest capsule of both halves."""
    points = _grid()
    right = np.min([_to_line(points, a, b) - radius for a, b, radius in capsules], axis=0)
    return np.minimum(right, mirror_texels(right))


def _polygon_distance(polygon: tuple[Point, ...]) -> np.ndarray:
    """(256, 256) signed distance to a closed polygon's rim, negative inside.

    The mid-line is no rim: a half that ends there goes on in its mirror image. Inside: an odd
    number of edges to the right (Shimrat 1962).
    """
    points, middle = _grid(), REFERENCE_SIZE / 2
    edges = list(zip(polygon, (*polygon[1:], polygon[0]), strict=True))
    rim = [edge for edge in edges if not edge[0][0] == edge[1][0] == middle]
    distance = np.min([_to_line(points, *edge) for edge in rim], axis=0)
    x, y = points[..., 0], points[..., 1]
    inside = np.zeros(x.shape, dtype=bool)
    for (x0, y0), (x1, y1) in edges:
        if y0 != y1:
            crossing = x0 + (y - y0) / (y1 - y0) * (x1 - x0)
            inside ^= ((y0 > y) != (y1 > y)) & (x < crossing)
    return np.where(inside, -distance, distance)
