"""Stage 3: the photo layer. What the coarse albedo leaves unexplained, as its own layer.

The layer is added to the coarse albedo and can be removed. Where the photo saw nothing it is
completed from the mirror side, then fades to the coarse model, blended a pyramid level at a time
(Burt & Adelson 1983) so that no border shows.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from ..head.numerics import smoothstep
from ..protocol.conventions import linear_to_srgb, mirror_texels, sh_basis
from .albedo import texel_trust
from .settings import AlbedoSettings, DetailSettings
from .texels import TexelObservation

SEEN, MIRRORED, COMPLETED = 1.0, 2.0 / 3.0, 1.0 / 3.0
"""Grey levels of the origin map (engine/DESIGN.md)."""


@dataclass(frozen=True)
class DetailFit:
    """Result of stage 3, at texture size T.

    layer (T, T, 3) signed, sRGB units: albedo = coarse + layer; origin (T, T): SEEN, MIRRORED or
    COMPLETED, 0 outside the layout; albedo (T, T, 3) sRGB in [0, 1].
    """

    layer: np.ndarray
    origin: np.ndarray
    albedo: np.ndarray


def _average(layers: list[np.ndarray], weights: list[np.ndarray]) -> np.ndarray:
    total = sum(weights) + 1e-8
    mixed = sum(w[..., None] * x for x, w in zip(layers, weights, strict=True))
    return mixed / total[..., None]


def _blend(layers: list[np.ndarray], weights: list[np.ndarray], levels: int) -> np.ndarray:
    """Blend (T, T, 3) layers by (T, T) weights, one Laplacian level at a time."""
    if levels == 0 or min(layers[0].shape[:2]) <= 4:
        total = sum(weights) + 1e-8
        return (
            sum(w[..., None] * x for x, w in zip(layers, weights, strict=True)) / total[..., None]
        )
    size = layers[0].shape[1::-1]
    low_layers, low_weights, bands = [], [], []
    for layer, weight in zip(layers, weights, strict=True):
        low_weight = cv2.pyrDown(weight)
        low = cv2.pyrDown(layer * weight[..., None]) / (low_weight[..., None] + 1e-6)
        low_layers.append(low)
        low_weights.append(low_weight)
        bands.append(layer - cv2.pyrUp(low, dstsize=size))
    band = _average(bands, weights)
    low = _blend(low_layers, low_weights, levels - 1)
    return band + cv2.pyrUp(low, dstsize=size)


def fit_detail(
    coarse: np.ndarray,
    light: np.ndarray,
    observation: TexelObservation,
    mask: np.ndarray,
    skin: np.ndarray,
    valid: np.ndarray,
    albedo_settings: AlbedoSettings,
    settings: DetailSettings,
) -> DetailFit:
    """Unwrap, de-light and complete the photo at texture size.

    coarse (T, T, 3) sRGB; light (9, 3); observation, mask and skin (T, T) at texture size; mask in
    [0, 1]: where the photo may write; skin: `AlbedoFit.skin` enlarged; valid (T, T) bool.
    """
    shading = np.maximum(sh_basis(observation.normal) @ light, albedo_settings.least_shading)
    unlit = linear_to_srgb(np.clip(observation.colour / shading, 0.0, 1.0)).astype(np.float32)
    change = np.clip(unlit - coarse, -settings.limit, settings.limit).astype(np.float32)
    seen = texel_trust(observation, mask, albedo_settings) * smoothstep(skin, 0.05, 0.4)
    seen = seen * smoothstep(observation.facing, settings.least_facing, settings.sure_facing)
    seen = cv2.GaussianBlur(seen.astype(np.float32), (0, 0), coarse.shape[0] / 256) * (seen > 0)
    unseen = (1.0 - seen) * valid
    mirrored = mirror_texels(seen) * settings.mirror_trust * mask.astype(np.float32) * unseen
    empty = settings.model_trust * unseen
    layer = _blend(
        [change, np.ascontiguousarray(mirror_texels(change)), np.zeros_like(change)],
        [seen, mirrored.astype(np.float32), empty.astype(np.float32)],
        settings.pyramid_levels,
    )
    layer = layer * valid[..., None]
    best = np.argmax(np.stack([empty, mirrored, seen]), axis=0)
    origin = np.array([COMPLETED, MIRRORED, SEEN], dtype=np.float32)[best] * valid
    albedo = np.clip(coarse + layer, 0.0, 1.0)
    return DetailFit(albedo - coarse, origin, albedo)
