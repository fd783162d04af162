"""The fine maps of a reconstruction: the pack's atlas and the fitted head for `engine/surface`."""

import cv2
import numpy as np
import torch

from ..protocol.conventions import signed_to_unit
from ..protocol.detail import DETAIL_SIZE, value
from ..render.atlas import texel_values
from ..surface.maps import FineMaps, fine_maps
from .loaded import LoadedPack, skin_atlas


def fitted_fine_maps(
    loaded: LoadedPack,
    neutral: np.ndarray,
    coarse: np.ndarray,
    detail: np.ndarray | None,
    size: int,
    seed: int,
) -> FineMaps:
    """Normal and roughness maps of a fitted head.

    neutral: (V, 3) metres. coarse: (T, T, 3) sRGB. detail: (512, 512) signed V, None without a
    detail model. size: one of `job.FINE_SIZES`. seed: of the job, for what is synthesised.
    """
    atlas = skin_atlas(loaded, DETAIL_SIZE)
    position = texel_values(torch.from_numpy(neutral).float(), loaded.triangles, atlas).numpy()
    shape = (DETAIL_SIZE, DETAIL_SIZE)
    known = np.zeros(shape, np.float32) if detail is None else detail
    small = cv2.resize(value(coarse), shape, interpolation=cv2.INTER_AREA)
    return fine_maps(known, small, position, atlas.valid.numpy(), size, seed)


def stored_maps(maps: FineMaps) -> dict[str, np.ndarray]:
    """The pictures of the result directory, in [0, 1]: normal (S, S, 3) and roughness (S, S)."""
    return {"normal": signed_to_unit(maps.normal), "roughness": maps.roughness}
