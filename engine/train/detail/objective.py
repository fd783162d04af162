"""The losses of the detail VAE, as functions from values to values.

UVAPM (arXiv 2506.13233) names KL, GAN and LPIPS and gives no weights; the weights here are ours.
The reconstruction is squared error plus structural similarity, because table 2 of the paper
measures both.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from ...nets.detail_vae import DetailVae
from ...protocol.conventions import BYTE_MAX
from ...protocol.similarity import SSIM_C2, SSIM_RADIUS, SSIM_SIGMA
from .critic import PatchCritic

Perceptual = Callable[[Tensor, Tensor], Tensor]
"""Distance of two pictures (N, 1, S, S) of V in [0, 1], sRGB: (N, 1, s, s), 0 where equal."""


@dataclass(frozen=True)
class ObjectiveSettings:
    """Weights of the losses. Squared errors are counted in the net's `scale` squared.

    kl: of the divergence per latent cell: a posterior about 25 times narrower than the prior, so
    that little is lost. structure: of 1 - SSIM at half size; high, because on smooth skin small
    errors show. perceptual: of the feature distance. critic: of the generator's adversarial loss;
    small, because the detail must stay the person's.
    critic_start: step from which the critic counts; it learns from `critic_warm` steps before.
    """

    squared: float = 1.0
    structure: float = 4.0
    kl: float = 5e-4
    perceptual: float = 0.5
    critic: float = 0.05
    critic_start: int = 3000
    critic_warm: int = 200


@dataclass(frozen=True)
class DetailBatch:
    """Crops. detail (N, 1, S, S) signed; value (N, 1, S, S): V of the coarse map, sRGB; weight
    (N, 1, S, S) in [0, 1]: texels that count."""

    detail: Tensor
    value: Tensor
    weight: Tensor


def weighted_mean(x: Tensor, weight: Tensor) -> Tensor:
    """Mean of x under weights of the same shape; 0 where nothing counts."""
    return (x * weight).sum() / weight.sum().clamp_min(1e-6)


def kl_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """(N, h, w): of N(mean, variance) from N(0, 1), summed over the channels of a cell.

    Kingma & Welling 2014, appendix B.
    """
    return 0.5 * (mean**2 + log_variance.exp() - 1.0 - log_variance).sum(1)


def sample_latent(mean: Tensor, log_variance: Tensor, generator: torch.Generator) -> Tensor:
    """A draw from the posterior (Kingma & Welling 2014, section 2.4)."""
    noise = torch.randn(mean.shape, generator=generator, dtype=mean.dtype, device=generator.device)
    return mean + (0.5 * log_variance).exp() * noise.to(mean.device)


def _window(like: Tensor) -> Tensor:
    offsets = torch.arange(-SSIM_RADIUS, SSIM_RADIUS + 1, dtype=like.dtype, device=like.device)
    window = torch.exp(-0.5 * (offsets / SSIM_SIGMA) ** 2)
    return window / window.sum()


def _smooth(x: Tensor) -> Tensor:
    channels, window = x.shape[1], _window(x)
    rows = window.reshape(1, 1, -1, 1).expand(channels, 1, -1, 1)
    smooth = functional.conv2d(x, rows, padding=(SSIM_RADIUS, 0), groups=channels)
    columns = rows.transpose(2, 3)
    return functional.conv2d(smooth, columns, padding=(0, SSIM_RADIUS), groups=channels)


def structure_map(a: Tensor, b: Tensor) -> Tensor:
    """(N, 1, S, S): contrast and structure terms of SSIM (Wang et al. 2004, equations 6 and 9).

    a, b: (N, 1, S, S) V in sRGB units. Windows at the rim see zeros, alike in both. Variances are
    small differences of large numbers, so half precision will not do.
    """
    with torch.autocast(a.device.type, enabled=False):
        return _structure_map(a.float(), b.float())


def _structure_map(a: Tensor, b: Tensor) -> Tensor:
    c2 = SSIM_C2 / BYTE_MAX**2
    mean_a, mean_b, aa, bb, ab = _smooth(torch.cat([a, b, a * a, b * b, a * b], 1)).split(1, 1)
    covariance = ab - mean_a * mean_b
    return (2.0 * covariance + c2) / (aa - mean_a**2 + bb - mean_b**2 + c2)


def generator_loss(
    vae: DetailVae,
    critic: PatchCritic,
    perceptual: Perceptual | None,
    batch: DetailBatch,
    settings: ObjectiveSettings,
    step: int,
    generator: torch.Generator,
) -> tuple[Tensor, Tensor, dict[str, float]]:
    """Loss of the VAE, its reconstruction (N, 1, S, S), and the terms by name, unweighted.

    perceptual: None leaves that term out. Before `critic_start` the critic has no say.
    """
    mean, log_variance = vae.encode(batch.detail)
    found = vae.decode(sample_latent(mean, log_variance, generator))
    scale, weight = vae.scale, batch.weight
    cells = functional.avg_pool2d(weight, weight.shape[-1] // mean.shape[-1])[:, 0]
    squared = weighted_mean(((found - batch.detail) / scale) ** 2, weight)
    real = batch.value + batch.detail
    made = batch.value + found
    half = [functional.avg_pool2d(x, 2) for x in (made, real, weight)]
    structure = 1.0 - weighted_mean(structure_map(half[0], half[1]), half[2])
    terms = {
        "squared": squared,
        "structure": structure,
        "kl": weighted_mean(kl_divergence(mean, log_variance), cells),
    }
    if perceptual is not None and settings.perceptual > 0.0:
        distance = perceptual(made, real)
        terms["perceptual"] = weighted_mean(distance, _resized(weight, distance))
    if step >= settings.critic_start and settings.critic > 0.0:
        scores = critic(found / scale * (weight > 0))
        terms["critic"] = -weighted_mean(scores, _resized(weight, scores))
    loss = torch.stack([getattr(settings, name) * term for name, term in terms.items()]).sum()
    return loss, found, {name: float(term.detach()) for name, term in terms.items()}


def critic_active(settings: ObjectiveSettings, step: int) -> bool:
    """True from the step at which the critic begins to learn."""
    return settings.critic > 0.0 and step >= settings.critic_start - settings.critic_warm


def critic_loss(
    critic: PatchCritic, batch: DetailBatch, found: Tensor, scale: Tensor
) -> tuple[Tensor, dict[str, float]]:
    """Hinge loss of the critic (Lim & Ye 2017). found: reconstruction, detached by this."""
    seen = batch.weight > 0
    real = critic(batch.detail / scale * seen)
    made = critic(found.detach() / scale * seen)
    weight = _resized(batch.weight, real)
    loss = weighted_mean(functional.relu(1.0 - real), weight)
    loss = loss + weighted_mean(functional.relu(1.0 + made), weight)
    return loss, {"critic_loss": float(loss.detach())}


def _resized(weight: Tensor, like: Tensor) -> Tensor:
    return functional.interpolate(weight, size=like.shape[-2:], mode="area")
