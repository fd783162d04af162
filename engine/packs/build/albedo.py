"""The albedo model of the default pack: kept in `packs/data`, checked and copied here."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...protocol.albedo_pack import AlbedoModel, AlbedoPack, model_from_tensors, read_albedo_tensors
from ...protocol.errors import EngineError, ErrorCode
from ...protocol.pack_manifest import ALBEDO_FILE, AlbedoInfo, PackPart, file_sha256
from .own_model import (
    DATA,
    check_model_file,
    check_own,
    own_part,
    read_json_file,
    write_json_file,
)

MODEL_FILE = "albedo_256.safetensors"
SOURCE_FILE = "albedo_256.json"


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
    check_model_file(data / MODEL_FILE, source.sha256, _invalid)
    info = AlbedoInfo(source.size, source.size, source.components)
    tensors = read_albedo_tensors(data, info, MODEL_FILE)
    part = own_part("albedo", source.recipe, source.count, source.seed)
    return AlbedoTable(tensors, model_from_tensors(tensors), info, part)


def read_source(data: Path = DATA) -> AlbedoSource:
    """The JSON file in `data`. Raises EngineError(PACK_INVALID)."""
    source: AlbedoSource = read_json_file(AlbedoSource, data / SOURCE_FILE, "albedo", _invalid)
    return source


def adopt_albedo_pack(
    pack: AlbedoPack, seed: int, count: int, figures: Mapping[str, float], data: Path = DATA
) -> AlbedoSource:
    """Make a trained albedo pack the model of the default pack: write both files into `data`.

    seed, count: of the maps it was trained on. figures: measured, by name. The licence becomes
    this project's, so the pack must hold nothing of others: PACK_INVALID where a part does.
    """
    check_own(pack.manifest, "albedo")
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
    write_json_file(data / SOURCE_FILE, source)
    return source


def _invalid(why: str) -> EngineError:
    return EngineError(
        ErrorCode.PACK_INVALID,
        f"{SOURCE_FILE} does not describe the albedo model beside it: {why}.",
        "Get both files again, or make both: python -m engine.packs.calibrate albedo",
    )
