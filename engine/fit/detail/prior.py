"""The Gaussian prior of the detail latent, and the completion of what a photo did not show.

alpha ~ N(0, D^T D + diag(r^2)), D (K, n) the pack's directions, r its residual sigma. With K far
below n every solve goes through the Woodbury identity (Woodbury 1950): K x K systems only.
"""

from dataclasses import dataclass

import numpy as np
import torch

from ...protocol.detail_pack import DetailModel


@dataclass(frozen=True, eq=False)
class DetailPrior:
    """directions (K, n), one standard deviation each; variance (n,) of what they leave."""

    directions: np.ndarray
    variance: np.ndarray


def detail_prior(model: DetailModel) -> DetailPrior:
    """The prior of a pack's model, flattened, float64."""
    directions = model.directions.reshape(len(model.directions), -1).astype(np.float64)
    return DetailPrior(directions, model.residual_sigma.astype(np.float64).ravel() ** 2)


def solve_covariance(prior: DetailPrior, noise: np.ndarray, values: np.ndarray) -> np.ndarray:
    """(Sigma + diag(noise))^-1 values, both (n,), over the entries with finite noise; else 0.

    Woodbury: M^-1 v - M^-1 D^T (I + D M^-1 D^T)^-1 D M^-1 v with M = diag(r^2 + noise). An entry
    with infinite noise was not measured: its row of M^-1 is 0, which drops it exactly.
    """
    inverse = 1.0 / (prior.variance + noise)
    scaled = prior.directions * inverse
    small = np.eye(len(scaled)) + scaled @ prior.directions.T
    return inverse * values - scaled.T @ np.linalg.solve(small, scaled @ values)


def conditional_mean(prior: DetailPrior, values: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """(n,) mean of alpha given values (n,) measured with variances noise (n,), inf: not measured.

    Sigma (Sigma + N)^-1 values (Bishop 2006, eq. 2.81, zero mean). Where noise is 0 it gives the
    values back.
    """
    solved = solve_covariance(prior, noise, values)
    return prior.directions.T @ (prior.directions @ solved) + prior.variance * solved


def draw_prior(prior: DetailPrior, generator: np.random.Generator) -> np.ndarray:
    """(n,) a sample of the prior."""
    factors = generator.standard_normal(len(prior.directions))
    rest = generator.standard_normal(len(prior.variance))
    return factors @ prior.directions + np.sqrt(prior.variance) * rest


@dataclass(frozen=True, eq=False)
class Completion:
    """mean and draw, both in the latent's shape (C, s, s): mean is the conditional mean; mean +
    draw a plausible whole, draw about 0 where the photo was trusted."""

    mean: np.ndarray
    draw: np.ndarray


def complete(
    prior: DetailPrior,
    alpha: np.ndarray,
    trust: np.ndarray,
    strength: float | np.ndarray,
    generator: np.random.Generator,
) -> Completion:
    """Complete a latent (C, s, s) that was read off cells with trust (s, s) in [0, 1].

    A cell's trust t stands for a measuring variance of (1 - t) / t (ours: none at 1, the prior's
    own at 1/2, infinite at 0). The draw follows Matheron's rule (Journel & Huijbregts 1978): a
    sample x of the prior, measured with the same noise, minus its own conditional mean, is a
    sample of what the measurements leave open. strength: factor on it, 1 the prior's own; one
    number, or (s, s) by cell.
    """
    noise, values = _measured(alpha, trust)
    mean = conditional_mean(prior, values, noise)
    sample = draw_prior(prior, generator)
    error = generator.standard_normal(len(sample)) * np.sqrt(
        np.where(np.isfinite(noise), noise, 0.0)
    )
    left = sample - conditional_mean(prior, sample + error, noise)
    shape = alpha.shape
    return Completion(
        mean.reshape(shape).astype(np.float32),
        (strength * left.reshape(shape)).astype(np.float32),
    )


def completed_before(prior: DetailPrior, alpha: np.ndarray, trust: np.ndarray) -> Completion:
    """The parts of a whole latent (C, s, s) that was completed before; their sum is `alpha`.

    trust (s, s) in [0, 1] as in `complete`: the mean follows from the cells that are trusted, and
    what it leaves was drawn.
    """
    noise, values = _measured(alpha, trust)
    mean = conditional_mean(prior, values, noise).reshape(alpha.shape).astype(np.float32)
    return Completion(mean, alpha.astype(np.float32) - mean)


def _measured(alpha: np.ndarray, trust: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Measuring variances (n,), inf where nothing was, and the values (n,), 0 there."""
    shares = np.broadcast_to(trust, alpha.shape).astype(np.float64).ravel()
    noise = np.divide(1.0 - shares, shares, out=np.full_like(shares, np.inf), where=shares > 1e-3)
    return noise, np.where(np.isfinite(noise), alpha.astype(np.float64).ravel(), 0.0)


class PriorEnergy:
    """alpha^T Sigma^-1 alpha of a flattened latent (n,): the squared Mahalanobis length.

    Differentiable. Woodbury with the Cholesky factor of I + D M^-1 D^T kept: Sigma^-1 =
    diag(diagonal) - factor^T factor, diagonal (n,), factor (K, n), float64.
    """

    def __init__(self, prior: DetailPrior, dtype: torch.dtype = torch.float32) -> None:
        scaled = prior.directions / prior.variance
        small = np.eye(len(scaled)) + scaled @ prior.directions.T
        factor = np.linalg.solve(np.linalg.cholesky(small), scaled)
        self.diagonal, self.factor = 1.0 / prior.variance, factor
        self._inverse = torch.from_numpy(self.diagonal).to(dtype)
        self._factor = torch.from_numpy(factor).to(dtype)

    def __call__(self, alpha: torch.Tensor) -> torch.Tensor:
        """() for alpha of any shape with n entries."""
        flat = alpha.reshape(-1)
        return (flat * flat) @ self._inverse - ((self._factor @ flat) ** 2).sum()
