"""Albedo maps and coefficients of an albedo model. Standard library and numpy only.

The only place of both directions: the fit, the training, the evaluation and the add-on's sliders
use these functions, so that a slider shows what a fit wrote.
"""

from dataclasses import dataclass

import numpy as np

from .errors import EngineError, ErrorCode

CHANNELS = 3
SEEN = 1e-10
"""Directions whose share of the largest eigenvalue is below this are not in the data. Ours: the
rounding of a float32 basis lies at 1e-14."""
_BLOCK = 8192
"""Texels that are converted to float64 at a time."""


def decode_albedo(
    mean: np.ndarray, basis: np.ndarray, valid: np.ndarray, coefficients: np.ndarray
) -> np.ndarray:
    """Albedo map of one set of coefficients: (H, W, 3) float32, sRGB-encoded, row 0 on top.

    mean: (3, N), the mean map at the N valid texels in row-major order.
    basis: (3, K, N), per standard deviation. float32 is fast (3 x 100 components at 256: 4 ms,
        most of it the time to read the basis from memory); other types are converted on each call.
    valid: (H, W) bool or uint8 with N non-zero texels.
    coefficients: (3, k) in standard deviations per channel R, G, B; k <= K, the rest count as 0.
    Each channel is mean + sum_k coefficient_k * basis_k (UVAPM, arXiv 2506.13233, equation 4).
    Not clipped: values may lie a little outside [0, 1]. Texels that are not valid get the mean
    colour of the map, so that filtering at the edge of an island does not darken it.
    Raises EngineError(PACK_INVALID) when the shapes do not fit together.
    """
    _check_shapes(mean, basis, valid, coefficients)
    return scatter_texels(decode_texels(mean, basis, coefficients), valid)


