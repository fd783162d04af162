"""`evaluate photos`: fit every photo of a folder, tabulate the figures, lay out a contact sheet."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..fit.loaded import LoadedPack
from ..fit.pictures import head_views, render_crop
from ..fit.pipeline import measure
from ..fit.reconstruct import Reconstruction, StageClock, reconstruct
from ..fit.request import FitRequest
from ..fit.settings import FitSettings
from ..photo.load import load_photo
from ..protocol.conventions import signed_to_unit
from ..protocol.errors import EngineError
from ..reporter import NullReporter
from ..result.pictures import over
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

    metrics: see `pipeline.measure`, and psnr_X in dB for each residual_X. tiles: a row of the
    contact sheet; zoom: one of the close-ups.
    """

    name: str
    metrics: dict[str, float]
    seconds: float
    error: str
    tiles: Row
    zoom: Row


def list_photos(folder: Path) -> list[Path]:
    """Pictures of a folder, by name."""
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES)


def _metrics(result: Reconstruction, rgb: np.ndarray) -> dict[str, float]:
    """Figures of a fit; PSNR of a residual r is -20 log10 r."""
    figures = measure(result, rgb)
    levels = {
        f"psnr_{name}": -20.0 * math.log10(max(figures[f"residual_{name}"], 1e-6))
        for name in LAYERS
    }
    return figures | levels


def _tiles(result: Reconstruction, loaded: LoadedPack, name: str) -> tuple[Row, dict[str, float]]:
    rgb, alpha = render_crop(result, loaded, result.detail.albedo)
    crop, detail = result.prepared.crop.image, result.detail
    below = [
        head_views(result, loaded, x, FRONT, TILE)[0] for x in (result.coarse, detail.detailed)
    ]
    front, side = head_views(result, loaded, detail.albedo, SHEET_VIEWS, TILE)
    clay = head_views(result, loaded, None, SHEET_VIEWS[1:], TILE)[0]
    metrics = _metrics(result, rgb)
    shares = [f"{100 * metrics[f'share_{layer}']:.0f} %" for layer in LAYERS]
    row = [
        (crop, name),
        (over(rgb, alpha, crop), f"landmarks {100 * metrics['landmark_error']:.2f} %"),
        (clay, "shape"),
        (below[0], f"coarse {metrics['psnr_coarse']:.1f} dB, {shares[0]}"),
        (below[1], f"detail {metrics['psnr_detail']:.1f} dB, {shares[1]}"),
        (front, f"photo layer {metrics['psnr_photo']:.1f} dB, {shares[2]}"),
        (side, "side"),
        (result.coarse, "coarse"),
        (detail.detailed, "with detail"),
        (signed_to_unit(np.repeat(4.0 * detail.detail[..., None], 3, axis=-1)), "detail x 4"),
        (detail.albedo, "with photo layer"),
    ]
    return row, metrics


def evaluate_photo(
    path: Path, loaded: LoadedPack, settings: FitSettings, zoom: bool
) -> PhotoOutcome:
    """Fit one photo; an unusable one gives its error instead of raising. zoom: with close-ups."""
    reporter, start = NullReporter(), time.perf_counter()
    try:
        photo = load_photo(path)
        clock = StageClock(reporter)
        request = FitRequest(texture_size=TEXTURE_SIZE)
        result = reconstruct(
            (photo,), loaded, request, settings, reporter, clock, lambda vertices: None
        )
    except EngineError as error:
        return PhotoOutcome(path.name, {}, time.perf_counter() - start, str(error), [], [])
    seconds = time.perf_counter() - start
    row, metrics = _tiles(result, loaded, path.stem)
    close = zoom_tiles(result, loaded, path.stem) if zoom else []
    return PhotoOutcome(path.name, metrics, seconds, "", row, close)


def evaluate_photos(
    paths: list[Path],
    loaded: LoadedPack,
    settings: FitSettings,
    report: Callable[[PhotoOutcome], None],
    zoom: bool = False,
) -> list[PhotoOutcome]:
    """Every photo in turn; `report` is called after each; zoom: with close-ups."""
    outcomes = []
    for path in paths:
        outcomes.append(evaluate_photo(path, loaded, settings, zoom))
        report(outcomes[-1])
    return outcomes


def medians(outcomes: list[PhotoOutcome]) -> dict[str, float]:
    """Median of each figure over the photos that were fitted."""
    fitted = [outcome.metrics for outcome in outcomes if not outcome.error]
    return {
        name: float(np.median([metrics[name] for metrics in fitted]))
        for name in (fitted[0] if fitted else ())
    }
