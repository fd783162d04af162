"""Coarse albedo model: one PCA per colour channel over the valid texels of skin maps (UVAPM).

The channels are independent in the model. Real skins are not: their tone moves all three together,
so the joint covariance of the 3 K coefficients comes with it, for a joint Gaussian prior in a fit.
"""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..protocol.albedo import CHANNELS, gather_texels, scatter_texels
from ..protocol.errors import EngineError, ErrorCode
from ..protocol.safetensors import write_safetensors
from ..skin.dataset import generate_maps
from ..skin.layout import region_masks

RECIPE = "generated skins 1"
"""Name of the training set: engine/skin at this version, parameters from `sample_parameters`."""

FILE_NAME = "albedo.safetensors"


@dataclass(frozen=True)
class AlbedoModel:
    """A trained model.

    mean: (3, H, W) float32 sRGB. basis: (3, K, N) float32, orthonormal rows over the N valid
    texels. sigma: (3, K) float32, standard deviation along each row, falling.
    valid: (H, W) bool. covariance: (3 K, 3 K) float32 of the coefficients in standard deviations,
    channel by channel; its diagonal is 1. count: maps it was trained on.
    """

    mean: np.ndarray
    basis: np.ndarray
    sigma: np.ndarray
    valid: np.ndarray
    covariance: np.ndarray
    count: int


def train_albedo_pca(maps: Iterable[np.ndarray], mask: np.ndarray, components: int) -> AlbedoModel:
    """PCA of each channel over the texels where `mask` is non-zero.

    maps: (H, W, 3) sRGB in [0, 1], at least components + 1 of them; held as float16 meanwhile.
    mask: (H, W). components: K per channel.
    The sign of each component is fixed so that its entry of largest magnitude is positive.
    Raises EngineError(BAD_SETTINGS) for too few maps or a map of another shape.
    """
    valid = np.asarray(mask) > 0
    rows = [_texels(image, valid) for image in maps]
    count = len(rows)
    if count <= components:
        raise EngineError(
            ErrorCode.BAD_SETTINGS,
            f"{components} components need more than {components} maps, got {count}.",
            "Train on more maps or ask for fewer components.",
        )
    samples = np.stack(rows, axis=1)
    parts = [_channel_pca(samples[c].astype(np.float32), components) for c in range(CHANNELS)]
    mean, basis, sigma, scores = (np.stack(part) for part in zip(*parts, strict=True))
    scores = scores.transpose(1, 0, 2).reshape(count, CHANNELS * components)
    return AlbedoModel(
        mean=np.ascontiguousarray(scatter_texels(mean, valid).transpose(2, 0, 1)),
        basis=basis,
        sigma=sigma,
        valid=valid,
        covariance=joint_covariance(scores),
        count=count,
    )


def _texels(image: np.ndarray, valid: np.ndarray) -> np.ndarray:
    if image.shape != (*valid.shape, CHANNELS):
        raise EngineError(
            ErrorCode.BAD_SETTINGS,
            f"Expected skin maps of shape {(*valid.shape, CHANNELS)}, got {image.shape}.",
        )
    return gather_texels(image, valid).astype(np.float16)


