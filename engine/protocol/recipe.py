"""What a head was made of, in one text that a .blend file keeps: enough to make the same again.

It says nothing of a refit's start, locks, edits and pins: a head that was fitted again comes from
its result directory alone.
"""

import json
from dataclasses import dataclass

from .errors import EngineError, ErrorCode
from .job import FILE_SETS, FitJob
from .png import png_size
from .result import ResultPackage
from .result_schema import PackInfo
from .strict import from_plain, parse_json, to_plain


@dataclass(frozen=True)
class Recipe:
    """engine: its version. photos, sha256: paths and sums, the main one first; the rest as in
    `FitJob` and `ResultManifest`."""

    engine: str
    photos: tuple[str, ...]
    sha256: tuple[str, ...]
    face: int
    seed: int
    texture_size: int
    fine_size: int
    pack: PackInfo
    albedo_pack: PackInfo | None = None
    detail_pack: PackInfo | None = None


def recipe_of(result: ResultPackage) -> str:
    """The recipe of a result, one line of ASCII. Raises EngineError(BAD_INPUT)."""
    manifest = result.manifest
    photos = (manifest.photo, *(view.photo for view in manifest.others))
    recipe = Recipe(
        manifest.engine.version,
        tuple(photo.path for photo in photos),
        tuple(photo.sha256 for photo in photos),
        manifest.photo.face,
        manifest.seed,
        png_size(result.path("maps/albedo.png"))[0],
        png_size(result.path("maps/normal.png"))[0],
        manifest.pack,
        manifest.albedo_pack,
        manifest.detail_pack,
    )
    return json.dumps(to_plain(recipe), allow_nan=False)


def job_of(text: str, output: str) -> FitJob:
    """The job that makes a head of a recipe again, as the add-on would ask for it. Raises
    EngineError(BAD_SETTINGS)."""

    def fail(why: str) -> EngineError:
        return EngineError(ErrorCode.BAD_SETTINGS, f"This recipe cannot be read: {why}.")

    recipe: Recipe = from_plain(Recipe, parse_json(text, fail), "recipe", fail)
    albedo, detail = recipe.albedo_pack, recipe.detail_pack
    return FitJob(
        photos=recipe.photos,
        output=output,
        pack=recipe.pack.id,
        seed=recipe.seed,
        face=recipe.face,
        texture_size=recipe.texture_size,
        fine_size=recipe.fine_size,
        albedo=None if albedo is None else albedo.id,
        detail=None if detail is None else detail.id,
        files=FILE_SETS[1],
    )
