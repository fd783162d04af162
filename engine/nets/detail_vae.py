"""The variational auto-encoder of detail maps (UVAPM, arXiv 2506.13233: 512 from 32 x 32 x 4).

Ours in the layers, because it has to run and train on two CPU cores: space-to-depth first (Shi et
al. 2016), so that no convolution runs at 512; residual blocks (He et al. 2016) without
normalisation; and a fixed linear path beside the network on both sides, the principal components
of small patches, so that the network only has to learn what these miss.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..protocol.detail_pack import DetailInfo
from ..protocol.pack_manifest import DETAIL_CELL as CELL

FOLD = 4
"""Space-to-depth of the first layer: 512 texels become 128 cells of 16 channels."""
START_LOG_VARIANCE = -5.0
"""Of the posterior at the start: narrow, so that the first steps see little noise."""


class ResidualBlock(nn.Module):
    """x + conv(silu(conv(silu(x)))), the second convolution starting at zero."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to the same."""
        hidden = self.first(functional.silu(x))
        return x + self.second(functional.silu(hidden))


class Spread(nn.Module):
    """Depth to space (Shi et al. 2016), as torch.nn.PixelShuffle does it.

    That one refuses to work where torch cannot tell what the processor can do: in containers
    without /proc, on old processors.
    """

    def __init__(self, factor: int) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        """(N, C f f, H, W) to (N, C, f H, f W)."""
        count, depth, height, width = x.shape
        f = self.factor
        parts = x.reshape(count, depth // (f * f), f, f, height, width)
        wide = parts.permute(0, 1, 4, 2, 5, 3).reshape(count, -1, f * height, f * width)
        return wide.contiguous(memory_format=torch.channels_last)


def _blocks(width: int, count: int) -> list[nn.Module]:
    return [ResidualBlock(width) for _ in range(count)]


class _Encoder(nn.Module):
    def __init__(self, info: DetailInfo) -> None:
        super().__init__()
        fine, middle, deep = info.widths
        self.linear = nn.Conv2d(1, info.latent_channels, CELL, stride=CELL, bias=False)
        self.linear.requires_grad_(False)
        self.body = nn.Sequential(
            nn.PixelUnshuffle(FOLD),
            nn.Conv2d(FOLD * FOLD, fine, 3, padding=1),
            *_blocks(fine, info.blocks),
            nn.Conv2d(fine, middle, 4, stride=2, padding=1),
            *_blocks(middle, info.blocks),
            nn.Conv2d(middle, deep, 4, stride=2, padding=1),
            *_blocks(deep, info.blocks),
            nn.SiLU(),
        )
        self.mean = nn.Conv2d(deep, info.latent_channels, 3, padding=1)
        self.log_variance = nn.Conv2d(deep, info.latent_channels, 3, padding=1)

    def forward(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        hidden = self.body(maps)
        return self.linear(maps) + self.mean(hidden), self.log_variance(hidden)


class _Decoder(nn.Module):
    def __init__(self, info: DetailInfo) -> None:
        super().__init__()
        fine, middle, deep = info.widths
        self.linear = nn.ConvTranspose2d(info.latent_channels, 1, CELL, stride=CELL, bias=False)
        self.linear.requires_grad_(False)
        self.body = nn.Sequential(
            nn.Conv2d(info.latent_channels, deep, 3, padding=1),
            *_blocks(deep, info.blocks),
            nn.Conv2d(deep, middle * 4, 3, padding=1),
            Spread(2),
            *_blocks(middle, info.blocks),
            nn.Conv2d(middle, fine * 4, 3, padding=1),
            Spread(2),
            *_blocks(fine, info.blocks),
            nn.SiLU(),
            nn.Conv2d(fine, FOLD * FOLD, 3, padding=1),
            Spread(FOLD),
        )

    def forward(self, latent: Tensor) -> Tensor:
        return self.linear(latent) + self.body(latent)


class DetailVae(nn.Module):
    """Maps to latents and back. Fully convolutional: any side that is a multiple of CELL.

    Maps are signed detail in sRGB units of V. Inside, they are counted in `scale`s, so that
    weights and latents are of order one.
    """

    scale: Tensor

    def __init__(self, info: DetailInfo) -> None:
        super().__init__()
        self.encoder = _Encoder(info)
        self.decoder = _Decoder(info)
        self.register_buffer("scale", torch.tensor(0.02))

    def encode(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """(N, 1, S, S) detail to mean and log variance of its latent, (N, C, S/16, S/16) each."""
        mean, log_variance = self.encoder(maps / self.scale)
        return mean, log_variance.clamp(-12.0, 4.0)

    def decode(self, latent: Tensor) -> Tensor:
        """(N, C, s, s) latents to (N, 1, 16 s, 16 s) detail."""
        return self.decoder(latent) * self.scale

    def start_linear(self, patches: Tensor) -> None:
        """Set the linear paths to the principal components of detail patches; the rest adds zero.

        patches: (n, 16, 16) signed detail, n larger than the latent channels. Latents then start
        with unit variance.
        """
        flat = patches.reshape(len(patches), -1) / self.scale
        flat = flat - flat.mean(0)
        channels = self.decoder.linear.in_channels
        _, values, rows = torch.linalg.svd(flat, full_matrices=False)
        sigma = (values[:channels] / len(flat) ** 0.5)[:, None]
        shape = (channels, 1, CELL, CELL)
        with torch.no_grad():
            self.decoder.linear.weight.copy_((rows[:channels] * sigma).reshape(shape))
            self.encoder.linear.weight.copy_((rows[:channels] / sigma).reshape(shape))
            for layer in (self.encoder.mean, self.encoder.log_variance, self.decoder.body[-2]):
                nn.init.zeros_(layer.weight)
                nn.init.zeros_(layer.bias)
            nn.init.constant_(self.encoder.log_variance.bias, START_LOG_VARIANCE)
