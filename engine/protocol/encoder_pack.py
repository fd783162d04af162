"""The coarse encoder of a pack: a network from maps to albedo coefficients. Standard library and
numpy only.

Coefficients mean something only with their albedo model, so an encoder lies in one pack with the
model that it was trained with. Whether the weights fit the network that `EncoderInfo` describes is
checked where the network is built.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .albedo_pack import AlbedoModel, read_albedo_model
from .pack_manifest import (
    ENCODER_FILE,
    PACK_JSON,
    EncoderInfo,
    PackManifest,
    check_encoder_info,
    check_files,
    pack_error,
    read_manifest,
)
from .pack_tensors import Schema, check_range, check_tensors, read_at_most

VARIANCE = ".running_var"
"""Ending of the names of batch norm's variances: a root is taken of them."""
MAX_ENCODER_BYTES = 256 * 2**20
"""A larger file is not read. Ours: ResNet-50 has 52 MB."""
MAX_WEIGHT_DIMENSIONS = 4
"""A convolution's weights have four."""


@dataclass(frozen=True)
class EncoderPack:
    """A coarse encoder and its decoder. net: state dict of the network, float32, without batch
    norm's counters. sha: sha256 of pack.json, which names all files with theirs."""

    manifest: PackManifest
    info: EncoderInfo
    net: Mapping[str, np.ndarray]
    model: AlbedoModel
    folder: Path
    sha: str


def read_encoder_pack(folder: Path) -> EncoderPack:
    """The coarse encoder of a pack with its albedo model.

    Raises EngineError(PACK_INVALID) with file, key, expected and found.
    """
    folder = Path(folder)
    manifest, sha = read_manifest(folder)
    info, albedo = manifest.encoder, manifest.albedo
    if info is None or albedo is None:
        raise pack_error(PACK_JSON, "encoder", "a coarse encoder", "a pack without one")
    check_files(folder, manifest)
    table = read_at_most(folder, ENCODER_FILE, MAX_ENCODER_BYTES)
    check_encoder_tensors(table, info)
    net = {name: array.astype(np.float32) for name, array in table.items()}
    return EncoderPack(manifest, info, net, read_albedo_model(folder, albedo), folder, sha)


def check_encoder_tensors(table: dict[str, np.ndarray], info: EncoderInfo) -> None:
    """Kinds and values, also of tensors about to be written. Raises EngineError(PACK_INVALID)."""
    check_encoder_info(info)
    if not table:
        raise pack_error(ENCODER_FILE, "", "the network's weights", "none")
    schema: Schema = {name: ("f2", array.shape) for name, array in table.items()}
    check_tensors(ENCODER_FILE, table, schema, {})
    for name, array in table.items():
        if not 1 <= array.ndim <= MAX_WEIGHT_DIMENSIONS or 0 in array.shape:
            expected = f"weights of 1 to {MAX_WEIGHT_DIMENSIONS} dimensions"
            raise pack_error(ENCODER_FILE, name, expected, f"shape {array.shape}")
        if name.endswith(VARIANCE):
            check_range(ENCODER_FILE, name, array, 0.0, np.inf)
