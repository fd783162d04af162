"""Looks at held-out maps during the training of a coarse encoder: figures and a sheet."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...nets.coarse_encoder import FixedDecoder
from ...protocol.albedo import scatter_texels
from ...protocol.conventions import BYTE_MAX, bytes_to_unit, unit_to_bytes
from ...protocol.similarity import psnr_of
from ..gradient.task import Examination
from ..texels import TexelSource
from .augment import draw_coverage
from .objective import ExactProjection

EXAMINED = 32
"""Maps of a look: some seconds. The command measures all held-out maps at its end."""
SHOWN = 5
HOLE_GREY = 0.5
_BLOCK = 8

Encode = Callable[[Tensor, Tensor], Tensor]
"""texels (n, 3, N) sRGB and coverage (n, N) bool to coefficients (n, 3, K)."""


@dataclass(frozen=True, eq=False)
class HeldMaps:
    """texels (n, 3, N) uint8; coverage (n, N) bool, with holes. On the CPU."""

    texels: np.ndarray
    coverage: np.ndarray


def hold_maps(source: TexelSource, rows: np.ndarray, valid: np.ndarray, seed: int) -> HeldMaps:
    """The first held-out maps, each with holes of its own: the same at every look."""
    rows = rows[:EXAMINED]
    random = np.random.default_rng((seed, 2))
    coverage = [draw_coverage(len(valid), random)[valid] for _ in rows]
    return HeldMaps(np.stack([source.read(int(row)) for row in rows]), np.stack(coverage))


def look_at_held(
    encode: Encode,
    decoder: FixedDecoder,
    projection: ExactProjection,
    held: HeldMaps,
    valid: np.ndarray,
) -> Examination:
    """Mean PSNR over all valid texels of the exact projection, of the encoder on whole maps, and of
    the encoder on maps with holes; and a sheet: map, map with holes, and these three in a row."""
    figures: dict[str, list[float]] = {"projection": [], "encoder": [], "encoder_holes": []}
    rows: list[np.ndarray] = []
    for start in range(0, len(held.texels), _BLOCK):
        block = slice(start, start + _BLOCK)
        device = decoder.mean.device
        texels = torch.from_numpy(bytes_to_unit(held.texels[block])).to(device)
        coverage = torch.from_numpy(held.coverage[block]).to(device)
        with torch.inference_mode():
            found = (
                projection(decoder, texels),
                encode(texels, torch.ones_like(coverage)),
                encode(texels, coverage),
            )
            decoded = [decoder.decode(each) for each in found]
        for values, picture in zip(figures.values(), decoded, strict=True):
            values += _psnr(picture, texels)
        seen = torch.where(coverage[:, None], texels, HOLE_GREY)
        if len(rows) < SHOWN:
            rows += _rows([texels, seen, *decoded], valid)
    means = {f"held_psnr_{name}": float(np.mean(values)) for name, values in figures.items()}
    return Examination(means, np.concatenate(rows[:SHOWN]))


def _psnr(found: Tensor, texels: Tensor) -> list[float]:
    error = ((found.clamp(0.0, 1.0) - texels) ** 2).mean((1, 2)) * BYTE_MAX**2
    return [psnr_of(value) for value in error.tolist()]


def _rows(columns: list[Tensor], valid: np.ndarray) -> list[np.ndarray]:
    """(S, columns * S, 3) uint8 of each map."""
    arrays = [column.cpu().numpy() for column in columns]
    return [
        np.concatenate([unit_to_bytes(scatter_texels(texels, valid)) for texels in maps], axis=1)
        for maps in zip(*arrays, strict=True)
    ]
