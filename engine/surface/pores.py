"""Pores and follicles: openings of true size, at random but never touching, deep as on skin."""

from dataclasses import dataclass

import cv2
import numpy as np

from ..skin.noise import Streams
from .metric import TexelMetric


@dataclass(frozen=True)
class Openings:
    """One kind of opening. name: of its random stream. count: per square metre where the density
    is 1. radius: metres, typical; spread: deviation of its logarithm. depth: metres, of a typical
    one. window: texels (across, down) in which there is one at most. reach: texels to each side
    that are drawn.
    """

    name: str
    count: float
    radius: float
    spread: float
    depth: float
    window: tuple[int, int]
    reach: int


_LEAST_RADIUS = 0.55
"""Texels. Narrower openings are drawn this wide and as much shallower, or they would alias."""
_ELONGATION = 0.35
"""Pores are longer along the tension lines (Japanese women's cheeks and foreheads: Mizukoshi et
al., J. Soc. Cosmet. Chem. Jpn.); the share is ours."""
_WALL = 1.5
"""Power of the profile exp(-q^1.5) over the squared distance q: a flat floor and steep walls."""


def opening_depth(
    kind: Openings, density: np.ndarray, angle: np.ndarray, metric: TexelMetric, streams: Streams
) -> np.ndarray:
    """(S, S) float32 depth in metres, at least 0, of all openings of one kind.

    density: (S, S) in [0, 1.5], of number and depth. angle: (S, S) radians, direction of tension.
    """
    row, column = _places(kind, density, metric, streams)
    draw = streams.get(kind.name, 1)
    radius = kind.radius * np.exp(draw.normal(0.0, kind.spread, len(row)))
    depth = kind.depth * draw.gamma(10.0, 0.1, len(row)) * np.sqrt(density[row, column])
    depth = depth * np.minimum(radius / kind.radius, 1.3)
    centre = draw.uniform(-0.5, 0.5, (2, len(row)))
    along, across, shear = (
        field[row, column] for field in (metric.along, metric.across, metric.shear)
    )
    long, wide = (
        np.maximum(radius * factor, _LEAST_RADIUS * np.sqrt(along * across))
        for factor in (1.0 + _ELONGATION, 1.0 / (1.0 + _ELONGATION))
    )
    depth = depth * np.minimum(1.0, radius * radius / (long * wide))
    cosine, sine = np.cos(angle[row, column]), np.sin(angle[row, column])
    steps = range(-kind.reach, kind.reach + 1)
    drawn, index = [], []
    for down in steps:
        for right in steps:
            step_u, step_v = right - centre[0], -(down - centre[1])
            x, y = step_u * along + step_v * shear, step_v * across
            q = ((x * cosine + y * sine) / long) ** 2 + ((y * cosine - x * sine) / wide) ** 2
            drawn.append(depth * np.exp(-(q**_WALL)))
            index.append((row + down) * density.shape[1] + column + right)
    total = np.bincount(np.concatenate(index), np.concatenate(drawn), density.size)
    return total.astype(np.float32).reshape(density.shape)


def _places(
    kind: Openings, density: np.ndarray, metric: TexelMetric, streams: Streams
) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the openings: the largest of each window of white noise, thinned.

    The largest within a window never lie closer than half of it, as a Poisson disc sampling, and
    there is one in as many texels as the window has.
    """
    draw = streams.get(kind.name)
    white = draw.random(density.shape, dtype=np.float32)
    across, down = kind.window
    largest = cv2.dilate(white, np.ones((down, across), np.uint8))
    expected = kind.count * metric.along * metric.across * density
    kept = draw.random(density.shape, dtype=np.float32) < expected * (across * down)
    found = (white >= largest) & kept
    found[: kind.reach] = found[-kind.reach :] = False
    found[:, : kind.reach] = found[:, -kind.reach :] = False
    return np.nonzero(found)
