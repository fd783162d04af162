"""The albedo model of a pack, and packs that hold nothing else. Standard library and numpy only.

On disk the basis is int8 with one scale per component: a quarter of float32, and the rounding is
far below what the components leave unexplained (a test measures it).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .pack_manifest import (
    ALBEDO_FILE,
    PACK_JSON,
    AlbedoInfo,
    PackManifest,
    check_files,
    pack_error,
    read_manifest,
)
from .pack_tensors import Schema, check_range, checked_tensors

_TENSORS: Schema = {
    "mean": ("f4", (3, "N")),
    "basis": ("i1", (3, "K", "N")),
    "basis_scale": ("f4", (3, "K")),
    "sigma": ("f4", (3, "K")),
    "valid": ("u1", ("H", "W")),
    "covariance": ("f4", ("3K", "3K")),
}
COVARIANCE_SLACK = 1e-3
"""Rounding that a covariance may show: off its unit diagonal, its symmetry, below eigenvalue 0."""


@dataclass(frozen=True)
class AlbedoModel:
    """PCA of albedo maps, one channel at a time, in sRGB-encoded values over N valid texels.

    mean (3, N) f32; basis (3, K, N) f32, per standard deviation; sigma (3, K) f32: the standard
    deviations along unit rows, so a component moves a texel by sigma / sqrt(N) rms; valid (H, W)
    bool, row 0 on top, N true texels in row order; covariance (3K, 3K) f32 of the coefficients
    over the channels (unit diagonal).
    """

    mean: np.ndarray
    basis: np.ndarray
    sigma: np.ndarray
    valid: np.ndarray
    covariance: np.ndarray


@dataclass(frozen=True)
class AlbedoPack:
    """A pack's albedo model. sha: sha256 of pack.json, which names all files with theirs."""

    manifest: PackManifest
    model: AlbedoModel
    folder: Path
    sha: str

    @property
    def model_sha(self) -> str:
        """sha256 of the model's file: the pack may be built again with other parts changed."""
        return self.manifest.files[ALBEDO_FILE]


def read_albedo_pack(folder: Path) -> AlbedoPack:
    """The albedo model of an albedo pack or of a head pack that has one.

    Raises EngineError(PACK_INVALID) with file, key, expected and found.
    """
    folder = Path(folder)
    manifest, sha = read_manifest(folder)
    check_files(folder, manifest)
    if manifest.albedo is None:
        raise pack_error(PACK_JSON, "albedo", "an albedo model", "a pack without one")
    return AlbedoPack(manifest, read_albedo_model(folder, manifest.albedo), folder, sha)


def read_albedo_model(folder: Path, info: AlbedoInfo) -> AlbedoModel:
    """The checked model in `folder`/albedo.safetensors, of the size that pack.json claims.

    Raises EngineError(PACK_INVALID).
    """
    return model_from_tensors(read_albedo_tensors(folder, info))


def read_albedo_tensors(
    folder: Path, info: AlbedoInfo, file: str = ALBEDO_FILE
) -> dict[str, np.ndarray]:
    """The tensors of a model's file as they are, checked. Raises EngineError(PACK_INVALID)."""
    sizes = {"H": info.height, "W": info.width, "K": info.components, "3K": 3 * info.components}
    table = checked_tensors(folder, file, _TENSORS, sizes)
    check_range(file, "valid", table["valid"], 0, 1)
    texels, found = sizes["N"], int(table["valid"].sum(dtype=np.int64))
    if found != texels:
        raise pack_error(file, "valid", f"{texels} texels set", str(found))
    check_range(file, "mean", table["mean"], 0, 1, 1e-3)
    for name in ("basis_scale", "sigma"):
        check_range(file, name, table[name], 0, np.inf)
    _check_covariance(file, table["covariance"])
    return table


def model_from_tensors(table: dict[str, np.ndarray]) -> AlbedoModel:
    """The model that the tensors of `read_albedo_tensors` hold: the basis as float32."""
    valid = table["valid"] > 0
    basis = table["basis"].astype(np.float32)
    basis *= table["basis_scale"][:, :, None]
    return AlbedoModel(table["mean"], basis, table["sigma"], valid, table["covariance"])


def _check_covariance(file: str, covariance: np.ndarray) -> None:
    name = "covariance"
    check_range(file, name, np.diag(covariance), 1, 1, COVARIANCE_SLACK)
    if np.abs(covariance - covariance.T).max() > COVARIANCE_SLACK:
        raise pack_error(file, name, "a symmetric matrix", "another")
    least = float(np.linalg.eigvalsh(covariance.astype(np.float64))[0])
    if least < -COVARIANCE_SLACK:
        raise pack_error(file, name, "eigenvalues from 0", f"one of {least:.3g}")
