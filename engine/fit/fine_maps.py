"""The fine maps of a reconstruction: the pack's atlas and the fitted head for `engine/surface`."""

import cv2
import numpy as np
import torch

from ..protocol.conventions import signed_to_unit, unit_to_shorts
from ..protocol.detail import DETAIL_SIZE, value
from ..render.atlas import texel_values
from ..surface.maps import fine_maps
from .loaded import LoadedPack, skin_atlas

_SEEN = 0.9
"""Origin above which a texel was seen; mirrored ones have 2/3."""
_SOFT = 4.0
"""Texels at 512."""


def fine_pictures(
    loaded: LoadedPack,
    neutral: np.ndarray,
    coarse: np.ndarray,
    detail: np.ndarray | None,
    size: int,
    seed: int,
    origin: np.ndarray,
) -> dict[str, np.ndarray]:
    """Pictures for the result directory: normal (S, S, 3) and roughness (S, S) in [0, 1]; at 2048
    also albedo_detail_fine (S, S) uint16, the detail with the pores' darkness, stored signed.

    neutral: (V, 3) metres. coarse: (T, T, 3) sRGB. detail: (512, 512) signed V, None without a
    detail model. origin: (T, T) of `photo_layer`, 1 where seen. size: one of `job.FINE_SIZES`.
    seed: of the job, for what is synthesised.
    """
    shape = (DETAIL_SIZE, DETAIL_SIZE)
    atlas = skin_atlas(loaded, DETAIL_SIZE)
    position = texel_values(torch.from_numpy(neutral).float(), loaded.triangles, atlas).numpy()
    small = cv2.resize(value(coarse), shape, interpolation=cv2.INTER_AREA)
    known = np.zeros(shape, np.float32) if detail is None else detail
    maps = fine_maps(known, small, position, atlas.valid.numpy(), size, seed, seen=_seen(origin))
    pictures = {"normal": signed_to_unit(maps.normal), "roughness": maps.roughness}
    if maps.detail is not None:
        pictures["albedo_detail_fine"] = unit_to_shorts(signed_to_unit(maps.detail))
    return pictures


def _seen(origin: np.ndarray) -> np.ndarray:
    """(512, 512) float32: 1 where the photo showed the skin, 0 where it was completed, softly."""
    shape = (DETAIL_SIZE, DETAIL_SIZE)
    seen = cv2.resize((origin > _SEEN).astype(np.float32), shape, interpolation=cv2.INTER_AREA)
    return cv2.GaussianBlur(seen, (0, 0), _SOFT)
