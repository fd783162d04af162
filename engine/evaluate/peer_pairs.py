"""Our fits beside another method's re-renders: the same photos, crops and pixels."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..fit.loaded import LoadedPack
from ..fit.settings import FitSettings
from ..protocol.errors import EngineError
from ..result.pictures import over
from .likeness import COLUMNS, HIGHER_IS_BETTER, Judge, Likeness, crop_at, flat_face
from .likeness_views import crop_render
from .peer import PeerPair, locate_crop, similarity_2d
from .photos import LAYERS, Row, albedo_layers, fit_photo

METHODS = ("flat", "peer", *LAYERS)
"""A face of one colour, the other method, ours with the layers up to each."""


@dataclass(frozen=True)
class PairOutcome:
    """likeness by METHODS over the pixels that both methods cover, or the error in plain words."""

    name: str
    likeness: dict[str, Likeness]
    pixels: int
    seconds: float
    error: str
    tiles: Row


def _crop_landmarks(judge: Judge, picture: np.ndarray) -> np.ndarray | None:
    """(468, 2) of the largest face of a picture; None where none is found."""
    faces = judge.nets.detect_faces(picture)
    return judge.nets.face_mesh(picture, faces[0]).points[:, :2] if faces else None


def evaluate_pair(
    pair: PeerPair, loaded: LoadedPack, settings: FitSettings, judge: Judge
) -> PairOutcome:
    """Fit the pair's photo and judge both on the pair's own crop; errors as in `photos`."""
    start = time.perf_counter()
    try:
        result = fit_photo(pair.photo, loaded, settings)
        seconds = time.perf_counter() - start
    except EngineError as error:
        return PairOutcome(pair.name, {}, 0, time.perf_counter() - start, str(error), [])
    photo, landmarks = result.prepared.photo.pixels, result.prepared.landmarks
    points = _crop_landmarks(judge, pair.picture)
    if points is None:
        return PairOutcome(pair.name, {}, 0, seconds, "no face was found in the crop", [])
    matrix = locate_crop(photo, pair.picture, similarity_2d(points, landmarks[:, :2]))
    crop = crop_at(photo, landmarks, matrix)
    renders = {
        name: crop_render(result, loaded, albedo, crop)
        for name, albedo in albedo_layers(result).items()
    }
    region = pair.covered & (renders["photo"][1] > 0.99)
    pictures = {"flat": flat_face(crop, region), "peer": pair.render}
    pictures |= {name: rgb for name, (rgb, _) in renders.items()}
    likeness = {name: judge.likeness(crop, pictures[name], region) for name in METHODS}
    inside = region.astype(np.float32)
    tiles: Row = [(crop.picture, pair.name)]
    for name in METHODS[1:]:
        found = likeness[name]
        text = f"{name} {found.psnr:.1f} {found.ssim:.2f} {found.identity:.3f} {found.feature:.2f}"
        tiles.append((over(pictures[name], inside, crop.picture), text))
    return PairOutcome(pair.name, likeness, int(region.sum()), seconds, "", tiles)


def evaluate_pairs(
    pairs: list[PeerPair],
    loaded: LoadedPack,
    settings: FitSettings,
    judge: Judge,
    report: Callable[[PairOutcome], None],
) -> list[PairOutcome]:
    """Every pair in turn; `report` is called after each."""
    outcomes = []
    for pair in pairs:
        outcomes.append(evaluate_pair(pair, loaded, settings, judge))
        report(outcomes[-1])
    return outcomes


def mean_likeness(found: list[dict[str, Likeness]], method: str) -> Likeness | None:
    """Mean of each column of one method; None without photos."""
    rows = [likeness[method] for likeness in found if likeness]
    if not rows:
        return None
    levels = [float(np.mean([getattr(row, column) for row in rows])) for column in COLUMNS]
    lpips = [row.lpips for row in rows if row.lpips is not None]
    return Likeness(*levels, float(np.mean(lpips)) if lpips else None)


def ahead(outcomes: list[PairOutcome], method: str) -> dict[str, int]:
    """In how many pairs a method of ours is better than the peer, by column."""
    fitted = [outcome.likeness for outcome in outcomes if outcome.likeness]
    counts = {}
    for column in COLUMNS:
        sign = 1.0 if column in HIGHER_IS_BETTER else -1.0
        counts[column] = sum(
            sign * getattr(likeness[method], column) > sign * getattr(likeness["peer"], column)
            for likeness in fitted
        )
    return counts
