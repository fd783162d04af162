"""`evaluate photos`: fit every photo of a folder, tabulate the figures, lay out a contact sheet."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..fit.loaded import LoadedPack
from ..fit.pictures import head_views, render_crop
from ..fit.pipeline import measure
from ..fit.reconstruct import Reconstruction, StageClock, reconstruct
from ..fit.settings import FitSettings
from ..photo.load import load_photo
from ..protocol.errors import EngineError
from ..reporter import NullReporter
from ..result.pictures import over

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff")
TEXTURE_SIZE = 1024
TILE = 320
SHEET_VIEWS = ((0.0, 0.0), (50.0, 5.0))

Row = list[tuple[np.ndarray, str]]


@dataclass(frozen=True)
class PhotoOutcome:
    """One photo: figures (see `pipeline.measure`) and seconds, or the error in plain words."""

    name: str
    metrics: dict[str, float]
    seconds: float
    error: str
    tiles: Row


def list_photos(folder: Path) -> list[Path]:
    """Pictures of a folder, by name."""
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES)


def _tiles(result: Reconstruction, loaded: LoadedPack, name: str) -> tuple[Row, dict[str, float]]:
    rgb, alpha = render_crop(result, loaded, result.detail.albedo)
    crop = result.prepared.crop.image
    front, side = head_views(result, loaded, result.detail.albedo, SHEET_VIEWS, TILE)
    clay = head_views(result, loaded, None, SHEET_VIEWS[1:], TILE)[0]
    metrics = measure(result, rgb)
    row = [
        (crop, name),
        (over(rgb, alpha, crop), f"landmarks {100 * metrics['landmark_error']:.2f} %"),
        (clay, "shape"),
        (front, "front"),
        (side, "side"),
        (result.coarse, f"coarse {metrics['coarse_residual']:.3f}"),
        (result.detail.albedo, f"PSNR {metrics['render_psnr']:.1f} dB"),
    ]
    return row, metrics


def evaluate_photo(path: Path, loaded: LoadedPack, settings: FitSettings) -> PhotoOutcome:
    """Fit one photo; an unusable one gives its error instead of raising."""
    reporter, start = NullReporter(), time.perf_counter()
    try:
        photo = load_photo(path)
        clock = StageClock(reporter)
        result = reconstruct(
            photo, loaded, None, TEXTURE_SIZE, settings, reporter, clock, lambda vertices: None
        )
    except EngineError as error:
        return PhotoOutcome(path.name, {}, time.perf_counter() - start, str(error), [])
    seconds = time.perf_counter() - start
    row, metrics = _tiles(result, loaded, path.stem)
    return PhotoOutcome(path.name, metrics, seconds, "", row)


def evaluate_photos(
    paths: list[Path],
    loaded: LoadedPack,
    settings: FitSettings,
    report: Callable[[PhotoOutcome], None],
) -> list[PhotoOutcome]:
    """Every photo in turn; `report` is called after each."""
    outcomes = []
    for path in paths:
        outcomes.append(evaluate_photo(path, loaded, settings))
        report(outcomes[-1])
    return outcomes


def medians(outcomes: list[PhotoOutcome]) -> dict[str, float]:
    """Median of each figure over the photos that were fitted."""
    fitted = [outcome.metrics for outcome in outcomes if not outcome.error]
    return {
        name: float(np.median([metrics[name] for metrics in fitted]))
        for name in (fitted[0] if fitted else ())
    }
