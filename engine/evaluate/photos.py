"""`evaluate photos`: fit every photo of a folder, tabulate the figures, lay out a contact sheet."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..fit.loaded import LoadedPack
from ..fit.pictures import head_views, painted, render_crop
from ..fit.pipeline import measure
from ..fit.reconstruct import Reconstruction, StageClock, reconstruct
from ..fit.request import FitRequest
from ..fit.settings import FitSettings
from ..photo.load import load_photo
from ..protocol.conventions import signed_to_unit
from ..protocol.errors import EngineError
from ..reporter import NullReporter
from ..result.pictures import over
from .likeness import FaceCrop, Judge, Likeness, face_crop
from .likeness_views import crop_render, face_region, front_render
from .photo_zoom import zoom_tiles

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff")
TEXTURE_SIZE = 1024
TILE = 320
FRONT = ((0.0, 0.0),)
SHEET_VIEWS = (*FRONT, (50.0, 5.0))

Row = list[tuple[np.ndarray, str]]


LAYERS = ("coarse", "detail", "photo")
"""Of the albedo, from below; figures are of the render up to each."""


@dataclass(frozen=True)
class PhotoOutcome:
    """One photo: figures and seconds, or the error in plain words.

    metrics: see `pipeline.measure`, psnr_X in dB for each residual_X, front_identity: identity
    distance of the head from the front in neutral light; likeness: of the render up to each layer
    at 224 pixels. tiles: a row of the contact sheet; zoom: one of the close-ups.
    """

    name: str
    metrics: dict[str, float]
    likeness: dict[str, Likeness]
    seconds: float
    error: str
    tiles: Row
    zoom: Row


def list_photos(folder: Path) -> list[Path]:
    """Pictures of a folder, by name."""
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES)


def albedo_layers(result: Reconstruction) -> dict[str, np.ndarray]:
    """The albedo up to each of `LAYERS`, (T, T, 3) sRGB."""
    maps = (result.coarse, result.detail.detailed, result.detail.albedo)
    return dict(zip(LAYERS, maps, strict=True))


def layer_likeness(
    result: Reconstruction, loaded: LoadedPack, crop: FaceCrop, region: np.ndarray, judge: Judge
) -> dict[str, Likeness]:
    """Likeness of the render up to each layer over a region (224, 224) bool of the crop."""
    return {
        name: judge.likeness(crop, crop_render(result, loaded, albedo, crop)[0], region)
        for name, albedo in albedo_layers(result).items()
    }


def _metrics(
    result: Reconstruction, loaded: LoadedPack, rgb: np.ndarray, crop: FaceCrop, judge: Judge
) -> dict[str, float]:
    """Figures of a fit; PSNR of a residual r is -20 log10 r."""
    figures = measure(result, rgb)
    levels = {
        f"psnr_{name}": -20.0 * math.log10(max(figures[f"residual_{name}"], 1e-6))
        for name in LAYERS
    }
    front = judge.embed(*front_render(result, loaded, result.detail.albedo))
    photo = judge.embed(crop.picture, crop.points)
    return figures | levels | {"front_identity": judge.identity_distance(front, photo)}


def _tiles(
    result: Reconstruction, loaded: LoadedPack, name: str, rgb: np.ndarray, alpha: np.ndarray
) -> Row:
    crop, detail, errors = result.prepared.crop.image, result.detail, result.layer_errors
    below = [
        head_views(result, loaded, x, FRONT, TILE)[0] for x in (result.coarse, detail.detailed)
    ]
    front, side = head_views(result, loaded, detail.albedo, SHEET_VIEWS, TILE)
    clay = head_views(result, loaded, None, SHEET_VIEWS[1:], TILE)[0]
    shares = [f"{100 * errors[f'share_{layer}']:.0f} %" for layer in LAYERS]
    return [
        (crop, name),
        (over(rgb, alpha, crop), f"landmarks {100 * result.shape.relative_error:.2f} %"),
        (clay, "shape"),
        (below[0], f"coarse {shares[0]}"),
        (below[1], f"detail {shares[1]}"),
        (front, f"photo layer {shares[2]}"),
        (side, "side"),
        (result.coarse, "coarse"),
        (detail.detailed, "with detail"),
        (signed_to_unit(np.repeat(4.0 * detail.detail[..., None], 3, axis=-1)), "detail x 4"),
        (detail.albedo, "with photo layer"),
    ]


def fit_photo(path: Path, loaded: LoadedPack, settings: FitSettings) -> Reconstruction:
    """Fit one photo. Raises EngineError."""
    reporter = NullReporter()
    request = FitRequest(texture_size=TEXTURE_SIZE, sheet=True)
    return reconstruct(
        (load_photo(path),),
        loaded,
        request,
        settings,
        reporter,
        StageClock(reporter),
        lambda vertices: None,
    )


def evaluate_photo(
    path: Path, loaded: LoadedPack, settings: FitSettings, judge: Judge, zoom: bool
) -> PhotoOutcome:
    """Fit one photo; an unusable one gives its error instead of raising. zoom: with close-ups."""
    start = time.perf_counter()
    try:
        result = fit_photo(path, loaded, settings)
    except EngineError as error:
        return PhotoOutcome(path.name, {}, {}, time.perf_counter() - start, str(error), [], [])
    seconds = time.perf_counter() - start
    rgb, alpha = render_crop(result, painted(result, loaded, result.detail.albedo))
    crop = face_crop(result.prepared.photo.pixels, result.prepared.landmarks)
    metrics = _metrics(result, loaded, rgb, crop, judge)
    likeness = layer_likeness(result, loaded, crop, face_region(result, loaded, crop), judge)
    row = _tiles(result, loaded, path.stem, rgb, alpha)
    close = zoom_tiles(result, loaded, path.stem) if zoom else []
    return PhotoOutcome(path.name, metrics, likeness, seconds, "", row, close)


def evaluate_photos(
    paths: list[Path],
    loaded: LoadedPack,
    settings: FitSettings,
    judge: Judge,
    report: Callable[[PhotoOutcome], None],
    zoom: bool = False,
) -> list[PhotoOutcome]:
    """Every photo in turn; `report` is called after each; zoom: with close-ups."""
    outcomes = []
    for path in paths:
        outcomes.append(evaluate_photo(path, loaded, settings, judge, zoom))
        report(outcomes[-1])
    return outcomes


def medians(outcomes: list[PhotoOutcome]) -> dict[str, float]:
    """Median of each figure over the photos that were fitted."""
    fitted = [outcome.metrics for outcome in outcomes if not outcome.error]
    return {
        name: float(np.median([metrics[name] for metrics in fitted]))
        for name in (fitted[0] if fitted else ())
    }


def worst(outcomes: list[PhotoOutcome], count: int) -> list[PhotoOutcome]:
    """The photos whose render with coarse albedo and detail the identity network knows least."""
    fitted = [outcome for outcome in outcomes if not outcome.error]
    return sorted(fitted, key=lambda outcome: -outcome.likeness["detail"].identity)[:count]
