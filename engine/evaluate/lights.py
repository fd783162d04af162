"""`evaluate lights`: is there light in the detail? A known head is fitted in five lights.

The skin is the same in all five pictures, so every layer that the fits find should be the same too.
What differs between them is light that was taken for skin, or places that were taken for others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch

from ..fit.loaded import LoadedPack, skin_atlas
from ..fit.pictures import pad_seams, part_materials
from ..fit.reconstruct import Reconstruction, StageClock, reconstruct
from ..fit.request import FitRequest
from ..fit.seen.geometry import photo_camera
from ..fit.settings import FitSettings
from ..head.camera import Camera, project
from ..head.lighting import directional_light, shade
from ..head.normals import unit, vertex_normals
from ..photo.load import Photo
from ..protocol.conventions import (
    LUMINANCE_WEIGHTS,
    ambient_light,
    bytes_to_unit,
    linear_to_srgb,
    unit_to_bytes,
)
from ..protocol.detail import DETAIL_SIZE, value
from ..protocol.errors import EngineError, ErrorCode
from ..protocol.origin import SEEN
from ..render.atlas import texel_values
from ..render.render import orbit_camera, render_head
from ..render.resize import resize_texture
from ..reporter import NullReporter, Reporter
from ..result.pictures import BACKGROUND
from ..skin.layout import region_masks
from ..train.maps import SkinMap
from .light_spread import Spread, rms_difference, slow_part, spread
from .uv_areas import INSIDE, measured_map, resample_mask
from .uv_projection import Projector
from .uv_variants import Detailed

PHOTO_SIZE = 896
FRONT_SHARE = 0.9
"""Pixels a side, and what the ball round the front of the head takes of them: from chin to crown
some 640 pixels, as in a good portrait."""
TEXTURE_SIZE = 1024
VIEW = (10.0, 3.0)
"""Yaw and pitch in degrees. Ours: nearly frontal, but no symmetry that would help the fit."""
SLOW = DETAIL_SIZE / 64
"""Texels: standard deviation of the blur that leaves the slow part of a map. Ours: light that was
taken for skin is slow; wrinkles and pores are not."""


@dataclass(frozen=True)
class Lamp:
    """A distant source: direction towards it (model space, any length), linear RGB shading."""

    direction: tuple[float, float, float]
    colour: tuple[float, float, float]


@dataclass(frozen=True)
class Lights:
    """Uniform light with its shading, and lamps."""

    name: str
    ambient: float
    lamps: tuple[Lamp, ...]

    def harmonics(self) -> torch.Tensor:
        """(9, 3) shading light in model space."""
        light = torch.as_tensor(ambient_light(self.ambient), dtype=torch.float32)
        for lamp in self.lamps:
            direction = unit(torch.tensor(lamp.direction))
            light = light + directional_light(direction, torch.tensor(lamp.colour))
        return light


FIVE_LIGHTS = (
    Lights("frontal", 0.40, (Lamp((0.0, 0.25, 1.0), (0.50, 0.50, 0.50)),)),
    Lights("left", 0.32, (Lamp((1.0, 0.30, 0.45), (0.75, 0.75, 0.75)),)),
    Lights("right", 0.32, (Lamp((-1.0, 0.30, 0.45), (0.75, 0.75, 0.75)),)),
    Lights("top", 0.36, (Lamp((0.0, 1.0, 0.45), (0.70, 0.70, 0.70)),)),
    Lights(
        "warm and cool",
        0.30,
        (Lamp((0.9, 0.2, 0.6), (0.62, 0.50, 0.38)), Lamp((-0.9, 0.1, 0.5), (0.30, 0.38, 0.48))),
    ),
)
"""Ours: what portraits are lit by. "left" is the subject's; the last has a warm and a cool side."""


@dataclass(frozen=True, eq=False)
class KnownHead:
    """vertices (V, 3) metres, model space; skin (T, T, 3) sRGB, the albedo map it wears."""

    vertices: torch.Tensor
    skin: np.ndarray


