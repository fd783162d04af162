"""`evaluate scans`: millimetres between fitted heads and scans of the same people.

Every mesh is brought onto the scan by the similarity that fits best, so size and place do not
count, only shape. Scans have no common unit: each is sized once so that its landmarks fit the
model's mean head, whatever is measured against it.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..fit.loaded import LoadedPack
from ..fit.seen.geometry import head_shape
from ..fit.settings import FitSettings, shape_settings
from ..fit.shape.regressed import believed_view
from ..fit.shape.stage import ShapeFit, fit_shapes
from ..fit.shape.view import ShapeView
from ..photo.load import Photo
from ..photo.prepare import prepare_photo
from ..protocol.errors import EngineError
from ..reporter import NullReporter, Reporter
from .scans_cache import scan_with_views
from .scans_files import scan_folders
from .scans_fit import Scan, fit_model, scan_distances
from .scans_regions import REGIONS

Photos = Mapping[str, Photo]
Millimetres = Mapping[str, float]
"""Mean distances by region, and "all"."""


@dataclass(frozen=True, eq=False)
class ViewOutcome:
    """One photo. picture (h, w, 3) sRGB, what the fit looked at; ours, neutral: the fitted head
    with and without its expression; vertices (V, 3) with it. error: why there is no fit, or ""."""

    name: str
    picture: np.ndarray
    ours: Millimetres
    neutral: Millimetres
    vertices: np.ndarray
    fit: ShapeFit | None
    seconds: float
    error: str


@dataclass(frozen=True, eq=False)
class ScanOutcome:
    """One scan. mean: the model's mean head; floor: the model fitted to the scan, closest (V, 3)
    its vertices; together: one identity for all photos (the average over their expressions);
    other: the other scans' fits of their most frontal photo. Each empty where there is none."""

    scan: Scan
    closest: np.ndarray
    mean: Millimetres
    floor: Millimetres
    views: tuple[ViewOutcome, ...]
    together: Millimetres
    other: Millimetres


def millimetres(scan: Scan, vertices: np.ndarray, loaded: LoadedPack) -> Millimetres:
    """Mean distance of a mesh (V, 3) of the model from the scan, by region."""
    distance = 1000.0 * scan_distances(scan, vertices, loaded)
    figures = {"all": float(distance.mean())}
    for number, name in enumerate(REGIONS):
        chosen = scan.region == number
        if chosen.any():
            figures[name] = float(distance[chosen].mean())
    return figures


def average(rows: Sequence[Millimetres]) -> Millimetres:
    """Mean of each figure."""
    names = rows[0].keys() if rows else ()
    return {name: float(np.mean([row[name] for row in rows if name in row])) for name in names}


def evaluate_scans(
    folder: Path,
    packs: Sequence[LoadedPack],
    settings: FitSettings,
    reporter: Reporter,
    cache: Path | None,
) -> tuple[tuple[ScanOutcome, ...], ...]:
    """The outcomes of all scans of a folder, for each pack.

    The first pack places the scans, chooses their points and paints those without colours, so
    that all packs see the same photos and are measured at the same points in the same size.
    Raises Cancelled and EngineError(BAD_INPUT).
    """
    outcomes: list[list[ScanOutcome]] = [[] for _ in packs]
    folders = scan_folders(folder)
    for done, (each, mesh) in enumerate(folders):
        reporter.progress(done, len(folders))
        placed = scan_with_views(each, mesh, packs[0], cache)
        if placed is None:
            continue
        for number, loaded in enumerate(packs):
            outcomes[number].append(_evaluate(*placed, packs[0], loaded, settings))
    return tuple(
        tuple(_with_others(outcome, rows, loaded) for outcome in rows)
        for rows, loaded in zip(outcomes, packs, strict=True)
    )


def _evaluate(
    scan: Scan, photos: Photos, first: LoadedPack, loaded: LoadedPack, settings: FitSettings
) -> ScanOutcome:
    closest = scan.floor
    if loaded is not first:
        closest = fit_model(loaded, scan.vertices, scan.triangles, scan.marks)
    views, seen = [], []
    for name, photo in photos.items():
        try:
            prepared = prepare_photo(photo, loaded.nets, None, settings.prepare, NullReporter())
        except EngineError as error:
            empty = np.empty((0, 3))
            views.append(ViewOutcome(name, photo.pixels, {}, {}, empty, None, 0.0, error.message))
            continue
        view = believed_view(prepared, loaded)
        seen.append(view)
        begin = time.perf_counter()
        fit = _fit((view,), loaded, settings)[0]
        seconds = time.perf_counter() - begin
        shapes = head_shape(loaded.head, fit.identity, fit.expression)
        ours, neutral = (millimetres(scan, shape, loaded) for shape in shapes)
        picture = prepared.crop.image
        views.append(ViewOutcome(name, picture, ours, neutral, shapes[0], fit, seconds, ""))
    return ScanOutcome(
        scan,
        closest,
        millimetres(scan, loaded.head.mean, loaded),
        millimetres(scan, closest, loaded),
        tuple(views),
        _together(scan, seen, loaded, settings),
        {},
    )


def _fit(
    views: Sequence[ShapeView], loaded: LoadedPack, settings: FitSettings
) -> tuple[ShapeFit, ...]:
    names = loaded.head.expression_names
    suited = shape_settings(settings.shape, loaded.pack.manifest.fit)
    return fit_shapes(loaded.landmarks, names, views, suited, NullReporter())


def _together(
    scan: Scan, views: Sequence[ShapeView], loaded: LoadedPack, settings: FitSettings
) -> Millimetres:
    if len(views) < 2:
        return {}
    fits = _fit(views, loaded, settings)
    expression = np.mean([fit.expression for fit in fits], axis=0)
    return millimetres(scan, head_shape(loaded.head, fits[0].identity, expression)[0], loaded)


def _with_others(
    outcome: ScanOutcome, outcomes: Sequence[ScanOutcome], loaded: LoadedPack
) -> ScanOutcome:
    rows = []
    for other in outcomes:
        best = most_frontal(other)
        if other is not outcome and best is not None:
            rows.append(millimetres(outcome.scan, best.vertices, loaded))
    return replace(outcome, other=average(rows))


def most_frontal(outcome: ScanOutcome) -> ViewOutcome | None:
    """The view whose fitted head looks most into the camera."""
    fitted = [view for view in outcome.views if view.fit is not None]
    return min(fitted, key=lambda view: view.fit.rotation[2, 2], default=None)


@dataclass(frozen=True)
class Summary:
    """Over all views of all scans: mean of the mean head's and of our error, millimetres; gain:
    how much lower ours is, a share; worst: the largest ratio of ours to the mean head's, and
    where."""

    mean: float
    ours: float
    gain: float
    worst: float
    where: str


def summary(outcomes: Sequence[ScanOutcome]) -> Summary:
    """The figures that count. Raises ValueError without any fitted view."""
    rows = [
        (outcome.mean["all"], view.ours["all"], f"{outcome.scan.name}, {view.name}")
        for outcome in outcomes
        for view in outcome.views
        if view.ours
    ]
    mean, ours = (float(np.mean([row[column] for row in rows])) for column in (0, 1))
    worst = max(rows, key=lambda row: row[1] / row[0])
    return Summary(mean, ours, 1.0 - ours / mean, worst[1] / worst[0], worst[2])
