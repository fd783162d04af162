"""A result's maps, ready to be composed again."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import bpy
import numpy as np

from ...engine.protocol.conventions import unit_to_signed
from ...engine.protocol.detail import DETAIL_SIZE
from ...engine.protocol.detail_layers import DetailLayers, compose_steps, split_detail
from ...engine.protocol.detail_regions import beard_mask, region_weights
from ...engine.protocol.errors import EngineError, ErrorCode
from ...engine.protocol.relief import coarse_slopes, shown_relief, slopes_of, square_slope
from ...engine.protocol.resample import resample
from ...engine.protocol.result import ResultPackage, file_sha256, read_manifest
from ...engine.protocol.result_schema import MANIFEST_NAME, invalid
from ..declarations import PROPERTY
from ..scene.images import COLOUR, DATA, read_steps

SKETCH_SIZE = DETAIL_SIZE
"""Texels a side of the albedo while a slider is dragged."""
LOOK = 0.01
"""Seconds between two looks at a thread."""
FIND_IT = "Put it back, or show where it is now."


@dataclass(frozen=True, eq=False)
class AlbedoMaps:
    """coarse (T, T, 3) f32 sRGB; photo (T, T, 3) f32 signed, what the albedo has beyond coarse
    and detail: with all sliders at 1 the albedo is the result's own to the last bit. Channels lie
    one after the other in memory."""

    coarse: np.ndarray
    photo: np.ndarray


@dataclass(frozen=True, eq=False)
class DetailSources(AlbedoMaps):
    """layers: the fitted detail. small: the maps at 512 texels where they are larger, for the
    time in which a slider is dragged."""

    layers: DetailLayers
    small: AlbedoMaps


@dataclass(frozen=True, eq=False)
class ReliefSources:
    """slopes (2, S, S) f32 of the normal map; bands (2, 2, 512, 512), see `relief.coarse_slopes`;
    roughness (S, S) f32; shown (128, 128), see `relief.shown_relief`. Row 0 on top."""

    slopes: np.ndarray
    bands: np.ndarray
    roughness: np.ndarray
    shown: np.ndarray


def describe_detail(root: bpy.types.Object, result: ResultPackage, albedo: bpy.types.Image) -> None:
    """Fill what a new head's sliders need to know."""
    detail = getattr(root, PROPERTY).detail
    detail.albedo = albedo
    detail.stamp = file_sha256(result.folder / MANIFEST_NAME)
    detail.fitted = "detail" in result.coefficients


def check_result(folder: Path, stamp: str) -> None:
    """Raises EngineError(BAD_INPUT) unless `folder` holds the very result, by its sha256."""
    try:
        found = file_sha256(folder / MANIFEST_NAME)
    except OSError as error:
        raise EngineError(
            ErrorCode.BAD_INPUT, f"This head's result folder was not found: {folder}", FIND_IT
        ) from error
    if found != stamp:
        raise EngineError(
            ErrorCode.BAD_INPUT, f"{folder} holds another result than this head's.", FIND_IT
        )


def source_steps(folder: Path, stamp: str) -> Generator[float | None, None, DetailSources]:
    """Read the maps of a result, in steps that are short at any size; seconds to wait where they
    must. Raises EngineError(BAD_INPUT)."""
    check_result(folder, stamp)
    files = read_manifest(folder).files
    masks = Thread(target=_draw_masks, daemon=True)
    masks.start()
    while masks.is_alive():
        yield LOOK
    coarse = _planar((yield from _read_steps(folder, files, "albedo_coarse", COLOUR)))
    yield
    albedo = _planar((yield from _read_steps(folder, files, "albedo", COLOUR)))
    if coarse.shape != albedo.shape:
        raise invalid("its albedo maps have different sizes")
    yield
    stored = yield from _read_steps(folder, files, "albedo_detail", DATA)
    layers = split_detail(unit_to_signed(stored[..., 0]))
    yield
    photo, detail = np.empty_like(coarse), resample(layers.detail, len(coarse))
    yield
    yield from compose_steps(coarse, detail, albedo, 0.0, photo)
    np.subtract(albedo, photo, out=photo)
    yield
    small = AlbedoMaps((yield from _small_steps(coarse)), (yield from _small_steps(photo)))
    return DetailSources(coarse, photo, layers, small)


def relief_steps(folder: Path, stamp: str) -> Generator[None, None, ReliefSources]:
    """Read the normal and roughness maps of a result, in short steps. Raises BAD_INPUT."""
    normal = yield from map_steps(folder, stamp, "normal")
    yield
    roughness = (yield from map_steps(folder, stamp, "roughness"))[..., 0].copy()
    if normal.shape[:2] != roughness.shape:
        raise invalid("its normal and roughness maps have different sizes")
    slopes = np.empty((2, *roughness.shape), np.float32)
    square = np.empty_like(roughness)
    for rows in strips(len(normal)):
        signed = unit_to_signed(normal[rows, :, :3])
        slopes[:, rows], square[rows] = slopes_of(signed), square_slope(signed)
        yield
    return ReliefSources(slopes, coarse_slopes(slopes), roughness, shown_relief(square))


def map_steps(folder: Path, stamp: str, name: str) -> Generator[None, None, np.ndarray]:
    """(S, S, 4) f32 of a data map as it is stored, row 0 on top. Raises BAD_INPUT."""
    check_result(folder, stamp)
    return (yield from _read_steps(folder, read_manifest(folder).files, name, DATA))


def strips(size: int) -> Iterator[slice]:
    """Rows of a square map, about a quarter of a million texels at a time."""
    step = max(1, (1 << 18) // size)
    return (slice(row, row + step) for row in range(0, size, step))


def _draw_masks() -> None:
    """In a thread: what `detail_regions` draws once takes longer than a step may."""
    beard_mask()
    region_weights()


def _small_steps(image: np.ndarray) -> Generator[None, None, np.ndarray]:
    """(T, T, 3) planar at `SKETCH_SIZE` texels, the image itself when it is no larger."""
    if len(image) <= SKETCH_SIZE:
        return image
    planes = []
    for channel in range(3):
        planes.append(resample(image[..., channel], SKETCH_SIZE))
        yield
    return np.moveaxis(np.stack(planes), 0, -1)


def _read_steps(
    folder: Path, files: dict[str, str], map_name: str, colourspace: str
) -> Generator[None, None, np.ndarray]:
    """(H, W, 4) f32 of a map that is as it was written. Raises EngineError(BAD_INPUT)."""
    name = f"maps/{map_name}.png"
    try:
        if file_sha256(folder / name) != files.get(name):
            raise invalid(f"{name} was changed after it was written (its sha256 differs)")
        yield
        return (yield from read_steps(folder / name, colourspace))
    except (OSError, RuntimeError) as error:
        raise invalid(f"{name} cannot be read") from error


def _planar(pixels: np.ndarray) -> np.ndarray:
    """(H, W, 3) f32 whose channels lie one after the other in memory."""
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(pixels[..., :3], -1, 0)), 0, -1)
