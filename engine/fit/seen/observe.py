"""The fitted head as the photo sees it, and what the photo says of its texels."""

from dataclasses import dataclass

import numpy as np
import torch

from ...head.camera import Camera
from ...photo.prepare import WorkingCrop
from ..loaded import LoadedPack, skin_atlas
from .texels import TexelObservation, observe_texels, texel_normals


@dataclass(frozen=True, eq=False)
class FittedView:
    """vertices (V, 3) metres, model space; camera and depth (h, w) of the working crop; linear
    (h, w, 3): its picture in linear RGB."""

    vertices: torch.Tensor
    camera: Camera
    depth: torch.Tensor
    crop: WorkingCrop
    linear: np.ndarray


def observe(loaded: LoadedPack, view: FittedView, size: int) -> TexelObservation:
    """The photo seen from the texels of the pack's skin at `size` texels a side."""
    return observe_texels(
        view.vertices,
        loaded.triangles,
        skin_atlas(loaded, size),
        view.camera,
        view.depth,
        view.linear,
        view.crop.person,
    )


def observe_normals(loaded: LoadedPack, view: FittedView, size: int) -> np.ndarray:
    """The normals of `observe` alone, at a fifth of its cost."""
    return texel_normals(view.vertices, loaded.triangles, skin_atlas(loaded, size), view.camera)
