"""What a network sees differently in two pictures: the perceptual term of the detail VAE.

LPIPS (Zhang et al. 2018) needs weights that we may not ship. Without them the first layers of the
default pack's identity network stand in, compared as LPIPS compares (equation 1, all weights 1).
"""

import torch
from torch import Tensor, nn

from ...nets.identity import IdentityNet

LAYERS = 2
"""Residual blocks after the stem. Ours: deeper ones see whole faces, not skin."""


def layer_distance(a: Tensor, b: Tensor) -> Tensor:
    """(N, 1, h, w): squared distance of unit feature vectors (Zhang et al. 2018, equation 1)."""
    a, b = (x / (x.norm(dim=1, keepdim=True) + 1e-4) for x in (a, b))
    return ((a - b) ** 2).sum(1, keepdim=True)


class PackDistance(nn.Module):
    """Feature distance by the identity network's stem and first blocks."""

    def __init__(self, net: IdentityNet) -> None:
        super().__init__()
        self.net = net.requires_grad_(False)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """a, b: (N, 1, S, S) V in [0, 1], sRGB, shown as grey. Returns (N, 1, s, s)."""
        pictures = torch.cat([a, b]).clamp(0.0, 1.0).expand(-1, 3, -1, -1)
        total = a.new_zeros(())
        for features in self.net.features(pictures, LAYERS):
            distance = layer_distance(*features.chunk(2))
            size = total.shape[-2:] if total.dim() else distance.shape[-2:]
            total = total + nn.functional.interpolate(distance, size=size, mode="area")
        return total
