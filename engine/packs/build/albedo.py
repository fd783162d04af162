"""The albedo model of the default pack: made once, kept in `packs/data`, checked and copied here.

Training takes hours and thousands of maps, so a build does not repeat it. The JSON file beside the
model says how it was made.
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...protocol.albedo_pack import AlbedoModel, AlbedoPack, model_from_tensors, read_albedo_tensors
from ...protocol.errors import EngineError, ErrorCode
from ...protocol.pack_manifest import ALBEDO_FILE, AlbedoInfo, PackPart, file_sha256
from ...protocol.strict import from_plain, parse_json, to_plain

DATA = Path(__file__).resolve().parents[1] / "data"
"""Our own tables, part of the project."""
MODEL_FILE = "albedo_256.safetensors"
SOURCE_FILE = "albedo_256.json"
OWN_LICENCE, OWN_ORIGIN = "as this project", "this project"


@dataclass(frozen=True)
class AlbedoSource:
    """What the JSON file says: how the model was made, and of which file it speaks.

    recipe: in words. seed and count: of the generated maps. size: side of the maps in texels;
    components: per channel. figures: what was measured, by name. sha256: of the model's file.
    """

    recipe: str
    seed: int
    count: int
    size: int
    components: int
    figures: dict[str, float]
    sha256: str


@dataclass(frozen=True)
class AlbedoTable:
    """A checked model as it goes into a pack: the tensors of the file, and what is said of it."""

    tensors: dict[str, np.ndarray]
    model: AlbedoModel
    info: AlbedoInfo
    part: PackPart


def load_albedo_table(data: Path = DATA) -> AlbedoTable:
    """The model in `data`. Raises EngineError(PACK_INVALID) unless both files fit together."""
    source = read_source(data)
    if not (data / MODEL_FILE).is_file():
        raise EngineError(
            ErrorCode.PACK_INVALID,
            f"{MODEL_FILE} is not here, so the default pack cannot be built.",
            "The Blender extension comes with the pack already built; build it from the project.",
        )
    found = file_sha256(data / MODEL_FILE, MODEL_FILE)
    if found != source.sha256:
        raise _invalid(f"it speaks of a file with sha256 {source.sha256}, found {found}")
    info = AlbedoInfo(source.size, source.size, source.components)
    tensors = read_albedo_tensors(data, info, MODEL_FILE)
    what = f"{source.recipe}; {source.count} maps, seed {source.seed}"
    part = PackPart("albedo", what, OWN_LICENCE, OWN_ORIGIN, "")
    return AlbedoTable(tensors, model_from_tensors(tensors), info, part)


def read_source(data: Path = DATA) -> AlbedoSource:
    """The JSON file in `data`. Raises EngineError(PACK_INVALID)."""
    try:
        text = (data / SOURCE_FILE).read_bytes()
    except OSError as error:
        raise _invalid(f"it cannot be read ({error.strerror})") from error
    source: AlbedoSource = from_plain(AlbedoSource, parse_json(text, _invalid), "albedo", _invalid)
    return source


def read_figures(file: Path) -> dict[str, float]:
    """A JSON object of names and numbers. Raises EngineError(BAD_INPUT)."""

    def bad(why: str) -> EngineError:
        return EngineError(ErrorCode.BAD_INPUT, f"{file.name} does not hold figures: {why}.")

    try:
        text = file.read_bytes()
    except OSError as error:
        raise bad(f"it cannot be read ({error.strerror})") from error
    figures: dict[str, float] = from_plain(dict[str, float], parse_json(text, bad), "figures", bad)
    return figures


def adopt_albedo_pack(
    pack: AlbedoPack, seed: int, count: int, figures: Mapping[str, float], data: Path = DATA
) -> AlbedoSource:
    """Make a trained albedo pack the model of the default pack: write both files into `data`.

    seed, count: of the maps it was trained on. figures: measured, by name. The licence becomes
    this project's, so the pack must hold nothing of others: PACK_INVALID where a part does.
    """
    if any(part.origin != OWN_ORIGIN for part in pack.manifest.parts):
        raise EngineError(
            ErrorCode.PACK_INVALID, "That albedo pack is not made of this project's maps alone."
        )
    shutil.copyfile(pack.folder / ALBEDO_FILE, data / MODEL_FILE)
    size, components = pack.model.valid.shape[0], pack.model.sigma.shape[1]
    source = AlbedoSource(
        recipe=pack.manifest.recipe,
        seed=seed,
        count=count,
        size=size,
        components=components,
        figures=dict(figures),
        sha256=file_sha256(data / MODEL_FILE, MODEL_FILE),
    )
    text = json.dumps(to_plain(source), indent=2, allow_nan=False)
    (data / SOURCE_FILE).write_text(text + "\n", encoding="utf-8")
    return source


def _invalid(why: str) -> EngineError:
    return EngineError(
        ErrorCode.PACK_INVALID,
        f"{SOURCE_FILE} does not describe the albedo model beside it: {why}.",
        "Get both files again, or make both: python -m engine.packs.calibrate albedo",
    )
