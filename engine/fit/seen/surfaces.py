"""What the pictures of a result show of the head, ahead of its colours."""

from dataclasses import dataclass

import numpy as np
import torch

from ...render.render import orbit_camera
from ...render.surface import HeadSurface, head_surface, part_surface
from ..loaded import CUTOUT_PARTS, SKIN_PART, LoadedPack
from .face_view import FaceView, bounds, surface_view
from .fitted_photo import FittedPhoto

VIEWS = ((0.0, 0.0), (-40.0, 5.0), (75.0, 0.0))
"""Yaw and pitch in degrees of compare.png's views."""

TILE = 384
"""Pixels. Ours: three fill the height of a screen; at 512 the views take twice as long."""
VIEW_SAMPLES = 1.5
"""Samples a side of a pixel. Ours: 2 looks the same at the tiles' size and costs twice as much."""

SMALL_CROP = 640
"""Pixels. Smaller pictures are supersampled. Ours: stairs show there, and it costs little."""


@dataclass(frozen=True, eq=False)
class PictureSurfaces:
    """The posed head on the working crop of a photo, and in each of `VIEWS`."""

    crop: HeadSurface
    views: tuple[HeadSurface, ...]


def pack_geometry(loaded: LoadedPack) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Triangles, corner UVs (2F, 3, 2) and part of each triangle."""
    part = torch.from_numpy(np.repeat(loaded.head.face_part, 2).astype(np.int64))
    return loaded.triangles, torch.from_numpy(loaded.head.triangle_uv), part


def cutouts(loaded: LoadedPack) -> list[int]:
    """Numbers of the parts that are cards with alpha."""
    return [loaded.head.part_names.index(name) for name in CUTOUT_PARTS]


def _crop_samples(photo: FittedPhoto) -> int:
    """Samples a side of a pixel of the working crop."""
    camera = photo.view.camera
    return 2 if max(camera.width, camera.height) <= SMALL_CROP else 1


def picture_surfaces(loaded: LoadedPack, photo: FittedPhoto) -> PictureSurfaces:
    """Of the main photo. Everything of its pictures but light and colour."""
    vertices = torch.from_numpy(photo.vertices)
    geometry, cards = (vertices, *pack_geometry(loaded)), cutouts(loaded)
    crop = head_surface(*geometry, cards, photo.view.camera, _crop_samples(photo))
    cameras = [orbit_camera(vertices, *view, TILE) for view in VIEWS]
    views = (head_surface(*geometry, cards, each, VIEW_SAMPLES) for each in cameras)
    return PictureSurfaces(crop, tuple(views))


def skin_view(loaded: LoadedPack, photo: FittedPhoto, surfaces: PictureSurfaces | None) -> FaceView:
    """The face's skin on the working crop of a photo. surfaces: of `picture_surfaces`, None where
    nobody wants them: then only the skin's is found."""
    skin, samples = loaded.head.part_names.index(SKIN_PART), _crop_samples(photo)
    if surfaces is None:
        geometry = torch.from_numpy(photo.vertices), *pack_geometry(loaded)
        box = bounds(photo.face > 0.0)
        solid = part_surface(*geometry, cutouts(loaded), photo.view.camera, samples, skin, box)
    else:
        solid = surfaces.crop.solid
    return surface_view(solid, skin, samples, photo.view.crop.image, photo.face, photo.albedo.light)