def decode_texels(mean: np.ndarray, basis: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """(3, n) float32 values of any n texels: mean (3, n), basis (3, K, n), coefficients (3, k).

    The formula of `decode_albedo`, not clipped. Shapes are the caller's business.
    """
    used = coefficients.shape[1]
    texels = np.empty(mean.shape, np.float32)
    for channel in range(CHANNELS):
        rows = basis[channel, :used].astype(np.float32, copy=False)
        weights = coefficients[channel].astype(np.float32, copy=False)
        np.add(mean[channel], weights @ rows, out=texels[channel])
    return texels


@dataclass(frozen=True)
class AlbedoEncoder:
    """Encodes many maps with the same weights: what does not depend on the map is done once.

    mean (3, N), basis (3, K, N), valid (H, W): of the model. share: (N,) float64 weight of each
    valid texel, None for all 1. inverse: (3, K, K) float64 inverse of the normal matrices.
    """

    mean: np.ndarray
    basis: np.ndarray
    valid: np.ndarray
    share: np.ndarray | None
    inverse: np.ndarray

    def encode(self, image: np.ndarray) -> np.ndarray:
        """(3, K) float64 coefficients of an (H, W, 3) sRGB map; see `encode_albedo`."""
        if image.shape != (*self.valid.shape, CHANNELS):
            raise _unfit(f"a map of shape {image.shape} for a model of {self.valid.shape}")
        offset = gather_texels(image, self.valid).astype(np.float64) - self.mean
        target = project_texels(self.basis, offset if self.share is None else offset * self.share)
        return np.einsum("cij,cj->ci", self.inverse, target)


def encode_albedo(
    mean: np.ndarray,
    basis: np.ndarray,
    valid: np.ndarray,
    image: np.ndarray,
    weights: np.ndarray | None = None,
    ridge: float = 0.0,
) -> np.ndarray:
    """Coefficients of the closest map of the model: (3, K) float64 in standard deviations.

    mean, basis, valid: of the model, as for `decode_albedo`. image: (H, W, 3) sRGB.
    weights: (H, W), 0 or more; a texel of weight 0 does not count and may hold anything finite.
    None weighs all texels 1. Use `prepare_encoder` for many maps with the same weights.
    Minimises sum_n w_n (x_n - mean_n - sum_k c_k b_kn)^2 + ridge sum_k c_k^2 per channel, by its
    normal equations in float64 (Hoerl & Kennard 1970). With ridge 0 it is the exact weighted
    least-squares projection; with ridge = noise variance of a texel of weight 1 (sRGB units^2) it
    is the most probable set under independent unit-normal coefficients (Bishop, PRML 2006,
    equation 3.55). What the weighted texels do not tell stays 0 (least norm).
    Raises EngineError(PACK_INVALID) when the shapes do not fit together, BAD_SETTINGS for weights
    or a ridge below 0.
    """
    return prepare_encoder(mean, basis, valid, weights, ridge).encode(image)


def prepare_encoder(
    mean: np.ndarray,
    basis: np.ndarray,
    valid: np.ndarray,
    weights: np.ndarray | None = None,
    ridge: float = 0.0,
) -> AlbedoEncoder:
    """The part of `encode_albedo` that does not depend on the map; same arguments and errors."""
    _check_shapes(mean, basis, valid, np.zeros((CHANNELS, 0)))
    share = None
    if weights is not None:
        if weights.shape != valid.shape:
            raise _unfit(f"weights {weights.shape} for a model of {valid.shape}")
        share = weights[valid.astype(bool, copy=False)].astype(np.float64)
    if not 0.0 <= ridge < np.inf or not _sound(share):
        raise EngineError(ErrorCode.BAD_SETTINGS, "Weights and ridge must be numbers from 0.")
    normal = normal_matrix(basis, share) + ridge * np.eye(basis.shape[1])
    return AlbedoEncoder(mean, basis, valid, share, np.linalg.pinv(normal, SEEN, hermitian=True))


def _sound(weights: np.ndarray | None) -> bool:
    return weights is None or bool(((weights >= 0.0) & (weights < np.inf)).all())


def normal_matrix(basis: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
    """(3, K, K) float64: basis diag(weights) basis^T per channel.

    basis: (3, K, n); weights: (n,), 0 or more, None for all 1.
    """
    count, texels = basis.shape[1:]
    root = None if weights is None else np.sqrt(weights)
    normal = np.zeros((CHANNELS, count, count))
    for channel in range(CHANNELS):
        for start in range(0, texels, _BLOCK):
            block = slice(start, start + _BLOCK)
            rows = basis[channel, :, block].astype(np.float64)
            if root is not None:
                rows *= root[block]
            normal[channel] += rows @ rows.T  # of one array, so half the work
    return normal


def project_texels(basis: np.ndarray, values: np.ndarray) -> np.ndarray:
    """(3, K) float64: basis (3, K, n) times values (3, n), per channel."""
    target = np.zeros(basis.shape[:2])
    for channel in range(CHANNELS):
        for start in range(0, values.shape[1], _BLOCK):
            block = slice(start, start + _BLOCK)
            rows = basis[channel, :, block].astype(np.float64)
            target[channel] += rows @ values[channel, block]
    return target


def scatter_texels(texels: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """(3, N) values of the valid texels to an (H, W, 3) float32 map; the rest gets their mean.

    Copies run by run of neighbours: a fifth of the time of a boolean mask on a skin layout.
    """
    planes = np.empty((CHANNELS, valid.size), np.float32)
    planes[:] = texels.mean(axis=1, keepdims=True)
    inside = valid.reshape(-1).astype(bool, copy=False)
    edges = np.flatnonzero(np.diff(inside, prepend=False, append=False)).tolist()
    start = 0
    for first, after in zip(edges[::2], edges[1::2], strict=True):
        stop = start + after - first
        planes[:, first:after] = texels[:, start:stop]
        start = stop
    return np.stack(list(planes), axis=-1).reshape(*valid.shape, CHANNELS)


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
        raise _unfit(
            f"{count} valid texels, mean {mean.shape}, basis {basis.shape}, "
            f"coefficients {coefficients.shape}"
        )


def _unfit(why: str) -> EngineError:
    return EngineError(
        ErrorCode.PACK_INVALID,
        f"The albedo model does not fit together: {why}.",
        "Make the pack of that model again.",
    )
