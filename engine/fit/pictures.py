"""Pictures of a reconstruction: the head over the photo, views, and the picture for people."""

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np
import torch

from ..head.camera import Camera
from ..head.transfer import picture_to_linear, picture_to_srgb
from ..render.atlas import pad_texture
from ..render.render import (
    Material,
    clay_materials,
    light_surface,
    render_view,
    render_views,
    srgb_view,
    studio_light_of,
)
from ..render.surface import HeadSurface, head_surface
from ..result.pictures import contact_sheet, heat_picture, over
from .eyes.stage import EYE_SHADE
from .loaded import EYE_PARTS, LoadedPack, seam_sources, skin_atlas
from .reconstruct import Reconstruction
from .seen.mouth import shade_lining, shade_teeth
from .seen.surfaces import TILE, VIEW_SAMPLES, VIEWS, cutouts, pack_geometry

PART_COLOURS = {
    "teeth_upper": (0.50, 0.46, 0.38),
    "teeth_lower": (0.40, 0.37, 0.30),
    "tongue": (0.16, 0.045, 0.04),
}
"""Linear RGB of parts whose pack has no picture of them. Ours: enamel and mucosa by eye,
darkened because the renderer casts no shadow into the mouth."""

RESIDUAL_RANGE = 0.25
"""Difference from the photo that has the hottest colour, sRGB units. Ours: a lock of hair or a
rim of glasses on skin; what is left of good fits is below a tenth of it."""

LARGEST_RENDER = 1536
"""Pixels a side of render.png. Ours: what a screen shows; larger ones take as long to write as all
else together."""

LARGEST_RESIDUAL = 768
"""Pixels a side of residual.png. Ours: an error has no finer structure than the layers' texels."""


def pad_seams(texture: np.ndarray, loaded: LoadedPack) -> np.ndarray:
    """A skin texture (T, T, C) with colours bled over the edges of its islands."""
    size = texture.shape[0]
    valid, sources = skin_atlas(loaded, size).valid, seam_sources(loaded, size)
    return pad_texture(torch.from_numpy(texture), valid, 0, sources).numpy()


def part_materials(
    loaded: LoadedPack, skin: np.ndarray, eye: np.ndarray | None = None
) -> list[Material]:
    """Materials of all parts; skin (T, T, 3) and eye (S, S, 3) sRGB.

    Textures of other parts come with the pack, and the eye's when none is given.
    """
    materials = []
    for name in loaded.head.part_names:
        colour = torch.tensor(PART_COLOURS.get(name, (1.0, 1.0, 1.0)))
        texture = _linear_part(loaded, name)
        colour = colour if texture is None else torch.ones(3)
        if name == "skin":
            texture = shade_lining(_linear(skin), loaded)
        if name in EYE_PARTS:
            colour = EYE_SHADE * colour
            texture = texture if eye is None else _linear(eye)
        materials.append(Material(colour, texture))
    return materials


def part_texture(loaded: LoadedPack, part: str) -> np.ndarray | None:
    """The pack's own picture of a part: eye_left -> textures/eye.png, lashes -> lash.png."""
    stem = {"eye": "eye", "lashes": "lash", "teeth": "teeth"}.get(part.split("_")[0])
    return loaded.textures.get(stem) if stem else None


def _linear(texture: np.ndarray) -> torch.Tensor:
    """sRGB picture (H, W, 3 or 4) to linear; alpha stays."""
    rgb = picture_to_linear(texture[..., :3])
    return torch.from_numpy(np.concatenate([rgb, texture[..., 3:]], axis=-1).astype(np.float32))


@lru_cache(maxsize=8)
def _linear_part(loaded: LoadedPack, part: str) -> torch.Tensor | None:
    texture = part_texture(loaded, part)
    if texture is None:
        return None
    return shade_teeth(_linear(texture)) if part.startswith("teeth") else _linear(texture)


def _clay(loaded: LoadedPack) -> list[Material]:
    return clay_materials(len(loaded.head.part_names), cutouts(loaded))


def crop_view(result: Reconstruction) -> Camera:
    """The fitted camera in pixels of the working crop."""
    return result.photos[0].view.camera


def render_lit(
    result: Reconstruction,
    loaded: LoadedPack,
    materials: Sequence[Material],
    camera: Camera,
    samples: int,
) -> tuple[np.ndarray, np.ndarray]:
    """The fitted head in the fitted light: sRGB (h, w, 3), alpha (h, w), of the camera's size."""
    vertices, cards = torch.from_numpy(result.vertices), cutouts(loaded)
    surface = head_surface(vertices, *pack_geometry(loaded), cards, camera, samples)
    return _lit(result, surface, materials)


def _lit(
    result: Reconstruction, surface: HeadSurface, materials: Sequence[Material]
) -> tuple[np.ndarray, np.ndarray]:
    light = torch.from_numpy(result.albedo.light.astype(np.float32))
    output = light_surface(surface, materials, light)
    alpha = output.alpha.numpy()
    straight = output.rgb.numpy() / np.maximum(alpha, 1e-6)[..., None]
    return picture_to_srgb(np.clip(straight, 0.0, 1.0)), alpha


def painted(result: Reconstruction, loaded: LoadedPack, albedo: np.ndarray) -> list[Material]:
    """Materials with an albedo (T, T, 3) sRGB and the person's eyes."""
    return part_materials(loaded, albedo, result.eye)