def _channel_pca(
    samples: np.ndarray, components: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Mean (N,), basis (K, N), sigma (K,) and scores (n, K) in sigmas of (n, N) samples.

    Eigenvectors of the n x n Gram matrix: with far more texels than maps this is the small side.
    """
    count = len(samples)
    mean = samples.mean(axis=0, dtype=np.float64).astype(np.float32)
    centred = samples - mean
    gram = (centred @ centred.T).astype(np.float64)
    values, vectors = np.linalg.eigh(gram)
    order = np.argsort(values)[::-1][:components]
    lengths = np.sqrt(np.maximum(values[order], np.finfo(np.float32).eps))
    basis = (vectors[:, order] / lengths).T.astype(np.float32) @ centred
    # float32 products leave rows orthogonal to about 1e-4; one QR step makes them exact.
    q, r = np.linalg.qr(basis.T.astype(np.float64))
    basis = (q * np.sign(np.diag(r))).T
    peak = np.argmax(np.abs(basis), axis=1)
    basis = basis * np.sign(basis[np.arange(components), peak])[:, None]
    basis = np.ascontiguousarray(basis, dtype=np.float32)
    scores = centred @ basis.T
    sigma = np.sqrt((scores.astype(np.float64) ** 2).sum(axis=0) / (count - 1))
    sigma = np.maximum(sigma, 1e-8)
    return mean, basis, sigma.astype(np.float32), (scores / sigma).astype(np.float32)


CHANCE_DEVIATIONS = 3.0
"""Correlations below this many standard deviations of chance (1 / sqrt(n)) are set to 0."""
DIAGONAL_SHARE = 0.1
"""Ours: real skins are freer than generated ones, so no joint direction is ruled out."""


def joint_covariance(scores: np.ndarray) -> np.ndarray:
    """(D, D) float32 covariance of (n, D) scores of unit deviation; unit diagonal, eigenvalues > 0.

    Hard thresholding of the sample correlations (Bickel & Levina 2008), eigenvalues cut at 0, then
    mixed with the identity. Shrinking alone would weaken the one strong joint direction, skin
    tone, as much as the thousands of correlations that a few hundred maps show by chance.
    """
    x = scores.astype(np.float64)
    count = len(x)
    kept = x.T @ x / (count - 1)
    kept[np.abs(kept) < CHANCE_DEVIATIONS / np.sqrt(count)] = 0.0
    np.fill_diagonal(kept, 1.0)
    values, vectors = np.linalg.eigh(kept)
    kept = (vectors * np.maximum(values, 0.0)) @ vectors.T
    scale = np.sqrt(np.diag(kept))
    kept = kept / (scale[:, None] * scale[None, :])
    return ((1.0 - DIAGONAL_SHARE) * kept + DIAGONAL_SHARE * np.eye(len(kept))).astype(np.float32)


def encode_albedo(model: AlbedoModel, image: np.ndarray) -> np.ndarray:
    """(3, K) coefficients in standard deviations of the closest map to an (H, W, 3) sRGB map."""
    texels = gather_texels(image.astype(np.float32, copy=False), model.valid)
    centred = texels - model.mean[:, model.valid]
    return np.einsum("ckn,cn->ck", model.basis, centred) / model.sigma


def model_arrays(model: AlbedoModel) -> dict[str, np.ndarray]:
    """The arrays of `albedo.safetensors` (names and shapes in engine/DESIGN.md)."""
    return {
        "mean": np.ascontiguousarray(model.mean[:, model.valid]),
        "basis": (model.basis * model.sigma[:, :, None]).astype(np.float16),
        "sigma": model.sigma,
        "valid": model.valid.astype(np.uint8),
        "covariance": model.covariance,
    }


def build_albedo(
    folder: str | os.PathLike[str] | None,
    count: int,
    size: int = 256,
    components: int = 100,
    seed: int = 0,
    report: Callable[[int, int], None] | None = None,
    workers: int | None = None,
) -> tuple[dict[str, np.ndarray], dict[str, object]]:
    """Generate `count` skins, train on them, and write `albedo.safetensors` into `folder`.

    folder: an existing folder, or None to write nothing. report: called as (maps done, count).
    workers: processes that generate maps, None for one per core. Returns the arrays of the file
    and its description for pack.json (plain JSON types).
    """

    def counted() -> Iterable[np.ndarray]:
        for done, image in enumerate(generate_maps(count, size, seed, workers), start=1):
            if report is not None:
                report(done, count)
            yield image

    model = train_albedo_pca(counted(), region_masks(size)["valid"], components)
    arrays = model_arrays(model)
    meta: dict[str, object] = {
        "resolution": size,
        "components": components,
        "seed": seed,
        "count": count,
        "recipe": RECIPE,
    }
    if folder is not None:
        write_safetensors(Path(folder) / FILE_NAME, arrays)
    return arrays, meta
