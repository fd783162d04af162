"""The baked-light meter read on a reconstruction, with the light of its main photo."""

import numpy as np

from ..render.resize import resize_texture
from .albedo.baked_light import baked_light
from .loaded import LoadedPack, evidence_mask
from .reconstruct import Reconstruction
from .seen.observe import observe_normals

METER_SIZE = 256
"""Texels a side on which the meter is read. Ours: light is smooth, and ten times as many texels
tell no more of it."""


def read_light_meter(result: Reconstruction, loaded: LoadedPack) -> tuple[float, np.ndarray]:
    """How far the final albedo follows the light: a number and a map, see `baked_light`.

    Counted are texels of the face by their confidence: what was never seen has no light in it.
    """
    photo = result.photos[0]
    normal = observe_normals(loaded, photo.view, METER_SIZE)
    trust = np.clip(resize_texture(result.detail.confidence, METER_SIZE), 0.0, 1.0)
    weight = trust * evidence_mask(loaded.head, METER_SIZE)
    return baked_light(result.detail.albedo, normal, photo.albedo.light, weight)
