"""Detail map -> fine maps, in order."""

from dataclasses import dataclass

import cv2
import numpy as np

from ..protocol.detail import DETAIL_SIZE
from ..protocol.job import FINE_SIZES
from .height import relief_of
from .metric import TexelMetric, nearest_filled, resized_metric, texel_metric
from .normals import tangent_normals
from .roughness import roughness_map
from .settings import SurfaceSettings
from .synthesis import coarse_pores, fine_depth, fine_detail

USUAL = SurfaceSettings()
_SEAM = 8.0
"""Texels at 512 beyond the islands that carry their maps: four mip levels."""


@dataclass(frozen=True, eq=False)
class FineMaps:
    """Maps of the skin's surface in the FFHQ-UV layout, row 0 on top.

    normal (S, S, 3) unit, tangent space, +y up; roughness (S, S) in [0, 1]; height (S, S) metres.
    detail: (S, S) signed V that agrees with the relief, None at the detail's own size.
    Every texel is filled, so nothing dark bleeds over a seam.
    """

    normal: np.ndarray
    roughness: np.ndarray
    height: np.ndarray
    detail: np.ndarray | None = None


def fine_maps(
    detail: np.ndarray,
    value: np.ndarray,
    position: np.ndarray,
    valid: np.ndarray,
    size: int = DETAIL_SIZE,
    seed: int = 0,
    settings: SurfaceSettings = USUAL,
    seen: np.ndarray | None = None,
) -> FineMaps:
    """Normal and roughness maps of a head.

    detail: (512, 512) signed V; zeros when there is no detail model, the maps then show the zones
    alone at 512. value: (512, 512) V of the coarse albedo, sRGB-encoded. position: (512, 512, 3)
    surface points of the neutral head, metres. valid: (512, 512) bool. size: one of
    `job.FINE_SIZES`; 2048 adds pores and creases drawn from `seed`, 512 the widest pores.
    seen: (512, 512) in [0, 1], see `height.relief_of`.
    """
    if size not in FINE_SIZES or detail.shape != (DETAIL_SIZE, DETAIL_SIZE):
        raise ValueError(f"no fine maps of {size} texels from a detail map of {detail.shape}")
    metric = texel_metric(position, valid)
    filled = nearest_filled(np.where(valid, detail, 0.0).astype(np.float32), valid)
    known = filled * _fade(valid)
    base = nearest_filled(value, valid).astype(np.float32)
    relief = relief_of(known, base, metric, settings, seen)
    if size == DETAIL_SIZE:
        height = relief.height
        if relief.texture.any():
            height = height - coarse_pores(relief, metric, seed, settings)
        return _maps(height, relief.skin, metric, None)
    large = resized_metric(metric, size)
    depth = fine_depth(relief, large, seed, settings)
    height = cv2.resize(relief.height, (size, size), interpolation=cv2.INTER_CUBIC) - depth
    return _maps(height, relief.skin, large, fine_detail(known, base, depth, large, settings))


def _maps(
    height: np.ndarray, skin: np.ndarray, metric: TexelMetric, detail: np.ndarray | None
) -> FineMaps:
    normal = tangent_normals(height, metric)
    return FineMaps(normal, roughness_map(height, normal, skin), height, detail)


def _fade(valid: np.ndarray) -> np.ndarray:
    """(S, S) 1 on the islands and a seam's width around them, falling to 0."""
    away = cv2.distanceTransform((~valid).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    return np.clip(2.0 - away / _SEAM, 0.0, 1.0).astype(np.float32)
