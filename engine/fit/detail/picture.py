"""The face's picture of a detail map with its derivative written out: the fast twin of
`FaceView.picture` of `add_detail`, for the refinement.

Each sample depends on one number, its detail, so the chain rule is a product of slopes: no power
is taken twice, and nothing is taken of pixels that show no skin.
"""

from typing import Any

import cv2
import numpy as np
import torch

from ...head.transfer import picture_to_linear, picture_to_srgb
from ...protocol import conventions
from ...protocol.detail import LEAST_VALUE, add_detail, value
from ..seen.face_view import FaceView


class DetailPicture:
    """(n,) detail at the samples of a view -> (h, w, 3) sRGB. Differentiable.

    The derivative follows `protocol.detail.add_detail` (linear in V between 0 and 1), shading, the
    mean over a pixel's samples, and both sRGB curves: with e = srgb_to_linear(a), de/da =
    e g / (a + offset) on its power part, and for the inverse da/de = (a + offset) / (g e).
    """

    def __init__(self, view: FaceView, coarse: torch.Tensor) -> None:
        """coarse (n, 3) sRGB at the samples."""
        self._height, self._width = view.weight.shape
        self._samples = view.samples
        self._place = view.place.numpy()
        self._shading = view.shading.numpy()
        self._coarse = coarse.numpy()
        self._value = value(self._coarse)
        safe = np.maximum(self._value, np.float32(LEAST_VALUE))[:, None]
        self._way = np.where(self._value[:, None] > LEAST_VALUE, self._coarse / safe, 1.0)
        row, column = np.divmod(self._place, self._width * view.samples)
        self._pixel = (row // view.samples) * self._width + column // view.samples

    def __call__(self, detail: torch.Tensor) -> torch.Tensor:
        """See the class."""
        return _Picture.apply(detail, self)

    def still(self, detail: np.ndarray) -> np.ndarray:
        """Without gradients."""
        return picture_to_srgb(np.minimum(self._raster(self._lit(self._albedo(detail))), 1.0))

    def with_slopes(self, detail: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The picture, d linear light / d detail (n, 3) of the samples, and d sRGB / d linear
        light (h w, 3) of the pixels."""
        albedo = self._albedo(detail)
        lit = self._lit(albedo)
        power = np.float32(conventions.SRGB_POWER)
        offset = np.float32(conventions.SRGB_OFFSET)
        slopes = power * lit / (albedo + offset)
        toe = np.float32(1.0 / conventions.SRGB_SLOPE) * self._shading
        np.copyto(slopes, toe, where=albedo <= np.float32(conventions.SRGB_TOE))
        slopes *= self._way
        after = self._value + detail
        slopes *= ((after >= 0.0) & (after <= 1.0))[:, None]
        light = self._raster(lit)
        picture = picture_to_srgb(np.minimum(light, 1.0))
        least = np.float32(conventions.SRGB_TOE_LINEAR)
        rise = (picture + offset) / (power * np.maximum(light, least))
        np.copyto(rise, np.float32(conventions.SRGB_SLOPE), where=light <= least)
        rise *= light <= 1.0
        return picture, slopes, rise.reshape(-1, 3)

    def pulled_back(self, pull: np.ndarray, slopes: np.ndarray, rise: np.ndarray) -> np.ndarray:
        """(n,) the derivative by the detail of what has the derivative pull (h, w, 3) by the
        picture. slopes, rise: of `with_slopes`."""
        by_light = pull.reshape(-1, 3) * rise
        by_light *= np.float32(1.0 / self._samples**2)
        return np.einsum("nc,nc->n", by_light[self._pixel], slopes)

    def _albedo(self, detail: np.ndarray) -> np.ndarray:
        return add_detail(self._coarse, detail)

    def _lit(self, albedo: np.ndarray) -> np.ndarray:
        return picture_to_linear(albedo) * self._shading

    def _raster(self, lit: np.ndarray) -> np.ndarray:
        """(h, w, 3) mean of the samples (n, 3) of each pixel; black where there is none."""
        height, width, samples = self._height, self._width, self._samples
        raster = np.zeros((height * width * samples**2, 3), np.float32)
        raster[self._place] = lit
        raster = raster.reshape(height * samples, width * samples, 3)
        if samples > 1:
            raster = cv2.resize(raster, (width, height), interpolation=cv2.INTER_AREA)
        return raster


class _Picture(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, detail: torch.Tensor, maker: DetailPicture) -> torch.Tensor:
        if not ctx.needs_input_grad[0]:
            return torch.from_numpy(maker.still(detail.numpy()))
        picture, ctx.slopes, ctx.rise = maker.with_slopes(detail.detach().numpy())
        ctx.maker = maker
        return torch.from_numpy(picture)

    @staticmethod
    def backward(ctx: Any, pull: torch.Tensor) -> tuple[torch.Tensor, None]:
        return torch.from_numpy(ctx.maker.pulled_back(pull.numpy(), ctx.slopes, ctx.rise)), None
