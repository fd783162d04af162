"""The detail model of the default pack: kept in `packs/data`, checked and copied here."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...nets.detail import load_vae
from ...protocol.detail_pack import DetailPack, model_from_tensors, read_detail_tensors
from ...protocol.errors import EngineError, ErrorCode
from ...protocol.pack_manifest import DETAIL_FILE, DetailInfo, PackPart, file_sha256
from .own_model import (
    DATA,
    check_model_file,
    check_own,
    own_part,
    read_json_file,
    write_json_file,
)

MODEL_FILE = "detail_512.safetensors"
SOURCE_FILE = "detail_512.json"
MAX_SHIPPED_BYTES = 20_000_000
"""Of the file that ships. Ours: it lies in the project's history and in every installation."""


@dataclass(frozen=True)
class DetailSource:
    """What the JSON file says: how the model was made, and of which file it speaks.

    recipe: in words, with the machine that trained it. seed and count: of the generated maps.
    model: sizes of the network and its latent. figures: what was measured, by name. sha256: of the
    model's file.
    """

    recipe: str
    seed: int
    count: int
    model: DetailInfo
    figures: dict[str, float]
    sha256: str


@dataclass(frozen=True)
class DetailTable:
    """A checked model as it goes into a pack: the tensors of the file, and what is said of it."""

    tensors: dict[str, np.ndarray]
    info: DetailInfo
    part: PackPart


def load_detail_table(data: Path = DATA) -> DetailTable | None:
    """The model in `data`, None where there is none at all.

    Raises EngineError(PACK_INVALID) unless both files are there and fit together.
    """
    if not (data / SOURCE_FILE).exists() and not (data / MODEL_FILE).exists():
        return None
    source = read_source(data)
    check_model_file(data / MODEL_FILE, source.sha256, _invalid)
    tensors = read_detail_tensors(data, source.model, MODEL_FILE)
    load_vae(model_from_tensors(tensors, source.model))  # refuses another network's weights
    part = own_part("detail", source.recipe, source.count, source.seed)
    return DetailTable(tensors, source.model, part)


def read_source(data: Path = DATA) -> DetailSource:
    """The JSON file in `data`. Raises EngineError(PACK_INVALID)."""
    source: DetailSource = read_json_file(DetailSource, data / SOURCE_FILE, "detail", _invalid)
    return source


def adopt_detail_pack(
    pack: DetailPack, seed: int, count: int, figures: Mapping[str, float], data: Path = DATA
) -> DetailSource:
    """Make a trained detail pack the model of the default pack: write both files into `data`.

    seed, count: of the maps it was trained on. figures: measured, by name. The licence becomes
    this project's, so the pack must hold nothing of others. Raises EngineError(PACK_INVALID)
    where a part does, for a network other than described, and for a file too large to ship.
    """
    check_own(pack.manifest, "detail")
    load_vae(pack.model)
    size = (pack.folder / DETAIL_FILE).stat().st_size
    if size > MAX_SHIPPED_BYTES:
        raise EngineError(
            ErrorCode.PACK_INVALID,
            f"The detail model has {size / 1e6:.1f} MB; one that ships has at most "
            f"{MAX_SHIPPED_BYTES / 1e6:g} MB.",
            "Train a network of smaller widths, or keep fewer directions.",
        )
    shutil.copyfile(pack.folder / DETAIL_FILE, data / MODEL_FILE)
    source = DetailSource(
        recipe=pack.manifest.recipe,
        seed=seed,
        count=count,
        model=pack.model.info,
        figures=dict(figures),
        sha256=file_sha256(data / MODEL_FILE, MODEL_FILE),
    )
    write_json_file(data / SOURCE_FILE, source)
    return source


def _invalid(why: str) -> EngineError:
    return EngineError(
        ErrorCode.PACK_INVALID,
        f"{SOURCE_FILE} does not describe the detail model beside it: {why}.",
        "Get both files again, or make both: python -m engine.packs.calibrate detail",
    )
