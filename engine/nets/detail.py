"""A pack's detail model made ready: maps to latents in standard deviations, and back."""

import numpy as np
import torch
from torch import Tensor

from ..protocol.detail_pack import DetailModel
from ..protocol.errors import EngineError, ErrorCode
from .detail_vae import DetailVae
from .fovea import grid_matrices, map_matrices, resample


def load_vae(model: DetailModel) -> DetailVae:
    """The network with the model's weights, float32, in evaluation mode, fixed.

    Raises EngineError(PACK_INVALID) when a weight is missing, unknown or of another shape.
    """
    with torch.device("meta"):  # shapes alone: a description may claim more than memory holds
        wanted = DetailVae(model.info).state_dict()
    for name in sorted(wanted.keys() ^ model.net.keys()):
        raise _refuse(f"{name} is {'missing' if name in wanted else 'unknown'}")
    for name, array in model.net.items():
        if tuple(array.shape) != tuple(wanted[name].shape):
            raise _refuse(f"{name} must have shape {tuple(wanted[name].shape)}, got {array.shape}")
    vae = DetailVae(model.info)
    vae.load_state_dict({name: torch.from_numpy(array) for name, array in model.net.items()})
    return vae.eval().requires_grad_(False).to(memory_format=torch.channels_last)


def _refuse(why: str) -> EngineError:
    return EngineError(
        ErrorCode.PACK_INVALID,
        f"The pack's detail network does not fit its description: {why}.",
        "Make that pack again (the default one: python -m engine packs build default --force).",
    )


class DetailNet:
    """Detail maps (512, 512), signed, sRGB units of V in the UV layout, and their latents alpha
    (4, 32, 32) in standard deviations. Both ways are differentiable; the weights are fixed.

    alpha = (raw - latent_mean) / latent_sigma; alpha 0 is the mean detail. Use under
    torch.no_grad() where no gradient is wanted. Raises EngineError(PACK_INVALID), see `load_vae`.
    """

    def __init__(self, model: DetailModel) -> None:
        self.model = model
        self._vae = load_vae(model)
        self._mean = torch.from_numpy(model.latent_mean)
        self._sigma = torch.from_numpy(model.latent_sigma)
        size = model.info.size
        rows, columns = grid_matrices(size)
        self._to_grid = torch.from_numpy(rows), torch.from_numpy(columns)
        rows, columns = map_matrices(size)
        self._to_map = torch.from_numpy(rows), torch.from_numpy(columns)

    def encode(self, detail: Tensor) -> Tensor:
        """(512, 512) or (N, 512, 512) detail to alpha (4, 32, 32) or (N, 4, 32, 32)."""
        grid = resample(detail, self._to_grid)
        raw = self._vae.encode(grid.reshape(-1, 1, *grid.shape[-2:]))[0]
        alpha = (raw - self._mean) / self._sigma
        return alpha if detail.dim() == 3 else alpha[0]

    def encode_part(self, detail: Tensor, rows: slice, columns: slice) -> Tensor:
        """(512, 512) detail to alpha (4, 32, 32), read in some rows and columns of cells alone.

        As `decode_part`: faster, 0 elsewhere, different near the border.
        """
        cell = self.model.info.size // self.model.info.latent_size
        down = self._to_grid[0][rows.start * cell : rows.stop * cell]
        across = self._to_grid[1][columns.start * cell : columns.stop * cell]
        grid = resample(detail, (down, across))
        raw = self._vae.encode(grid[None, None])[0][0]
        alpha = torch.zeros_like(self._mean)
        box = (slice(None), rows, columns)
        alpha[box] = (raw - self._mean[box]) / self._sigma[box]
        return alpha

    def decode(self, alpha: Tensor) -> Tensor:
        """(4, 32, 32) or (N, 4, 32, 32) alpha to detail (512, 512) or (N, 512, 512)."""
        raw = self._mean + self._sigma * alpha
        grid = self._vae.decode(raw.reshape(-1, *raw.shape[-3:]))[:, 0]
        detail = resample(grid, self._to_map)
        return detail if alpha.dim() == 4 else detail[0]

    def decode_part(self, alpha: Tensor, rows: slice, columns: slice) -> Tensor:
        """(4, 32, 32) alpha to detail (512, 512) made of some rows and columns of cells alone.

        Faster than `decode` by the share of cells, 0 far from them; within two or three cells of
        the border it differs from the whole, as the network sees nothing beyond.
        """
        raw = (self._mean + self._sigma * alpha)[:, rows, columns]
        grid = self._vae.decode(raw[None])[0, 0]
        cell = self.model.info.size // self.model.info.latent_size
        down = self._to_map[0][:, rows.start * cell : rows.stop * cell]
        across = self._to_map[1][:, columns.start * cell : columns.stop * cell]
        return resample(grid, (down, across))

    def gather(self, texels: np.ndarray) -> np.ndarray:
        """(..., 512, 512) of the map to sums over the cells that hold them, (..., 32, 32)."""
        size, cells = self.model.info.size, self.model.info.latent_size
        rows, columns = (
            matrix.numpy().reshape(size, cells, size // cells).sum(-1) for matrix in self._to_map
        )
        return rows.T @ texels.astype(np.float32, copy=False) @ columns

    def spread(self, cells: np.ndarray) -> np.ndarray:
        """(32, 32) of the cells to (512, 512) of the map, the same over each cell."""
        cell = self.model.info.size // self.model.info.latent_size
        grid = np.kron(cells.astype(np.float32), np.ones((cell, cell), np.float32))
        return resample(grid, tuple(matrix.numpy() for matrix in self._to_map))
