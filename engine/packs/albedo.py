"""Albedo models as files: the int8 basis, and packs that hold an albedo model only."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from ..protocol.albedo_pack import AlbedoModel
from ..protocol.pack_manifest import (
    ALBEDO_FILE,
    AlbedoInfo,
    PackPart,
)
from .store import check_replaceable, headless_manifest, write_pack

LEVELS = 127
"""Steps of int8 on either side of 0."""


def quantise_basis(basis: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(3, K, N) float basis to int8 of that shape and its scale (3, K) float32.

    value = int8 * scale; scale = peak / 127 of each component, so nothing is clipped.
    """
    scale = (np.abs(basis).max(axis=2) / LEVELS).astype(np.float32)
    steps = np.empty(basis.shape, np.int8)
    for channel, rows in enumerate(basis):
        step = np.where(scale[channel] > 0.0, scale[channel], 1.0)[:, None]
        steps[channel] = np.clip(np.rint(rows / step), -LEVELS, LEVELS)
    return steps, scale


def albedo_tensors(model: AlbedoModel) -> dict[str, np.ndarray]:
    """The arrays of albedo.safetensors."""
    steps, scale = quantise_basis(model.basis)
    return {
        "mean": model.mean.astype(np.float32, copy=False),
        "basis": steps,
        "basis_scale": scale,
        "sigma": model.sigma.astype(np.float32, copy=False),
        "valid": model.valid.astype(np.uint8),
        "covariance": model.covariance.astype(np.float32, copy=False),
    }


def albedo_info(model: AlbedoModel) -> AlbedoInfo:
    """What pack.json says of a model."""
    height, width = model.valid.shape
    return AlbedoInfo(height, width, model.sigma.shape[1])


def write_albedo_pack(
    folder: Path,
    model: AlbedoModel,
    id: str,
    version: str,
    parts: tuple[PackPart, ...],
    recipe: str,
) -> Path:
    """Write a pack that holds only an albedo model into `folder` and return it.

    An older pack there is replaced, in one step. recipe: how the model was made, in words.
    Raises EngineError(BAD_OUTPUT) when the disk refuses or the folder holds something else.
    """
    check_replaceable(folder)
    manifest = replace(headless_manifest(id, version, parts, recipe), albedo=albedo_info(model))
    return write_pack(folder, manifest, {ALBEDO_FILE: albedo_tensors(model)}, {})
