"""Ways to carry a skin map in numbers and to get it back: coarse alone, and with detail.

Each starts from the exact projection of one area of the map. What the area does not hold is
unknown to it: there the detail map to encode is zero.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
import torch

from ..nets.detail import DetailNet
from ..protocol.detail import DETAIL_SIZE, add_detail
from .uv_projection import Projection

COARSE, DETAIL, REFINED = "coarse", "detail", "detail refined"
"""Names of the variants."""


class Variant(Protocol):
    """A way from a projection to a map."""

    @property
    def name(self) -> str:
        """For the table."""
        ...

    def rebuild(self, projection: Projection, sides: Collection[int]) -> dict[int, np.ndarray]:
        """Side -> (side, side, 3) sRGB in [0, 1], arbitrary outside the area."""
        ...


@dataclass(frozen=True)
class Coarse:
    """The coarse albedo alone."""

    name: str = COARSE

    def rebuild(self, projection: Projection, sides: Collection[int]) -> dict[int, np.ndarray]:
        """See Variant."""
        return {side: projection.coarse_at(side) for side in sides}


def with_detail(
    projection: Projection, detail: np.ndarray, sides: Collection[int]
) -> dict[int, np.ndarray]:
    """Side -> (side, side, 3) sRGB in [0, 1]: the coarse albedo with a detail map (512, 512).

    At 512 the detail is added as it is. Above, both are enlarged first, as in the fit; below, the
    result at 512 is reduced by area.
    """
    whole = add_detail(projection.coarse_at(DETAIL_SIZE), detail)
    result = {}
    for side in sides:
        if side > DETAIL_SIZE:
            fine = cv2.resize(detail, (side, side), interpolation=cv2.INTER_CUBIC)
            result[side] = add_detail(projection.coarse_at(side), fine)
        else:
            result[side] = cv2.resize(whole, (side, side), interpolation=cv2.INTER_AREA)
    return result


@dataclass(frozen=True, eq=False)
class Detailed:
    """Coarse albedo and the detail model's own encoding of the area's detail map.

    steps: of `refine_latent`; 0 keeps the encoder's latent, which is how table 2 of UVAPM was
    made.
    """

    net: DetailNet
    steps: int = 0

    @property
    def name(self) -> str:
        """See Variant."""
        return REFINED if self.steps else DETAIL

    def rebuild(self, projection: Projection, sides: Collection[int]) -> dict[int, np.ndarray]:
        """See Variant."""
        return with_detail(projection, self.carried(projection), sides)

    def carried(self, projection: Projection) -> np.ndarray:
        """(512, 512) float32 signed: what the detail model keeps of the area's detail map."""
        target = torch.from_numpy(projection.detail().astype(np.float32))
        with torch.no_grad():
            alpha = self.net.encode(target)
        if self.steps:
            chosen = torch.from_numpy(projection.chosen)
            alpha = refine_latent(self.net, alpha, target, chosen, self.steps)
        with torch.no_grad():
            return self.net.decode(alpha).numpy()


def refine_latent(
    net: DetailNet, alpha: torch.Tensor, target: torch.Tensor, chosen: torch.Tensor, steps: int
) -> torch.Tensor:
    """Latent nearer to the least-squares one: what the decoder can do, whatever the encoder does.

    alpha: (4, 32, 32) to start from, in standard deviations. target: (512, 512) signed detail;
    chosen: (512, 512) bool, the texels that count. steps: evaluations of L-BFGS (Liu & Nocedal
    1989) on the mean squared error; no prior, as in the exact projection of the coarse albedo.
    """
    start = net.decode(alpha).detach()
    scale = (start - target)[chosen].square().mean().clamp(min=1e-12)
    unknown = alpha.clone(memory_format=torch.contiguous_format).requires_grad_(True)
    optimizer = torch.optim.LBFGS(
        [unknown], max_iter=steps, max_eval=steps, line_search_fn="strong_wolfe"
    )

    def error() -> torch.Tensor:
        # Over the error at the start, so that tolerances mean the same for every map.
        loss = (net.decode(unknown) - target)[chosen].square().mean() / scale
        (gradient,) = torch.autograd.grad(loss, unknown)
        unknown.grad = gradient.contiguous()
        return loss.detach()

    optimizer.step(error)
    return unknown.detach()
