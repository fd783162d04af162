"""Steps of the detail refinement: quasi-Newton from a model of the curvature in the latent.

Decoding is most of the refinement's cost, so each step must go far. The objective's second
derivative is modelled as C + Sigma^-1: C diagonal, how much the pixels of a cell tell of its
latent; Sigma the prior. Limited-memory BFGS (Nocedal 1980) corrects the model as it goes. Three
such steps end below twelve of Adam (measured on photos, see the tests of the refinement).
"""

from functools import lru_cache
from typing import Protocol

import cv2
import numpy as np
import torch

from ...protocol.detail_pack import DetailModel
from .prior import PriorEnergy

_PROBE = 0.5
"""Standard deviations by which the latent is moved to see what a cell does."""
_GAP = 3.0
"""Texels over which the curvature is spread: pixels may be wider than texels."""


class DetailCoder(Protocol):
    """What stage 3 needs of a detail net (`nets.detail.DetailNet`): maps (S, S) signed detail,
    latents (C, s, s) in standard deviations, decoding differentiable."""

    model: DetailModel

    def encode(self, detail: torch.Tensor) -> torch.Tensor:
        """Map to latent."""

    def encode_part(self, detail: torch.Tensor, rows: slice, columns: slice) -> torch.Tensor:
        """Map to latent, some rows and columns of cells alone."""

    def decode(self, alpha: torch.Tensor) -> torch.Tensor:
        """Latent to map."""

    def decode_part(self, alpha: torch.Tensor, rows: slice, columns: slice) -> torch.Tensor:
        """Latent to map through some rows and columns of cells alone."""

    def gather(self, texels: np.ndarray) -> np.ndarray:
        """(S, S) of the map to sums over cells (s, s)."""

    def spread(self, cells: np.ndarray) -> np.ndarray:
        """(s, s) of the cells to (S, S) of the map."""


@lru_cache(maxsize=2)
def latent_gain(net: DetailCoder) -> np.ndarray:
    """(C, S, S) float32: squared change of a texel by one standard deviation of its cell's latent.

    For each channel all cells move at once with random signs; the square's expectation is then
    the sum over cells (Hutchinson 1990). Around the mean detail; once a network.
    """
    shape = net.model.latent_mean.shape
    signs = np.random.default_rng(0).choice(np.float32([-_PROBE, _PROBE]), shape[1:])
    gain = []
    with torch.no_grad():
        mean = net.decode(torch.zeros(shape))
        for channel in range(shape[0]):
            moved = torch.zeros(shape)
            moved[channel] = torch.from_numpy(signs)
            gain.append((((net.decode(moved) - mean) / _PROBE) ** 2).numpy())
    return np.stack(gain)


def latent_curvature(net: DetailCoder, texels: np.ndarray) -> np.ndarray:
    """(C, s, s) diagonal of J^T W J, J the decoder's Jacobian, W = diag(texels), texels (S, S)."""
    even = cv2.GaussianBlur(texels.astype(np.float32), (0, 0), _GAP)
    return np.stack([np.maximum(net.gather(gain * even), 0.0) for gain in latent_gain(net)])


class Curvature:
    """The model of the second derivative over the cells that may move, and its inverse.

    (A^-1 - F^T F)^-1 = A + A F^T (1 - F A F^T)^-1 F A (Woodbury 1950), A the inverse of the
    diagonal C + 1 / r^2, F the low-rank part of the prior, see `PriorEnergy`.
    """

    def __init__(self, prior: PriorEnergy, data: np.ndarray, free: np.ndarray) -> None:
        """data (C, s, s): curvature of the data term; free (s, s) bool."""
        self._chosen = np.broadcast_to(free, data.shape).ravel()
        factor = prior.factor[:, self._chosen]
        self._scale = 1.0 / (data.ravel()[self._chosen] + prior.diagonal[self._chosen])
        self._factor = factor * self._scale
        small = np.eye(len(factor)) - self._factor @ factor.T
        self._small = np.linalg.inv(small)

    def solve(self, gradient: np.ndarray) -> np.ndarray:
        """(C, s, s) inverse model times gradient (C, s, s); 0 in cells that do not move."""
        values = gradient.ravel()[self._chosen]
        moved = self._scale * values + self._factor.T @ (self._small @ (self._factor @ values))
        step = np.zeros(gradient.size)
        step[self._chosen] = moved
        return step.reshape(gradient.shape)


class LimitedMemory:
    """The two-loop recursion of L-BFGS (Nocedal 1980, p. 779) on a `Curvature` to start from."""

    def __init__(self, start: Curvature) -> None:
        self._start = start
        self._pairs: list[tuple[np.ndarray, np.ndarray, float]] = []

    def learn(self, step: np.ndarray, change: np.ndarray) -> bool:
        """Take in how the gradient changed along a step; False where the curvature is not
        positive, which teaches nothing."""
        product = float((step * change).sum())
        if product <= 1e-10 * float(np.linalg.norm(step) * np.linalg.norm(change)):
            return False
        self._pairs.append((step, change, product))
        return True

    def step(self, gradient: np.ndarray) -> np.ndarray:
        """The way to the minimum of the model at this gradient, both (C, s, s)."""
        left, shares = gradient, []
        for step, change, product in reversed(self._pairs):
            shares.append(float((step * left).sum()) / product)
            left = left - shares[-1] * change
        way = self._start.solve(left)
        for (step, change, product), share in zip(self._pairs, reversed(shares), strict=True):
            way = way + (share - float((change * way).sum()) / product) * step
        return -way
