"""A result's maps, ready to be composed again."""

from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np

from ...engine.protocol.conventions import unit_to_signed
from ...engine.protocol.detail_layers import DetailLayers, compose_albedo, split_detail
from ...engine.protocol.errors import EngineError, ErrorCode
from ...engine.protocol.result import ResultPackage, file_sha256, read_manifest
from ...engine.protocol.result_schema import MANIFEST_NAME, invalid
from ..declarations import PROPERTY
from ..scene.images import COLOUR, DATA, read_file

FIND_IT = "Put it back, or show where it is now."


@dataclass(frozen=True, eq=False)
class DetailSources:
    """coarse (T, T, 3) f32 sRGB; photo (T, T, 3) f32 signed, what the albedo has beyond coarse
    and detail: with all sliders at 1 the albedo is the result's own to the last bit. layers: the
    fitted detail. Channels lie one after the other in memory."""

    coarse: np.ndarray
    photo: np.ndarray
    layers: DetailLayers


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


def load_sources(folder: Path, stamp: str) -> DetailSources:
    """Read the maps of a result. Raises EngineError(BAD_INPUT)."""
    check_result(folder, stamp)
    files = read_manifest(folder).files
    coarse = _planar(_read(folder, files, "albedo_coarse", COLOUR))
    albedo = _planar(_read(folder, files, "albedo", COLOUR))
    if coarse.shape != albedo.shape:
        raise invalid("its albedo maps have different sizes")
    layers = split_detail(unit_to_signed(_read(folder, files, "albedo_detail", DATA)[..., 0]))
    below = compose_albedo(coarse, layers.detail, albedo, 0.0)
    return DetailSources(coarse, np.subtract(albedo, below, out=albedo), layers)


def _read(folder: Path, files: dict[str, str], map_name: str, colourspace: str) -> np.ndarray:
    """(H, W, 4) f32 of a map that is as it was written. Raises EngineError(BAD_INPUT)."""
    name = f"maps/{map_name}.png"
    try:
        if file_sha256(folder / name) != files.get(name):
            raise invalid(f"{name} was changed after it was written (its sha256 differs)")
        return read_file(folder / name, colourspace)
    except (OSError, RuntimeError) as error:
        raise invalid(f"{name} cannot be read") from error


def _planar(pixels: np.ndarray) -> np.ndarray:
    """(H, W, 3) f32 whose channels lie one after the other in memory."""
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(pixels[..., :3], -1, 0)), 0, -1)
