"""The detail map and its one formula: coarse colour plus detail on the V channel of HSV.

A detail map is V of a skin map minus V of its coarse albedo, in sRGB-encoded values: signed, never
clipped. UVAPM (arXiv 2506.13233, section on the detail map): albedo = HSV(H of coarse, S of coarse,
V of coarse + detail). Formulas that numpy and torch both need take the array module as `xp`.
"""

from types import ModuleType
from typing import Any

import numpy as np

DETAIL_SIZE = 512
"""Texels a side of a detail map (UVAPM)."""
LEAST_VALUE = 1e-4
"""V below which a colour counts as black: it has no hue, and takes a detail as grey. Ours: a
fortieth of a grey level."""


def value(rgb: Any, xp: ModuleType = np) -> Any:
    """(..., 3) sRGB to (...): V of HSV, the largest of the three channels (Smith 1978)."""
    return xp.maximum(xp.maximum(rgb[..., 0], rgb[..., 1]), rgb[..., 2])


def detail_of(original: Any, coarse: Any, xp: ModuleType = np) -> Any:
    """(..., 3) sRGB each to (...) signed: V of the original minus V of the coarse. Not clipped."""
    return value(original, xp) - value(coarse, xp)


def add_detail(coarse: Any, detail: Any, xp: ModuleType = np) -> Any:
    """HSV(H of coarse, S of coarse, V of coarse + detail) as RGB.

    coarse (..., 3) sRGB in [0, 1]; detail (...) signed, in the same units; returns (..., 3) in
    [0, 1]. V alone is clipped to [0, 1], as no colour lies outside. With hue and saturation kept,
    the three channels scale alike (Smith 1978), so no conversion is needed; black gets grey.
    """
    old = value(coarse, xp)
    new = xp.clip(old + detail, 0.0, 1.0)
    black = old <= LEAST_VALUE
    scale = xp.where(black, 0.0 * new, new / xp.clip(old, LEAST_VALUE, None))
    grey = xp.where(black, new, 0.0 * new)
    return coarse * scale[..., None] + grey[..., None]
