"""A small albedo model whose answers are known, and maps on disk."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch.nn import functional

from engine.packs.albedo import write_albedo_pack
from engine.protocol.albedo_pack import AlbedoModel, AlbedoPack, read_albedo_pack
from engine.protocol.conventions import unit_to_bytes
from engine.skin.layout import region_masks

SIZE = 64
COMPONENTS = 3
SKIN = np.array([0.75, 0.55, 0.45], np.float32)


def smooth_patterns(size: int) -> np.ndarray:
    """(K, size, size) waves in [-1, 1], the same at every size."""
    axis = (np.arange(size) + 0.5) / size
    waves = [np.cos(2 * np.pi * (k + 1) * axis) for k in range(COMPONENTS)]
    return np.stack([np.outer(wave, waves[0]) for wave in waves])


@pytest.fixture(scope="session")
def model() -> AlbedoModel:
    valid = region_masks(SIZE)["valid"] > 0
    patterns = 0.03 * smooth_patterns(SIZE)[:, valid]
    basis = np.repeat(patterns[None], 3, axis=0).astype(np.float32)
    mean = np.repeat(SKIN[:, None], valid.sum(), axis=1)
    sigma = np.linalg.norm(basis, axis=2).astype(np.float32)
    return AlbedoModel(mean, basis, sigma, valid, np.eye(3 * COMPONENTS, dtype=np.float32))


@pytest.fixture(scope="session")
def pack_folder(model: AlbedoModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packs") / "waves"
    return write_albedo_pack(folder, model, "waves", "1.0.0", (), "cosines")


@pytest.fixture(scope="session")
def pack(pack_folder: Path) -> AlbedoPack:
    return read_albedo_pack(pack_folder)


@pytest.fixture(scope="session")
def span_map() -> Callable[[int, int], np.ndarray]:
    """(seed, size) -> a map of the model's own, at any size."""

    def make(seed: int, size: int) -> np.ndarray:
        weights = np.random.default_rng(seed).standard_normal((COMPONENTS, 3))
        change = np.tensordot(smooth_patterns(size), 0.03 * weights, axes=(0, 0))
        return (SKIN + change).astype(np.float32)

    return make


def write_map(path: Path, image: np.ndarray, alpha: np.ndarray | None = None) -> Path:
    """image (S, S, 3) in [0, 1], alpha (S, S) in [0, 1], as PNG."""
    pixels = unit_to_bytes(image)[..., ::-1]
    if alpha is not None:
        pixels = np.dstack([pixels, unit_to_bytes(alpha)])
    assert cv2.imwrite(str(path), np.ascontiguousarray(pixels))
    return path


class BlockCodec:
    """Stands in for the detail model: keeps the means of 8 x 8 texels, exactly.

    bias: of the encoder only, so that there is something to refine.
    """

    def __init__(self, bias: float = 0.0) -> None:
        self.bias = bias

    def encode(self, detail: torch.Tensor) -> torch.Tensor:
        """(512, 512) to (4, 32, 32), in hundredths."""
        means = functional.avg_pool2d(detail[None, None], 8)
        return functional.pixel_unshuffle(means, 2)[0] * 100.0 + self.bias

    def decode(self, alpha: torch.Tensor) -> torch.Tensor:
        """(..., 4, 32, 32) to (..., 512, 512)."""
        means = functional.pixel_shuffle(alpha * 0.01, 2)
        return means.repeat_interleave(8, -1).repeat_interleave(8, -2)[..., 0, :, :]


def block_detail(size: int, seed: int, strength: float = 0.05) -> np.ndarray:
    """(size, size) signed detail that `BlockCodec` keeps, size 512 or more."""
    blocks = np.random.default_rng(seed).choice([-strength, strength], (64, 64))
    return blocks.repeat(size // 64, 0).repeat(size // 64, 1).astype(np.float32)
