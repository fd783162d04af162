"""Statistics of the latent over many maps: what the fit's prior and the sliders stand on."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch

from ...nets.detail_vae import DetailVae
from .samples import DetailSamples

CHUNK = 4
"""Whole maps that are encoded together."""
LEAST_RESIDUAL = 0.02
"""Standard deviations that a direction's model always leaves to each number of the latent. Ours:
the posterior's own width."""


@dataclass(frozen=True, eq=False)
class LatentStatistics:
    """mean, sigma, residual_sigma (C, s, s) float32; directions (K, C, s, s) float32 in standard
    deviations of the latent; explained: share of the variance that the directions carry."""

    mean: np.ndarray
    sigma: np.ndarray
    directions: np.ndarray
    residual_sigma: np.ndarray
    explained: float


def encode_samples(
    vae: DetailVae, samples: DetailSamples, rows: range, tick: Callable[[int], None]
) -> tuple[np.ndarray, np.ndarray]:
    """Means (n, C, s, s) float32 of whole maps' latents, and the mean posterior variance (C, s, s).

    vae: in evaluation mode. tick: takes the number of maps done, may raise Cancelled.
    """
    means, variance = [], None
    device = next(vae.parameters()).device
    for chunk in _chunks(rows):
        tick(sum(len(part) for part in means))
        maps = np.stack([samples.detail[row] for row in chunk]).astype(np.float32)
        with torch.no_grad():
            mean, log_variance = vae.encode(torch.from_numpy(maps)[:, None].to(device))
        means.append(mean.float().cpu().numpy())
        total = log_variance.float().exp().sum(0).cpu().numpy()
        variance = total if variance is None else variance + total
    tick(len(rows))
    assert variance is not None
    return np.concatenate(means), variance / len(rows)


def _chunks(rows: range) -> Iterator[range]:
    for start in range(0, len(rows), CHUNK):
        yield rows[start : start + CHUNK]


def latent_statistics(
    latents: np.ndarray, variance: np.ndarray, directions: int
) -> LatentStatistics:
    """Mean, deviations and principal directions of latents (n, C, s, s) float32, n of 2 or more.

    variance: (C, s, s), of the posterior. Sigma counts both, so that latents drawn for training
    have unit variance; a number that tells nothing then has the posterior's width, not 0.
    directions: K, at most n - 1; what is missing has length 0. By the Gram matrix of the maps
    (Turk & Pentland 1991), as there are fewer maps than numbers in a latent. The entry of largest
    magnitude of a direction is positive.
    """
    count, shape = len(latents), latents.shape[1:]
    mean = latents.mean(0, dtype=np.float64)
    spread = latents.var(0, dtype=np.float64)
    sigma = np.sqrt(spread + variance)
    alpha = ((latents - mean) / sigma).reshape(count, -1).astype(np.float64)
    values, vectors = np.linalg.eigh(alpha @ alpha.T / (count - 1))
    order = np.argsort(values)[::-1][: min(directions, count - 1)]
    found = np.zeros((directions, alpha.shape[1]))
    found[: len(order)] = vectors[:, order].T @ alpha / np.sqrt(count - 1)
    peaks = found[np.arange(directions), np.abs(found).argmax(axis=1)]
    found *= np.where(peaks < 0.0, -1.0, 1.0)[:, None]
    total = (spread / sigma**2).reshape(-1)
    rest = np.maximum(total - (found**2).sum(0), LEAST_RESIDUAL**2)
    return LatentStatistics(
        mean.astype(np.float32),
        sigma.astype(np.float32),
        found.reshape(directions, *shape).astype(np.float32),
        np.sqrt(rest).reshape(shape).astype(np.float32),
        float((found**2).sum() / max(total.sum(), 1e-12)),
    )


def draw_latents(statistics: LatentStatistics, count: int, seed: int) -> np.ndarray:
    """(count, C, s, s) float32 raw latents of the prior: directions and what they leave."""
    rng = np.random.default_rng(seed)
    directions = statistics.directions
    along = rng.standard_normal((count, len(directions)), np.float32)
    alpha = np.tensordot(along, directions, 1)
    alpha += rng.standard_normal(alpha.shape, np.float32) * statistics.residual_sigma
    return statistics.mean + statistics.sigma * alpha
