"""Coarse encoders as files: packs of an encoder and the albedo model that decodes for it."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..protocol.albedo_pack import AlbedoModel
from ..protocol.encoder_pack import check_encoder_tensors
from ..protocol.pack_manifest import (
    ALBEDO_FILE,
    ENCODER_FILE,
    EncoderInfo,
    PackPart,
)
from .albedo import albedo_info, albedo_tensors
from .store import check_replaceable, headless_manifest, write_pack


def encoder_tensors(net: Mapping[str, np.ndarray], info: EncoderInfo) -> dict[str, np.ndarray]:
    """The arrays of encoder.safetensors: half floats, checked as a reader checks them.

    net: state dict without counters. Raises EngineError(PACK_INVALID) for weights that half floats
    cannot hold.
    """
    with np.errstate(over="ignore"):  # the check names the tensor
        tensors = {name: np.asarray(weight).astype(np.float16) for name, weight in net.items()}
    check_encoder_tensors(tensors, info)
    return tensors


def write_encoder_pack(
    folder: Path,
    net: Mapping[str, np.ndarray],
    info: EncoderInfo,
    model: AlbedoModel,
    id: str,
    version: str,
    parts: tuple[PackPart, ...],
    recipe: str,
) -> Path:
    """Write a pack of an encoder and its albedo model into `folder` and return it.

    An older pack there is replaced, in one step. recipe: how the encoder was made, in words.
    Raises EngineError(BAD_OUTPUT) when the disk refuses or the folder holds something else,
    PACK_INVALID when the encoder could not be read back.
    """
    check_replaceable(folder)
    manifest = replace(
        headless_manifest(id, version, parts, recipe), albedo=albedo_info(model), encoder=info
    )
    tensors = {ALBEDO_FILE: albedo_tensors(model), ENCODER_FILE: encoder_tensors(net, info)}
    return write_pack(folder, manifest, tensors, {})