@dataclass(frozen=True, eq=False)
class LightFit:
    """One light: the picture (h, w, 3) sRGB, shading (512, 512) luminance of the light on the true
    head, and what the fit of the picture found."""

    lights: Lights
    picture: np.ndarray
    shading: np.ndarray
    found: Reconstruction


@dataclass(frozen=True, eq=False)
class LightsOutcome:
    """truth, carried: (512, 512) signed, the skin's own detail, and what of it the detail model
    keeps. texels: (512, 512) bool, the face where all five pictures show it. spreads: by map.
    places: pixels; how far the fits put points of the face from where they are, on the average,
    and how far two fits put them apart, rms over all pairs."""

    head: KnownHead
    fits: tuple[LightFit, ...]
    truth: np.ndarray
    carried: np.ndarray
    texels: np.ndarray
    spreads: Mapping[str, Spread]
    places: tuple[float, float]


def portrait_camera(head: KnownHead, loaded: LoadedPack) -> Camera:
    """A camera that looks at the face from VIEW."""
    face = torch.from_numpy(loaded.head.groups["face"] > INSIDE)
    close = orbit_camera(head.vertices[face], *VIEW, PHOTO_SIZE)
    zoom = torch.diag(torch.tensor([FRONT_SHARE, FRONT_SHARE, 1.0]))
    intrinsics = zoom @ close.intrinsics
    intrinsics[:2, 2] = close.intrinsics[:2, 2]
    return replace(close, intrinsics=intrinsics)


def take_picture(head: KnownHead, loaded: LoadedPack, lights: Lights) -> Photo:
    """A photo of the head, 8 bits a channel, on grey."""
    pack = loaded.head
    part = torch.from_numpy(np.repeat(pack.face_part, 2).astype(np.int64))
    output = render_head(
        head.vertices,
        loaded.triangles,
        torch.from_numpy(pack.triangle_uv),
        part,
        part_materials(loaded, pad_seams(head.skin, loaded)),
        lights.harmonics(),
        portrait_camera(head, loaded),
        supersample=2,
    )
    alpha = output.alpha[..., None].numpy()
    picture = linear_to_srgb(np.clip(output.rgb.numpy(), 0.0, 1.0)) + (1.0 - alpha) * BACKGROUND
    pixels = bytes_to_unit(unit_to_bytes(picture))
    return Photo(pixels, PHOTO_SIZE, PHOTO_SIZE, None, "")


def texel_shading(head: KnownHead, loaded: LoadedPack, lights: Lights) -> np.ndarray:
    """(512, 512) luminance of the light's shading at each texel of the head's skin."""
    atlas = skin_atlas(loaded, DETAIL_SIZE)
    normals = texel_values(vertex_normals(head.vertices, loaded.triangles), loaded.triangles, atlas)
    shading = shade(torch.nn.functional.normalize(normals, dim=-1), lights.harmonics())
    return shading.clamp(min=0.0).numpy() @ np.asarray(LUMINANCE_WEIGHTS, np.float32)


def fit_lights(
    head: KnownHead,
    loaded: LoadedPack,
    settings: FitSettings,
    reporter: Reporter,
    lights: Sequence[Lights] = FIVE_LIGHTS,
) -> LightsOutcome:
    """Picture, fit and compare. loaded: with a detail model, else EngineError(BAD_SETTINGS).

    Raises Cancelled, and EngineError(NO_FACE) if a picture is not taken for a face.
    """
    if loaded.detail is None:
        raise EngineError(
            ErrorCode.BAD_SETTINGS,
            f"This needs a detail model, and the pack {loaded.head.id} has none.",
            "Name one with --detail.",
        )
    fits = []
    for done, one in enumerate(lights):
        reporter.progress(done, len(lights))
        photo = take_picture(head, loaded, one)
        quiet = NullReporter()
        clock, request = StageClock(quiet), FitRequest(texture_size=TEXTURE_SIZE)
        found = reconstruct(
            (photo,), loaded, request, settings, quiet, clock, lambda vertices: None
        )
        fits.append(LightFit(one, photo.pixels, texel_shading(head, loaded, one), found))
    truth, carried, covered = _true_detail(head, loaded)
    texels = covered & (region_masks(DETAIL_SIZE)["face"] > INSIDE) & _seen_by_all(fits)
    spreads = _spreads(head, fits, truth, texels)
    places = _places(head, loaded, fits)
    return LightsOutcome(head, tuple(fits), truth, carried, texels, spreads, places)


