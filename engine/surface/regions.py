"""Where the skin's relief may be, from the anatomy of the layout.

All fields are drawn at 512: they are soft, and forty masks of 2048 would take half a gigabyte.
"""

from collections.abc import Mapping
from functools import lru_cache

import cv2
import numpy as np

from ..head.numerics import smoothstep
from ..skin.layout import region_distances, region_masks

_OPENINGS = ("sockets_margin", "mouth_bag_margin", "nostrils", "ear_canals", "caruncles")
_SEAM_FADE = 40.0
"""Reference pixels from the back seam over which relief comes in: its two sides do not agree."""


@lru_cache(maxsize=2)
def bare_skin(size: int) -> np.ndarray:
    """(size, size) float32 in [0, 1]: skin with relief of its own; lips count, hair does not."""
    m = region_masks(size)
    bare = (1.0 - m["scalp"]) * (1.0 - 0.9 * m["brows"]) * (1.0 - grown(m["lash_lines"], size))
    bare *= (1.0 - grown(m["mouth_slit"], size)) * (1.0 - 0.7 * m["ears"])
    bare *= (1.0 - 0.6 * m["nasal_creases"]) * (1.0 - 0.85 * m["lip_wet"])
    for name in _OPENINGS:
        bare *= 1.0 - m[name]
    bare *= smoothstep(region_distances(size)["main"], 0.0, _SEAM_FADE)
    return _fixed(bare)


@lru_cache(maxsize=2)
def pore_density(size: int) -> np.ndarray:
    """(size, size) float32 in [0, 1]: how visible pores are, most at the nose; none on lips.

    Order of the regions: nose above forehead, cheeks beside the nose above their sides (Jung et al.
    2014, Korean J. Dermatol. 52:851; Flament et al. 2015, Clin. Cosmet. Investig. Dermatol. 8:85);
    the figures are ours.
    """
    m = region_masks(size)
    level = 0.20 * m["face"] + 0.30 * m["forehead"] + 0.50 * m["cheeks"] + 0.45 * m["chin"]
    level = level + 0.55 * m["nose"] + 0.35 * m["nose_tip"]
    thin = np.maximum.reduce([m["lid_upper"], m["lid_lower"], m["under_eye"]])
    level = np.clip(level, 0.0, 1.0) * (1.0 - thin) * (1.0 - 0.6 * m["eye_surround"])
    return _fixed(level * bare_skin(size) * (1.0 - grown(m["lips"], size)) * (1.0 - m["brows"]))


@lru_cache(maxsize=2)
def crease_density(size: int) -> np.ndarray:
    """(size, size) float32 in [0, 1.2]: depth of the finest creases; lips have their own lines."""
    m = region_masks(size)
    level = 0.5 + 0.3 * m["face"] + 0.25 * m["eye_surround"] + 0.15 * m["neck"] - 0.7 * m["nose"]
    level = np.clip(level, 0.0, 1.2) * bare_skin(size)
    return _fixed(level * (1.0 - grown(m["lips"], size)) * (1.0 - m["brows"]))


@lru_cache(maxsize=2)
def lip_cover(size: int) -> np.ndarray:
    """(size, size) float32 in [0, 1]: the vermilion, without the wet line between the lips."""
    m = region_masks(size)
    return _fixed(m["lips"] * (1.0 - grown(m["mouth_slit"], size)) * (1.0 - 0.6 * m["lip_wet"]))


@lru_cache(maxsize=2)
def tension_angle(size: int) -> np.ndarray:
    """(size, size) float32 radians: direction of the skin's tension lines in the map, x to the
    right and y upwards, mirrored at the mid-line.

    Level across forehead, nose, lids, chin and neck; on the cheeks from the nose downwards and out
    (Langer 1861, as drawn in textbooks).
    """
    m = region_masks(size)
    side = 1.0 - np.maximum.reduce([m["forehead"], m["eye_surround"], m["nose"], m["chin"]])
    slant = 1.0 * side * m["face"] * (1.0 - m["neck"])
    column = np.arange(size) + 0.5 - size / 2
    # Left of the mid-line the lines fall to the left, right of it to the right.
    return _fixed(slant * -np.tanh(column / (0.03 * size)))


def grown(mask: np.ndarray, size: int) -> np.ndarray:
    """A mask that reaches about a millimetre farther, softly."""
    return np.clip(1.6 * cv2.GaussianBlur(mask, (0, 0), size / 512), 0.0, 1.0)


def resized(field: np.ndarray, size: int) -> np.ndarray:
    """A soft field (S, S) at (size, size)."""
    if len(field) == size:
        return field
    return cv2.resize(field, (size, size), interpolation=cv2.INTER_LINEAR)


def masks(size: int) -> Mapping[str, np.ndarray]:
    """The layout's regions at this size (`skin.layout.region_masks`)."""
    return region_masks(size)


def _fixed(values: np.ndarray) -> np.ndarray:
    values = np.ascontiguousarray(values, dtype=np.float32)
    values.flags.writeable = False
    return values
