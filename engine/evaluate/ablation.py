"""`evaluate ablation`: the paper's recipe with each loss left out in turn."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..fit.loaded import LoadedPack
from ..fit.paper.run import paper_picture, paper_stages
from ..fit.paper.scene import camera_of, landmarks_of, paper_scene
from ..fit.paper.settings import QUICK, PaperSettings, PaperWeights
from ..fit.seen.fitted_photo import FittedPhoto
from ..fit.settings import FitSettings
from ..reporter import NullReporter
from .likeness import FaceCrop, Judge, Likeness, face_crop
from .photos import Row, fit_photo

WITHOUT: dict[str, tuple[str, ...]] = {
    "all losses": (),
    "no photometric": ("photometric",),
    "no landmarks": ("landmarks",),
    "no identity": ("identity",),
    "no features": ("feature",),
    "no consistency": ("consistency",),
    "no shape priors": ("identity_prior", "expression_prior"),
    "no albedo prior": ("albedo_prior",),
    "no detail prior": ("detail_prior",),
    "no even light": ("even_light",),
}
"""Name of a row of the table: the weights that are 0 in it."""


@dataclass(frozen=True)
class Ablated:
    """One recipe on one photo.

    likeness over the face's skin; points: mean distance of the model's 468 landmarks from the
    photo's over the face's height; shape: root mean square of the identity coefficients.
    """

    name: str
    likeness: Likeness
    points: float
    shape: float
    picture: np.ndarray


def ablated(settings: PaperSettings, left_out: tuple[str, ...]) -> PaperSettings:
    """The settings with some weights 0."""
    weights: PaperWeights = replace(settings.weights, **dict.fromkeys(left_out, 0.0))
    return replace(settings, weights=weights)


def ablate_photo(
    photo: FittedPhoto, loaded: LoadedPack, judge: Judge, name: str, settings: PaperSettings
) -> Ablated:
    """Run one recipe on a photo that our own stages fitted."""
    fit = paper_stages(loaded, photo, settings, NullReporter())
    scene = paper_scene(loaded, photo, settings.feature_weight)
    picture = paper_picture(scene, fit)
    crop: FaceCrop = face_crop(photo.prepared.photo.pixels, photo.prepared.landmarks)
    region = picture.covered.numpy() > 0.5
    shown = picture.rgb.numpy()
    found = landmarks_of(scene, fit.values, camera_of(scene, fit.values)).numpy()
    used = loaded.landmarks.weight > 0.0
    distance = np.linalg.norm(found - scene.all_points, axis=1)[used].mean()
    height = float(np.ptp(scene.all_points, axis=0).max())
    identity = fit.values["identity"].numpy()
    return Ablated(
        name,
        judge.likeness(crop, shown, region),
        float(distance) / height,
        float(np.sqrt((identity**2).mean())),
        shown,
    )


def ablation(
    paths: list[Path],
    loaded: LoadedPack,
    settings: FitSettings,
    judge: Judge,
    report: Callable[[str, Ablated], None],
    recipe: PaperSettings = QUICK,
) -> tuple[list[list[Ablated]], list[Row]]:
    """Every recipe of `WITHOUT` on every photo; `report` is called after each.

    Returns the figures by photo, and rows of a contact sheet. Raises EngineError.
    """
    tables, rows = [], []
    for path in paths:
        photo = fit_photo(path, loaded, settings).photos[0]
        crop = face_crop(photo.prepared.photo.pixels, photo.prepared.landmarks)
        row: Row = [(crop.picture, path.stem)]
        table = []
        for name, left_out in WITHOUT.items():
            found = ablate_photo(photo, loaded, judge, name, ablated(recipe, left_out))
            report(path.name, found)
            table.append(found)
            row.append((found.picture, name))
        tables.append(table)
        rows.append(row)
    return tables, rows