def render_crop(
    result: Reconstruction, materials: Sequence[Material]
) -> tuple[np.ndarray, np.ndarray]:
    """The fitted head in the fitted light on the working crop: sRGB (h, w, 3), alpha (h, w). The
    fit was asked for `sheet`."""
    return _lit(result, result.surfaces.crop, materials)


def residual_picture(result: Reconstruction, rgb: np.ndarray) -> np.ndarray:
    """Heat map to lay over the photo, (H, W, 4) sRGB: where the render differs from it.

    rgb (h, w, 3) sRGB: the head on the working crop. Transparent but for the skin of the face; of
    the photo's shape, at most `LARGEST_RESIDUAL` pixels a side.
    """
    error = np.sqrt(((rgb - result.prepared.crop.image) ** 2).mean(axis=-1))
    heat = heat_picture(error, result.face, RESIDUAL_RANGE)
    (width, height), size, (left, top) = _places(result, LARGEST_RESIDUAL)
    picture = np.zeros((height, width, 4), dtype=np.float32)
    layer = cv2.resize(heat, size, interpolation=_method(size, rgb))
    part = picture[top : top + size[1], left : left + size[0]]
    part[...] = layer[: part.shape[0], : part.shape[1]]
    return picture


def over_photo(result: Reconstruction, rgb: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """A picture of the working crop laid over the photo, sRGB, at the photo's size or, where that
    is larger, `LARGEST_RENDER` pixels a side."""
    photo = result.prepared.photo
    whole, size, (left, top) = _places(result, LARGEST_RENDER)
    if whole != photo.pixels.shape[1::-1]:
        picture = cv2.resize(photo.pixels, whole, interpolation=cv2.INTER_AREA)
    else:
        picture = photo.pixels.copy()
    layers = cv2.merge([*cv2.split(cv2.multiply(rgb, cv2.merge([alpha] * 3))), alpha])
    layers = cv2.resize(layers, size, interpolation=_method(size, rgb))
    part = picture[top : top + size[1], left : left + size[0]]
    layers = layers[: part.shape[0], : part.shape[1]]
    part *= 1.0 - layers[..., 3:]
    part += layers[..., :3]
    return picture


Pair = tuple[int, int]


def _places(result: Reconstruction, largest: int) -> tuple[Pair, Pair, Pair]:
    """Size of the photo in a picture of at most `largest` pixels a side, size of the working crop
    there, and its left upper corner: (width, height), (width, height), (left, top)."""
    crop, photo = result.prepared.crop, result.prepared.photo
    share = min(1.0, largest / max(photo.width, photo.height))
    sizes = (photo.width, photo.height), crop.image.shape[1::-1]
    whole, size = (
        (max(1, round(width * factor)), max(1, round(height * factor)))
        for (width, height), factor in zip(sizes, (share, share / crop.scale), strict=True)
    )
    return whole, size, (int(crop.x0 * share), int(crop.y0 * share))


def _method(size: Pair, picture: np.ndarray) -> int:
    return cv2.INTER_LINEAR if size[0] >= picture.shape[1] else cv2.INTER_AREA


def head_views(
    result: Reconstruction,
    loaded: LoadedPack,
    albedo: np.ndarray | None,
    views: tuple[tuple[float, float], ...],
    size: int,
) -> list[np.ndarray]:
    """Pictures of the posed head under studio light, sRGB; grey clay without an albedo."""
    materials = _clay(loaded) if albedo is None else part_materials(loaded, albedo, result.eye)
    vertices = torch.from_numpy(result.vertices)
    geometry = pack_geometry(loaded)
    pictures = render_views(vertices, *geometry, materials, views, size, None, VIEW_SAMPLES)
    return [picture.numpy() for picture in pictures]


def sheet_views(
    result: Reconstruction, loaded: LoadedPack, materials: Sequence[Material]
) -> list[np.ndarray]:
    """The views of compare.png: clay, front, three-quarter, side. sRGB."""
    pictures, looks = [], ([_clay(loaded), materials], [materials], [materials])
    for view, surface, some in zip(VIEWS, result.surfaces.views, looks, strict=True):
        light = studio_light_of(view)
        pictures += [srgb_view(light_surface(surface, look, light)) for look in some]
    return [picture.numpy() for picture in pictures]


def compare_picture(
    result: Reconstruction, views: Sequence[np.ndarray], rgb: np.ndarray, alpha: np.ndarray
) -> np.ndarray:
    """compare.png: photo, overlay, the coarse head; three views, then the maps. sRGB.

    views: of `sheet_views`; rgb, alpha: of `render_crop`.
    """
    crop = result.prepared.crop.image
    clay, front, quarter, side = views
    rows = [
        [(crop, "photo"), (over(rgb, alpha, crop), "fit over photo"), (clay, "shape")],
        [(front, "front"), (quarter, "three-quarter"), (side, "side")],
        [
            (result.coarse, "coarse albedo"),
            (result.detail.detailed, "with detail"),
            (result.detail.albedo, "with photo layer"),
        ],
    ]
    return contact_sheet(rows, TILE)


def preview_picture(vertices: np.ndarray, loaded: LoadedPack, size: int) -> np.ndarray:
    """Grey clay picture of the head while the fit goes on, sRGB."""
    geometry = (torch.from_numpy(vertices), *pack_geometry(loaded))
    looks = [_clay(loaded)]
    return render_view(*geometry, looks, (-25.0, 0.0), size, None, VIEW_SAMPLES)[0].numpy()
