"""A tiny albedo model and maps that it can carry exactly."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from engine.protocol.albedo import decode_texels
from engine.protocol.albedo_pack import AlbedoModel
from engine.protocol.pack_manifest import EncoderInfo
from engine.train.encoder.samples import MapSet
from engine.train.texels import MemoryTexels

SIZE, COMPONENTS = 32, 2
TINY = EncoderInfo(32, (4, 8), (1, 1))


@dataclass(frozen=True, eq=False)
class TinyMaps:
    """Maps (n, 3, N) uint8 of known coefficients (n, 3, K)."""

    model: AlbedoModel
    texels: np.ndarray
    coefficients: np.ndarray

    def as_set(self) -> MapSet:
        names = tuple(Path(f"{i}.png") for i in range(len(self.texels)))
        return MapSet(MemoryTexels(self.texels), names, (), "tiny")


def tiny_model(size: int = SIZE) -> AlbedoModel:
    """Smooth patterns per channel; a round, symmetric layout; a texel's mean depends on it."""
    y, x = (np.mgrid[:size, :size] + 0.5) / size - 0.5
    valid = x**2 + y**2 < 0.23
    waves = np.stack([np.sin(5.0 * x + 0.4), np.cos(6.0 * y) * (0.6 + x)])[:, valid]
    scale = np.array([0.12, 0.08])[:, None]
    basis = np.stack([c * scale * waves for c in (1.0, 0.8, -0.7)]).astype(np.float32)
    mean = np.stack([0.5 + 0.2 * c * x[valid] for c in (1.0, 0.5, -0.5)]).astype(np.float32)
    sigma = np.linalg.norm(basis, axis=2)
    return AlbedoModel(mean, basis, sigma, valid, np.eye(3 * COMPONENTS, dtype=np.float32))


@pytest.fixture(scope="session")
def tiny_maps() -> TinyMaps:
    model = tiny_model()
    random = np.random.default_rng(5)
    coefficients = random.standard_normal((96, 3, COMPONENTS)).clip(-1.5, 1.5)
    texels = [decode_texels(model.mean, model.basis, each) for each in coefficients]
    texels = np.rint(np.clip(np.stack(texels), 0.0, 1.0) * 255.0).astype(np.uint8)
    return TinyMaps(model, texels, coefficients)
