"""Close-ups of a fitted photo: eyes, mouth and forehead with each layer, beside the photo."""

import cv2
import numpy as np

from ..fit.loaded import LoadedPack
from ..fit.pictures import crop_view, painted, render_lit
from ..fit.reconstruct import Reconstruction
from ..head.camera import crop_camera, resize_camera
from ..result.pictures import over

REGIONS = {
    "eyes": ((33, 133, 362, 263), 0.66),
    "mouth": ((13, 14, 61, 291), 0.46),
    "forehead": ((9, 10, 109, 338), 0.46),
}
"""Landmarks (MediaPipe's 468) whose mean is the middle, and the side over the face's height. Ours:
on a sheet, about twice the size of a whole crop's tile."""
ZOOM_TILE = 256

Tiles = list[tuple[np.ndarray, str]]


def region_window(result: Reconstruction, region: str) -> tuple[float, float, float]:
    """Corner x, y and side of a region, in pixels of the working crop."""
    crop = result.prepared.crop
    points = (result.prepared.landmarks[:, :2] - (crop.x0, crop.y0)) * crop.scale
    chosen, share = REGIONS[region]
    side = share * float(np.ptp(points, axis=0).max())
    x, y = points[list(chosen)].mean(axis=0) - side / 2.0
    return float(x), float(y), side


def photo_window(image: np.ndarray, x: float, y: float, side: float) -> np.ndarray:
    """(ZOOM_TILE, ZOOM_TILE, 3) of a window of the picture; its edge repeats outside."""
    scale = side / ZOOM_TILE
    shift = 0.5 * scale - 0.5  # pixel centres at one half
    matrix = np.array([[scale, 0.0, x + shift], [0.0, scale, y + shift]])
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    size = (ZOOM_TILE, ZOOM_TILE)
    found = cv2.warpAffine(image, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.clip(found, 0.0, 1.0)


def zoom_tiles(result: Reconstruction, loaded: LoadedPack, name: str) -> Tiles:
    """Photo, coarse, with detail, with photo layer; of each region in turn, seen as the photo."""
    tiles: Tiles = []
    maps = {
        "coarse": result.coarse,
        "detail": result.detail.detailed,
        "photo layer": result.detail.albedo,
    }
    camera = crop_view(result)
    for region in REGIONS:
        x, y, side = region_window(result, region)
        photo = photo_window(result.prepared.crop.image, x, y, side)
        tiles.append((photo, f"{name} {region}"))
        cut = max(1, round(side))
        near = resize_camera(crop_camera(camera, x, y, cut, cut), ZOOM_TILE, ZOOM_TILE)
        for layer, texture in maps.items():
            rgb, alpha = render_lit(result, loaded, painted(result, loaded, texture), near, 2)
            tiles.append((over(rgb, alpha, photo), layer))
    return tiles
