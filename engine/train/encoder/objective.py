"""The loss of the coarse encoder, as functions from values to values."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from ...nets.coarse_encoder import FixedDecoder
from ...protocol.albedo import prepare_encoder
from ...protocol.albedo_pack import AlbedoModel


class ExactProjection(nn.Module):
    """The coefficients of smallest weighted squared error, of whole maps, as one linear step.

    The formula of `protocol.albedo.encode_albedo` with the same weights, in float32. weight (N,):
    of the valid texels, mean 1. inverse (3, K, K).
    """

    weight: Tensor
    inverse: Tensor

    def __init__(self, model: AlbedoModel, weights: np.ndarray | None) -> None:
        """weights: (H, W), positive on valid texels, None for equal ones."""
        super().__init__()
        weights = np.ones(model.valid.shape) if weights is None else weights.astype(np.float64)
        weights = weights / weights[model.valid].mean()
        exact = prepare_encoder(model.mean, model.basis, model.valid, weights)
        weight = torch.from_numpy(weights[model.valid].astype(np.float32))
        inverse = torch.from_numpy(exact.inverse.astype(np.float32))
        self.register_buffer("weight", weight, persistent=False)
        self.register_buffer("inverse", inverse, persistent=False)

    def forward(self, decoder: FixedDecoder, texels: Tensor) -> Tensor:
        """(n, 3, N) sRGB to (n, 3, K) in standard deviations."""
        offset = (texels - decoder.mean) * self.weight
        target = torch.einsum("nct,ckt->nck", offset, decoder.basis)
        return torch.einsum("cij,ncj->nci", self.inverse, target)


def weighted_error(decoder: FixedDecoder, weight: Tensor, found: Tensor, texels: Tensor) -> Tensor:
    """Squared error of decoded coefficients (n, 3, K) against maps (n, 3, N), in variances of the
    model: 1 is about the error of the mean map. weight (N,), mean 1."""
    error = (decoder.decode(found) - texels) ** 2
    return (error * weight).mean() / decoder.spread**2


@dataclass(frozen=True, eq=False)
class EncoderLoss:
    """total: to descend. error: of `weighted_error`. least: the same of the exact projection,
    below which nothing can come. coefficients: mean squared distance from the projection's, in
    standard deviations."""

    total: Tensor
    error: Tensor
    least: Tensor
    coefficients: Tensor


def encoder_loss(
    decoder: FixedDecoder,
    projection: ExactProjection,
    found: Tensor,
    texels: Tensor,
    pull: float,
) -> EncoderLoss:
    """The loss of coefficients (n, 3, K) that were found for maps (n, 3, N), whole in both.

    total = error + pull * coefficients.
    """
    with torch.no_grad():
        exact = projection(decoder, texels)
        least = weighted_error(decoder, projection.weight, exact, texels)
    error = weighted_error(decoder, projection.weight, found, texels)
    coefficients = ((found - exact) ** 2).mean()
    return EncoderLoss(error + pull * coefficients, error, least, coefficients)
