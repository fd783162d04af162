"""Decode an albedo model: coefficients to a map. Standard library and numpy only.

The engine and the add-on's sliders use the same function, so that a slider shows what a fit wrote.
"""

import numpy as np

from .errors import EngineError, ErrorCode

CHANNELS = 3


def decode_albedo(
    mean: np.ndarray, basis: np.ndarray, valid: np.ndarray, coefficients: np.ndarray
) -> np.ndarray:
    """Albedo map of one set of coefficients: (H, W, 3) float32, sRGB-encoded, row 0 on top.

    mean: (3, N), the mean map at the N valid texels in row-major order.
    basis: (3, K, N), scaled by sigma. float32 is fast (a few ms); float16 works, but is converted
        on every call, so callers with sliders convert once.
    valid: (H, W) bool or uint8 with N non-zero texels.
    coefficients: (3, k) in standard deviations per channel R, G, B; k <= K, the rest count as 0.
    Each channel is mean + sum_k coefficient_k * basis_k (UVAPM, arXiv 2506.13233, equation 4).
    Not clipped: values may lie a little outside [0, 1]. Texels that are not valid get the mean
    colour of the map, so that filtering at the edge of an island does not darken it.
    Raises EngineError(PACK_INVALID) when the shapes do not fit together.
    """
    _check_shapes(mean, basis, valid, coefficients)
    used = coefficients.shape[1]
    texels = np.empty(mean.shape, np.float32)
    for channel in range(CHANNELS):
        rows = basis[channel, :used].astype(np.float32, copy=False)
        weights = coefficients[channel].astype(np.float32, copy=False)
        texels[channel] = mean[channel] + weights @ rows
    return scatter_texels(texels, valid)


def scatter_texels(texels: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """(3, N) values of the valid texels to an (H, W, 3) float32 map; the rest gets their mean."""
    image = np.empty((*valid.shape, CHANNELS), np.float32)
    image[:] = texels.mean(axis=1)
    image[valid.astype(bool, copy=False)] = texels.T
    return image


def gather_texels(image: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """(H, W, 3) map to the (3, N) values of its valid texels; inverse of `scatter_texels`."""
    return np.ascontiguousarray(image[valid.astype(bool, copy=False)].T)


def _check_shapes(
    mean: np.ndarray, basis: np.ndarray, valid: np.ndarray, coefficients: np.ndarray
) -> None:
    count = int(np.count_nonzero(valid))
    fits = (
        valid.ndim == 2
        and mean.shape == (CHANNELS, count)
        and basis.ndim == 3
        and basis.shape[0] == CHANNELS
        and basis.shape[2] == count
        and coefficients.ndim == 2
        and coefficients.shape[0] == CHANNELS
        and coefficients.shape[1] <= basis.shape[1]
    )
    if not fits:
        raise EngineError(
            ErrorCode.PACK_INVALID,
            f"The albedo model does not fit together: {count} valid texels, mean {mean.shape}, "
            f"basis {basis.shape}, coefficients {coefficients.shape}.",
            "Build the head pack again.",
        )
