"""The detail model of a pack, and packs that hold nothing else. Standard library and numpy only.

Only torch can run the network; here its weights are read as plain arrays and checked as far as
that needs no network: names, kinds, finite numbers, sizes. Whether they fit the architecture that
`DetailInfo` describes is checked where the network is built.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .pack_manifest import (
    DETAIL_FILE,
    PACK_JSON,
    DetailInfo,
    PackManifest,
    check_detail_info,
    check_files,
    pack_error,
    read_manifest,
)
from .pack_tensors import Schema, check_range, check_tensors, read_at_most

NET_PREFIX = "net."
"""In front of the network's own names of its weights."""
MAX_DETAIL_BYTES = 256 * 2**20
"""A larger file is not read. Ours: the model that ships has 20 MB at most."""
MAX_NET_DIMENSIONS = 4
"""A convolution's weights have four."""
LEAST_SIGMA, MOST_SIGMA = 1e-6, 1e4
"""Standard deviations divide, so 0 is refused."""
MOST_DIRECTION = 32.0
"""Standard deviations that a direction may move one number of the latent."""
ORDER_SLACK = 0.02
"""Share by which a direction may be longer than the one before: rounding to half floats."""

_LATENT: Schema = {
    "latent_mean": ("f4", ("C", "S", "S")),
    "latent_sigma": ("f4", ("C", "S", "S")),
    "directions": ("f2", ("K", "C", "S", "S")),
    "residual_sigma": ("f4", ("C", "S", "S")),
}


@dataclass(frozen=True)
class DetailModel:
    """A VAE of detail maps and the statistics of its latent (C, S, S) over the training maps.

    net: state dict of the network without the prefix, float32. The latent in standard deviations
    is alpha: raw = latent_mean + latent_sigma * alpha, both (C, S, S) float32, sigma above 0.
    directions (K, C, S, S) float32: principal directions of alpha, one standard deviation each,
    the longest first. residual_sigma (C, S, S) float32, above 0: what the directions leave.
    The prior: alpha ~ N(0, sum_k d_k d_k^T + diag(residual_sigma^2)).
    """

    info: DetailInfo
    net: Mapping[str, np.ndarray]
    latent_mean: np.ndarray
    latent_sigma: np.ndarray
    directions: np.ndarray
    residual_sigma: np.ndarray


@dataclass(frozen=True)
class DetailPack:
    """A pack's detail model. sha: sha256 of pack.json, which names all files with theirs."""

    manifest: PackManifest
    model: DetailModel
    folder: Path
    sha: str


def read_detail_pack(folder: Path) -> DetailPack:
    """The detail model of a detail pack or of a head pack that has one.

    Raises EngineError(PACK_INVALID) with file, key, expected and found.
    """
    folder = Path(folder)
    manifest, sha = read_manifest(folder)
    if manifest.detail is None:
        raise pack_error(PACK_JSON, "detail", "a detail model", "a pack without one")
    check_files(folder, manifest)
    return DetailPack(manifest, read_detail_model(folder, manifest.detail), folder, sha)


def read_detail_model(folder: Path, info: DetailInfo) -> DetailModel:
    """The checked model in `folder`/detail.safetensors, of the sizes that pack.json claims.

    Raises EngineError(PACK_INVALID).
    """
    return model_from_tensors(read_detail_tensors(folder, info), info)


def read_detail_tensors(
    folder: Path, info: DetailInfo, file: str = DETAIL_FILE
) -> dict[str, np.ndarray]:
    """The tensors of a model's file as they are, checked. Raises EngineError(PACK_INVALID)."""
    check_detail_info(info)
    table = read_at_most(folder, file, MAX_DETAIL_BYTES)
    check_detail_tensors(table, info, file)
    return table


def check_detail_tensors(
    table: dict[str, np.ndarray], info: DetailInfo, file: str = DETAIL_FILE
) -> None:
    """Names, kinds, shapes and values, also of tensors about to be written.

    Raises EngineError(PACK_INVALID).
    """
    net: Schema = {
        name: ("f2", array.shape) for name, array in table.items() if name.startswith(NET_PREFIX)
    }
    sizes = {"C": info.latent_channels, "S": info.latent_size, "K": info.directions}
    check_tensors(file, table, {**_LATENT, **net}, sizes)
    if not net:
        raise pack_error(file, NET_PREFIX, "the network's weights", "none")
    for name, (_, shape) in net.items():
        if len(shape) > MAX_NET_DIMENSIONS or 0 in shape:
            raise pack_error(file, name, "weights of up to 4 dimensions", f"shape {shape}")
    for name in ("latent_sigma", "residual_sigma"):
        check_range(file, name, table[name], LEAST_SIGMA, MOST_SIGMA)
    check_range(file, "latent_mean", table["latent_mean"], -MOST_SIGMA, MOST_SIGMA)
    directions = table["directions"].astype(np.float32)
    check_range(file, "directions", directions, -MOST_DIRECTION, MOST_DIRECTION)
    length = np.sqrt((directions**2).sum(axis=(1, 2, 3)))
    if np.any(length[1:] > (1.0 + ORDER_SLACK) * length[:-1]):
        raise pack_error(file, "directions", "the longest first", "another order")


def model_from_tensors(table: dict[str, np.ndarray], info: DetailInfo) -> DetailModel:
    """The model that the tensors of `read_detail_tensors` hold: half floats as float32."""
    net = {
        name.removeprefix(NET_PREFIX): array.astype(np.float32)
        for name, array in table.items()
        if name.startswith(NET_PREFIX)
    }
    return DetailModel(
        info=info,
        net=net,
        latent_mean=table["latent_mean"],
        latent_sigma=table["latent_sigma"],
        directions=table["directions"].astype(np.float32),
        residual_sigma=table["residual_sigma"],
    )
