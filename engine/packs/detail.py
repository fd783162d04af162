"""Detail models as files: half-float weights, and packs that hold a detail model only."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from ..protocol.detail_pack import NET_PREFIX, DetailModel, check_detail_tensors
from ..protocol.pack_manifest import (
    DETAIL_FILE,
    PackPart,
)
from .store import check_replaceable, headless_manifest, write_pack


def detail_tensors(model: DetailModel) -> dict[str, np.ndarray]:
    """The arrays of detail.safetensors, checked as a reader checks them.

    Raises EngineError(PACK_INVALID) for weights that half floats cannot hold, and for statistics
    that are no statistics.
    """
    with np.errstate(over="ignore"):  # the check below names the tensor
        net = {
            NET_PREFIX + name: np.asarray(weight).astype(np.float16)
            for name, weight in model.net.items()
        }
        directions = np.asarray(model.directions).astype(np.float16)
    tensors = {
        **net,
        "latent_mean": np.asarray(model.latent_mean, np.float32),
        "latent_sigma": np.asarray(model.latent_sigma, np.float32),
        "directions": directions,
        "residual_sigma": np.asarray(model.residual_sigma, np.float32),
    }
    check_detail_tensors(tensors, model.info)
    return tensors


def write_detail_pack(
    folder: Path,
    model: DetailModel,
    id: str,
    version: str,
    parts: tuple[PackPart, ...],
    recipe: str,
) -> Path:
    """Write a pack that holds only a detail model into `folder` and return it.

    An older pack there is replaced, in one step. recipe: how the model was made, in words.
    Raises EngineError(BAD_OUTPUT) when the disk refuses or the folder holds something else,
    PACK_INVALID when the model could not be read back.
    """
    check_replaceable(folder)
    manifest = replace(headless_manifest(id, version, parts, recipe), detail=model.info)
    return write_pack(folder, manifest, {DETAIL_FILE: detail_tensors(model)}, {})
