"""What a head was made of, in one text that a .blend file keeps: enough to make the same again,
with the refits and what the artist changed before each."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from .edits import write_edits
from .errors import EngineError, ErrorCode
from .history import FitStep, edits_from_plain
from .job import FILE_SETS, FitJob
from .png import png_size
from .result import ResultPackage
from .result_schema import PackInfo, ResultManifest
from .strict import from_plain, parse_json, to_plain


@dataclass(frozen=True)
class Recipe:
    """engine: its version. photos, sha256: paths and sums, the main one first; the rest as in
    `FitJob` and `ResultManifest`. steps: the fits in their order; recipes of earlier versions have
    none, and are one fit."""

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
    steps: tuple[FitStep, ...] = ()


def history_of(folder: Path, manifest: ResultManifest) -> tuple[FitStep, ...]:
    """The fits that made a result, at least one: results of earlier versions tell of the last only.
    Raises EngineError(BAD_INPUT)."""
    if manifest.history:
        return manifest.history
    sizes = (png_size(folder / f"maps/{name}.png")[0] for name in ("albedo", "normal"))
    return (FitStep(manifest.seed, *sizes),)


def recipe_of(result: ResultPackage) -> str:
    """The recipe of a result, one line of ASCII. Raises EngineError(BAD_INPUT)."""
    manifest = result.manifest
    photos = (manifest.photo, *(view.photo for view in manifest.others))
    steps = history_of(result.folder, manifest)
    recipe = Recipe(
        manifest.engine.version,
        tuple(photo.path for photo in photos),
        tuple(photo.sha256 for photo in photos),
        manifest.photo.face,
        manifest.seed,
        steps[-1].texture_size,
        steps[-1].fine_size,
        manifest.pack,
        manifest.albedo_pack,
        manifest.detail_pack,
        steps,
    )
    return json.dumps(to_plain(recipe), allow_nan=False)


def read_recipe(text: str) -> Recipe:
    """Inverse of `recipe_of`. Raises EngineError(BAD_SETTINGS)."""

    def fail(why: str) -> EngineError:
        return EngineError(ErrorCode.BAD_SETTINGS, f"This recipe cannot be read: {why}.")

    recipe: Recipe = from_plain(Recipe, parse_json(text, fail), "recipe", fail)
    if recipe.steps:
        return recipe
    return replace(recipe, steps=(FitStep(recipe.seed, recipe.texture_size, recipe.fine_size),))


def jobs_of(
    recipe: Recipe, output: str, scratch: Path, files: str = FILE_SETS[1]
) -> Iterator[FitJob]:
    """The jobs that make the head again, each when the one before is done: the last one writes
    `output`, the others into the folder `scratch`, where edits are written too. files: of the last
    job, see `FitJob`. Raises EngineError(BAD_SETTINGS) and OSError."""
    albedo, detail, start = recipe.albedo_pack, recipe.detail_pack, None
    for number, step in enumerate(recipe.steps, 1):
        last = number == len(recipe.steps)
        edits, path = edits_from_plain(step.edits), None
        if edits is not None:
            path = str(scratch / f"{number}.safetensors")
            write_edits(Path(path), edits)
        yield FitJob(
            photos=recipe.photos,
            output=output if last else str(scratch / str(number)),
            pack=recipe.pack.id,
            seed=step.seed,
            face=recipe.face,
            texture_size=step.texture_size,
            fine_size=step.fine_size,
            albedo=None if albedo is None else albedo.id,
            detail=None if detail is None else detail.id,
            start=start,
            locks=step.locks,
            pins=step.pins,
            edits=path,
            files=files if last else FILE_SETS[1],
        )
        start = str(scratch / str(number))
