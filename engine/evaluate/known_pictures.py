"""Pictures of a known head: its albedo as the camera sees it, and photos in any light."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ..fit.loaded import LoadedPack
from ..head.camera import Camera, camera_centre, crop_camera, project, resize_camera, scale_camera
from ..photo.load import Photo
from ..photo.prepare import prepare_photo
from ..photo.settings import PrepareSettings
from ..protocol.conventions import bytes_to_unit, linear_to_srgb, srgb_to_linear, unit_to_bytes
from ..render.interpolate import covered_triangles, interpolate_covered, to_image
from ..render.rasterize import rasterize
from ..render.render import orbit_camera
from ..render.texture import resize_area, sample_texture
from ..reporter import NullReporter
from ..result.pictures import BACKGROUND
from .known_heads import KnownHead, ScenePart
from .rig import Environment, light_vertices

PHOTO_SIZE = 896
FACE_SHARE = 0.62
"""Pixels a side, and what the face's landmarks take of its height: as in a good portrait."""
VIEW = (10.0, 3.0)
"""Yaw and pitch in degrees. Ours: nearly frontal, but no symmetry that would help the fit."""
_SAMPLES = 2
_SEARCH_SIZE = 640


@dataclass(frozen=True, eq=False)
class Portrait:
    """albedo (h, w, 3) linear RGB, and cover (h, w) in [0, 1]: of the head's skin; photos: one an
    environment."""

    camera: Camera
    albedo: np.ndarray
    cover: np.ndarray
    photos: tuple[Photo, ...]


@dataclass(frozen=True, eq=False)
class _Raster:
    """What a camera sees of a head: scene in one mesh, and for each covered sample its albedo."""

    vertices: torch.Tensor
    triangles: torch.Tensor
    fragments: object
    weights: torch.Tensor
    albedo: torch.Tensor
    skin: torch.Tensor


def take_portrait(
    head: KnownHead, loaded: LoadedPack, environments: Sequence[Environment]
) -> Portrait:
    """Photos of 8 bits a channel, on grey, from VIEW, the face in the middle.

    Raises EngineError(NO_FACE) if the head is not taken for one.
    """
    camera = _aim(head, loaded)
    raster = _raster(head, scale_camera(camera, _SAMPLES))
    size = (PHOTO_SIZE * _SAMPLES,) * 2
    covered = raster.fragments.covered
    skin = torch.cat([raster.albedo * raster.skin, raster.skin], -1)
    seen = resize_area(to_image(skin, covered, *size), PHOTO_SIZE, PHOTO_SIZE).numpy()
    albedo = seen[..., :3] / np.maximum(seen[..., 3:], 1e-6)
    photos = []
    for light in light_vertices(
        raster.vertices, raster.triangles, environments, camera_centre(camera)
    ):
        values = torch.cat([light.diffuse, light.gloss], -1)
        lit = interpolate_covered(values, raster.fragments, raster.triangles, raster.weights)
        photos.append(_expose(raster.albedo * lit[:, :3] + lit[:, 3:], covered, size))
    return Portrait(camera, albedo, seen[..., 3], tuple(photos))


def _expose(colour: torch.Tensor, covered: torch.Tensor, size: tuple[int, int]) -> Photo:
    layer = torch.cat([colour.clamp(0.0, 1.0), torch.ones(len(colour), 1)], -1)
    small = resize_area(to_image(layer, covered, *size), PHOTO_SIZE, PHOTO_SIZE).numpy()
    picture = linear_to_srgb(small[..., :3]) + (1.0 - small[..., 3:]) * BACKGROUND
    return Photo(bytes_to_unit(unit_to_bytes(picture)), PHOTO_SIZE, PHOTO_SIZE, None, "")


def _aim(head: KnownHead, loaded: LoadedPack) -> Camera:
    """Finds the face from VIEW, then looks at it."""
    wide = orbit_camera(head.parts[0].vertices, *VIEW, _SEARCH_SIZE)
    raster = _raster(head, wide)
    flat = to_image(raster.albedo, raster.fragments.covered, _SEARCH_SIZE, _SEARCH_SIZE)
    picture = linear_to_srgb(np.clip(flat.numpy(), 0.0, 1.0)).astype(np.float32)
    picture = np.where(flat.numpy().any(-1, keepdims=True), picture, np.float32(BACKGROUND))
    photo = Photo(picture, _SEARCH_SIZE, _SEARCH_SIZE, None, "")
    points = prepare_photo(photo, loaded.nets, None, PrepareSettings(), NullReporter()).landmarks
    low, high = points[:, :2].min(0), points[:, :2].max(0)
    side = round(float(high[1] - low[1]) / FACE_SHARE)
    x0, y0 = ((low + high) / 2.0 - side / 2.0).tolist()
    return resize_camera(crop_camera(wide, x0, y0, side, side), PHOTO_SIZE, PHOTO_SIZE)


def _raster(head: KnownHead, camera: Camera) -> _Raster:
    vertices = torch.cat([part.vertices for part in head.parts])
    counts = [0, *np.cumsum([len(part.vertices) for part in head.parts])]
    triangles = torch.cat(
        [part.triangles + start for part, start in zip(head.parts, counts, strict=False)]
    )
    uv = torch.cat([part.uv for part in head.parts])
    number = torch.cat(
        [torch.full((len(part.triangles),), index) for index, part in enumerate(head.parts)]
    )
    pixels, depth = project(vertices, camera)
    fragments = rasterize(pixels, depth, triangles, camera.height, camera.width)
    weights = fragments.barycentric.reshape(-1, 3)[fragments.covered]
    places = interpolate_covered(uv, fragments, None, weights)
    which = number[covered_triangles(fragments)]
    albedo = torch.zeros(len(places), 3)
    for index, part in enumerate(head.parts):
        chosen = (which == index).nonzero().squeeze(1)
        albedo[chosen] = sample_texture(_linear(part), places[chosen])
    skin = (which == 0).float()[:, None]
    return _Raster(vertices, triangles, fragments, weights, albedo, skin)


def _linear(part: ScenePart) -> torch.Tensor:
    return torch.from_numpy(srgb_to_linear(part.texture).astype(np.float32))