def _true_detail(head: KnownHead, loaded: LoadedPack) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Detail of the skin it wears, the same through the detail model, and the texels it has."""
    valid = loaded.albedo.valid.astype(bool)
    sizes = (len(valid), DETAIL_SIZE)
    own, fine = (
        measured_map(
            SkinMap(resize_texture(head.skin, size), np.ones((size, size), np.float32)),
            resample_mask(valid, size),
        )
        for size in sizes
    )
    projection = Projector(loaded.albedo).project("map", own, fine)
    return projection.detail(), Detailed(loaded.detail).carried(projection), projection.chosen


def _places(head: KnownHead, loaded: LoadedPack, fits: Sequence[LightFit]) -> tuple[float, float]:
    face = loaded.head.groups["face"] > INSIDE
    true = project(head.vertices, portrait_camera(head, loaded))[0].numpy()[face]
    put = []
    for fit in fits:
        camera = photo_camera(fit.found.shape, PHOTO_SIZE, PHOTO_SIZE)
        put.append(project(torch.from_numpy(fit.found.vertices), camera)[0].numpy()[face])
    points = np.stack(put)
    away = float(np.linalg.norm(points - true, axis=-1).mean())
    return away, rms_difference(points.reshape(len(points), -1)) * 2.0**0.5


def _seen_by_all(fits: Sequence[LightFit]) -> np.ndarray:
    least = np.minimum.reduce([fit.found.detail.origin for fit in fits])
    size = (DETAIL_SIZE, DETAIL_SIZE)
    return cv2.resize(least, size, interpolation=cv2.INTER_NEAREST) > 0.99 * SEEN


MAPS = {
    "detail": "detail map",
    "detail_slow": f"detail map, slow part (blurred by {SLOW:.0f} texels)",
    "layer": "photo layer",
    "layer_slow": "photo layer, slow part",
    "above": "detail and photo layer: V of the albedo minus V of the coarse albedo",
    "coarse": "V of the coarse albedo",
    "albedo": "V of the albedo",
}
"""Maps that are compared, in the order of the table."""


def _spreads(
    head: KnownHead, fits: Sequence[LightFit], truth: np.ndarray, texels: np.ndarray
) -> dict[str, Spread]:
    """By name of MAPS."""
    shading = np.stack([fit.shading for fit in fits])
    found = [fit.found.detail for fit in fits]
    detail = np.stack([one.detail for one in found])
    layer = np.stack([_small(one.layer.mean(axis=-1)) for one in found])
    coarse = np.stack([_small(value(fit.found.coarse)) for fit in fits])
    albedo = np.stack([_small(value(one.albedo)) for one in found])
    slow = slow_part(np.stack([*detail, *layer, truth]), texels, SLOW)
    count = len(fits)
    compared: dict[str, tuple[np.ndarray, np.ndarray | None]] = {
        "detail": (detail, truth),
        "detail_slow": (slow[:count], slow[-1]),
        "layer": (layer, None),
        "layer_slow": (slow[count:-1], None),
        "above": (albedo - coarse, truth),
        "coarse": (coarse, None),
        "albedo": (albedo, _small(value(head.skin))),
    }
    return {name: spread(maps, shading, texels, true) for name, (maps, true) in compared.items()}


def _small(image: np.ndarray) -> np.ndarray:
    return resize_texture(image, DETAIL_SIZE)
