"""Small skin maps with known statistics, written as files."""

from pathlib import Path

import cv2
import numpy as np

SIZE = 64


def low_rank_maps(count: int, rank: int, seed: int = 0, noise: float = 0.0) -> np.ndarray:
    """(count, 64, 64, 3) uint8: smooth patterns of falling strength, their weights random."""
    rng = np.random.default_rng(seed)
    patterns = rng.standard_normal((rank, 8, 8, 3)).astype(np.float32)
    patterns = np.stack([cv2.resize(p, (SIZE, SIZE)) for p in patterns])
    patterns *= np.geomspace(0.06, 0.01, rank)[:, None, None, None]
    weights = rng.standard_normal((count, rank)).clip(-2.5, 2.5)
    maps = 0.5 + np.tensordot(weights, patterns, 1)
    maps += noise * rng.standard_normal(maps.shape)
    return np.rint(maps.clip(0.0, 1.0) * 255.0).astype(np.uint8)


def write_maps(folder: Path, maps: np.ndarray) -> tuple[Path, ...]:
    """PNG files 00000.png on."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for index, image in enumerate(maps):
        files.append(folder / f"{index:05d}.png")
        files[-1].write_bytes(cv2.imencode(".png", image[..., ::-1])[1].tobytes())
    return tuple(files)
