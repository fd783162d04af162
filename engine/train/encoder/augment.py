"""Variations of skin maps: exposure, mirror, holes."""

import numpy as np

from ...protocol.albedo import CHANNELS
from ...protocol.conventions import (
    BYTE_MAX,
    bytes_to_unit,
    linear_to_srgb,
    mirror_texels,
    srgb_to_linear,
)
from .settings import AugmentSettings

MOST_SPOTS = 4
_SPOT_RADII = (0.03, 0.2)
_SIDE_EDGE = (0.3, 0.6)
_SIDE_LEAN = 0.4
"""Ours, in sides of the map: radii of spots; where the seen side ends, and by how much that edge
may shift from top to bottom. On the map's middle line (u = 0.5) lies the nose."""


def exposure_tables(random: np.random.Generator, settings: AugmentSettings) -> np.ndarray:
    """(3, 256) float32: sRGB value of each byte per channel under a random exposure and tint.

    A gain of 2^stops on linear light, clipped at 1. The maps are bytes, so a table is exact.
    """
    stops = settings.exposure * random.standard_normal()
    stops = stops + settings.tint * random.standard_normal((CHANNELS, 1))
    levels = bytes_to_unit(np.arange(BYTE_MAX + 1, dtype=np.uint8))
    light = np.clip(srgb_to_linear(levels) * 2.0**stops, 0.0, 1.0)
    return linear_to_srgb(light).astype(np.float32)


def mirror_index(valid: np.ndarray) -> np.ndarray | None:
    """(N,) for each valid texel the number of its mirror image among the valid ones.

    None when the valid texels (H, W) bool are not symmetric.
    """
    numbers = np.full(valid.shape, -1, np.int64)
    numbers[valid] = np.arange(int(valid.sum()))
    mirrored = mirror_texels(numbers)[valid]
    return None if np.any(mirrored < 0) else mirrored


def draw_coverage(size: int, random: np.random.Generator) -> np.ndarray:
    """(size, size) bool: False in random holes, as in a map unwrapped from one photo.

    One side is missing, or up to four spots, or both.
    """
    steps = (np.arange(size, dtype=np.float32) + 0.5) / size
    covered = np.ones((size, size), bool)
    kind = random.integers(3)
    if kind != 0:
        lean = random.uniform(-_SIDE_LEAN, _SIDE_LEAN) / 2.0
        edge = random.uniform(*_SIDE_EDGE) + lean * (steps[:, None] - 0.5)
        across = steps if random.random() < 0.5 else 1.0 - steps
        covered &= across[None, :] > edge
    if kind != 1:
        for _ in range(random.integers(1, MOST_SPOTS + 1)):
            row, column = random.uniform(0.1, 0.9, 2)
            high, wide = random.uniform(*_SPOT_RADII, 2)
            distance = ((steps[:, None] - row) / high) ** 2 + ((steps - column) / wide) ** 2
            covered &= distance > 1.0
    return covered


def vary(
    texels: np.ndarray,
    mirror: np.ndarray | None,
    random: np.random.Generator,
    settings: AugmentSettings,
) -> np.ndarray:
    """(3, N) uint8 of a map to (3, N) float32 sRGB: exposed anew, at times mirrored.

    mirror: of `mirror_index`; None leaves the mirroring out.
    """
    tables = exposure_tables(random, settings)
    if random.random() < settings.flip and mirror is not None:
        texels = texels[:, mirror]
    return np.stack([table[row] for table, row in zip(tables, texels, strict=True)])
