"""The photo layer: what coarse albedo and detail leave unexplained, as its own layer.

The layer is added to the detailed albedo and can be removed. Where the photo saw nothing, only
the tone of the mirror side is taken over, never its moles and hairs; where neither side was seen
it fades to nothing. The parts are blended a pyramid level at a time (Burt & Adelson 1983) so that
no border shows.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import torch

from ...protocol.conventions import mirror_texels
from ...protocol.origin import COMPLETED, MIRRORED, SEEN
from ...render.low_pass import LowPass
from ..settings import PhotoLayerSettings

_EDGE_SIZE = 512


@dataclass(frozen=True)
class PhotoLayer:
    """At texture size T.

    layer (T, T, 3) signed, sRGB units: albedo = below + layer; origin (T, T): SEEN, MIRRORED or
    COMPLETED, 0 outside the layout; albedo (T, T, 3) sRGB in [0, 1].
    """

    layer: np.ndarray
    origin: np.ndarray
    albedo: np.ndarray


def _times(layer: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """(T, T, 3) times (T, T), with the weight laid out like the layer: five times as fast."""
    return cv2.multiply(layer, cv2.merge([weight, weight, weight]))


def _average(layers: list[np.ndarray], weights: list[np.ndarray]) -> np.ndarray:
    """Mean of the layers (T, T, 3) by their weights; the weights past the layers are of zeros."""
    share = 1.0 / (sum(weights) + np.float32(1e-8))
    parts = [_times(x, w * share) for x, w in zip(layers, weights, strict=False)]
    return sum(parts[1:], parts[0])


def blend(layers: list[np.ndarray], weights: list[np.ndarray], levels: int) -> np.ndarray:
    """Blend (T, T, 3) layers by (T, T) weights, one Laplacian level at a time.

    There may be more weights than layers: those left are the weights of layers of zeros.
    """
    if levels == 0 or min(layers[0].shape[:2]) <= 4:
        return _average(layers, weights)
    size = layers[0].shape[1::-1]
    low_weights = [cv2.pyrDown(weight) for weight in weights]
    low_layers = [
        _times(cv2.pyrDown(_times(layer, weight)), 1.0 / (low + np.float32(1e-6)))
        for layer, weight, low in zip(layers, weights, low_weights, strict=False)
    ]
    bands = [
        layer - cv2.pyrUp(low, dstsize=size) for layer, low in zip(layers, low_layers, strict=True)
    ]
    band = _average(bands, weights)
    low = blend(low_layers, low_weights, levels - 1)
    return band + cv2.pyrUp(low, dstsize=size)


def _soft_edged(seen: np.ndarray, share: float) -> np.ndarray:
    """Trust (T, T) that falls to 0 inside its own edge. share: over how much of the map's side.

    Found on a map of 512 at most: the edge is wide, and erosion slow on large maps.
    """
    size = min(len(seen), _EDGE_SIZE)
    small = cv2.resize(seen, (size, size), interpolation=cv2.INTER_AREA)
    radius = max(1, round(share * size))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    inner = cv2.GaussianBlur(cv2.erode(small, disc), (0, 0), radius / 2.0)
    inner = cv2.resize(inner, seen.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return np.minimum(inner, seen)


def _tone(change: np.ndarray, seen: np.ndarray, share: float) -> np.ndarray:
    """The slow part of a change (T, T, 3), read where it was seen. share: sigma over T."""
    slow = LowPass(torch.from_numpy(seen), share * len(change))
    return slow(torch.from_numpy(change)).numpy()


def photo_layer(
    unlit: np.ndarray,
    below: np.ndarray,
    seen: np.ndarray,
    mask: np.ndarray,
    valid: np.ndarray,
    settings: PhotoLayerSettings,
) -> PhotoLayer:
    """The difference of the photo's own albedo from the layers below, completed.

    unlit (T, T, 3) sRGB: the photo without its light; below (T, T, 3) sRGB; seen (T, T) in
    [0, 1]: trust in a texel of the photo; mask (T, T) in [0, 1]: where the layer may write;
    valid (T, T) bool.
    """
    change = np.clip(unlit - below, -settings.limit, settings.limit).astype(np.float32)
    seen = _soft_edged(seen.astype(np.float32), settings.edge)
    unseen = (1.0 - seen) * valid
    mirrored = mirror_texels(seen) * settings.mirror_trust * mask.astype(np.float32) * unseen
    empty = settings.model_trust * unseen
    tone = np.ascontiguousarray(mirror_texels(_tone(change, seen, settings.tone_sigma)))
    layer = blend(
        [change, tone],
        [seen, mirrored.astype(np.float32), empty.astype(np.float32)],
        settings.pyramid_levels,
    )
    layer = _times(layer, valid.astype(np.float32))
    origin = np.where(mirrored > empty, MIRRORED, COMPLETED)
    origin = np.where(seen > np.maximum(mirrored, empty), SEEN, origin).astype(np.float32) * valid
    albedo = np.clip(below + layer, 0.0, 1.0)
    return PhotoLayer(albedo - below, origin, albedo)
