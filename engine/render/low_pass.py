"""Weighted wide Gaussian: what varies slowly, read only where there is something to read."""

import math

import torch
from torch.nn import functional

_LEAST_WEIGHT = 1e-4
"""Blurred weight below which nothing was read nearby; the result then fades to 0. Ours."""
_TRUNCATE = 3.0
"""Sigmas at which the Gaussian ends: 0.3 % of it lie beyond."""


class LowPass:
    """Normalised convolution (Knutsson & Westin 1993): G * (w x) / (G * w), G a wide Gaussian.

    The Gaussian runs on block means of a third of sigma and is read bilinearly, so that its cost
    does not grow with its width; sigma is corrected for both. Linear and differentiable in x.
    """

    def __init__(self, weight: torch.Tensor, sigma: float) -> None:
        """weight (H, W) >= 0; sigma in pixels, positive."""
        self._size = (weight.shape[0], weight.shape[1])
        self._step = max(1, int(sigma / 3.0))
        step = float(self._step)
        # A block's mean adds (step^2 - 1) / 12 of variance, linear interpolation step^2 / 6.
        added = (step**2 - 1.0) / 12.0 + (step**2 / 6.0 if step > 1 else 0.0)
        narrow = math.sqrt(max(sigma**2 - added, 1e-6)) / step
        reach = max(1, math.ceil(_TRUNCATE * narrow))
        offsets = torch.arange(-reach, reach + 1, dtype=weight.dtype)
        kernel = torch.exp(-0.5 * (offsets / narrow) ** 2)
        self._kernel = kernel / kernel.sum()
        self._weight = weight
        self._total = self._blur(weight[None, None])[0, 0]

    def __call__(self, values: torch.Tensor) -> torch.Tensor:
        """(H, W, C) -> (H, W, C), the slow part."""
        planes = (values * self._weight[..., None]).permute(2, 0, 1)[:, None]
        blurred = self._blur(planes)[:, 0].permute(1, 2, 0)
        return blurred / (self._total + _LEAST_WEIGHT)[..., None]

    def _blur(self, planes: torch.Tensor) -> torch.Tensor:
        """(N, 1, H, W) blurred, zeros outside."""
        height, width = self._size
        step = self._step
        padded = functional.pad(planes, (0, -width % step, 0, -height % step))
        small = functional.avg_pool2d(padded, step)
        reach = len(self._kernel) // 2
        small = functional.conv2d(small, self._kernel[None, None, None], padding=(0, reach))
        small = functional.conv2d(small, self._kernel[None, None, :, None], padding=(reach, 0))
        large = functional.interpolate(
            small, size=padded.shape[-2:], mode="bilinear", align_corners=False
        )
        return large[..., :height, :width]
