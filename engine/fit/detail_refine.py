"""Stage 3, last step: the detail latent refined through the renderer, with its prior."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from ..protocol.detail import add_detail
from ..protocol.detail_pack import DetailModel
from ..reporter import Reporter
from .detail_prior import Completion, PriorEnergy
from .face_view import FaceView
from .low_pass import LowPass
from .settings import DetailSettings


class DetailCoder(Protocol):
    """What stage 3 needs of a detail net (`nets.detail.DetailNet`): maps (S, S) signed detail,
    latents (C, s, s) in standard deviations, decoding differentiable."""

    model: DetailModel

    def encode(self, detail: torch.Tensor) -> torch.Tensor:
        """Map to latent."""

    def decode(self, alpha: torch.Tensor) -> torch.Tensor:
        """Latent to map."""

    def decode_part(self, alpha: torch.Tensor, rows: slice, columns: slice) -> torch.Tensor:
        """Latent to map through some rows and columns of cells alone."""


class PhotometricError:
    """How badly a detail map explains the face's pixels; light fixed, slow differences left out.

    The error picture is photo minus render in sRGB, minus its own weighted slow part (the same
    Gaussian as in the residual, on the face): what light explains may not enter the detail. Each
    pixel counts by Geman & McClure (1987): q / (1 + q / k^2), q its mean squared error over the
    channels in units of `noise`^2, k `robust`. The sum over pixels is halved and divided by
    `correlation`, since neighbours repeat each other.
    """

    def __init__(self, view: FaceView, coarse: torch.Tensor, settings: DetailSettings) -> None:
        """coarse (S, S, 3) sRGB."""
        self._view = view
        self._coarse = view.sample(coarse)
        self._settings = settings
        sigma = settings.highpass_sigma / _pixel_size(view)
        self._slow = LowPass(view.weight, max(1.0, sigma))

    def error(self, detail: torch.Tensor) -> torch.Tensor:
        """(h, w, 3) photo minus render of a detail map (S, S), without its slow part."""
        on_skin = self._view.sample(detail[..., None])[:, 0]
        picture = self._view.picture(add_detail(self._coarse, on_skin, xp=torch))
        difference = self._view.target - picture
        return difference - self._slow(difference)

    def __call__(self, detail: torch.Tensor) -> torch.Tensor:
        """() of a detail map (S, S)."""
        settings = self._settings
        squared = (self.error(detail) ** 2).mean(-1) / settings.noise**2
        cost = squared / (1.0 + squared / settings.robust**2)
        return 0.5 * (self._view.weight * cost).sum() / settings.correlation


def _pixel_size(view: FaceView) -> float:
    """Side of a pixel on the skin, in UV units: median distance of samples side by side."""
    step = (view.uv[1:] - view.uv[:-1]).norm(dim=-1)
    neighbours = (view.place[1:] - view.place[:-1]) == 1
    if not bool(neighbours.any()):
        return 1.0
    return max(float(step[neighbours].median()) * view.samples, 1e-6)


def _box(free: np.ndarray, margin: int) -> tuple[slice, slice]:
    """Rows and columns of the cells that are True, and `margin` more around; all when none is."""
    if not free.any():
        return slice(0, free.shape[0]), slice(0, free.shape[1])
    found = []
    for axis in (1, 0):
        hit = np.flatnonzero(free.any(axis=axis))
        end = min(int(hit[-1]) + 1 + margin, free.shape[1 - axis])
        found.append(slice(max(int(hit[0]) - margin, 0), end))
    return found[0], found[1]


@dataclass(frozen=True, eq=False)
class Refined:
    """alpha (C, s, s) float32; costs: objective at each step, the first before any."""

    alpha: np.ndarray
    costs: tuple[float, ...]


def refine_detail(
    net: DetailCoder,
    data: Callable[[torch.Tensor], torch.Tensor],
    prior: PriorEnergy,
    start: Completion,
    free: np.ndarray,
    settings: DetailSettings,
    reporter: Reporter,
) -> Refined:
    """Minimise data(decode(beta + draw)) + prior(beta) / 2 from beta = mean by Adam.

    free (s, s) bool: the cells that may move, those that the photo shows. Adam's steps have one
    length for all, so cells that hardly matter would wander. The draw stays as it is: it stands
    for what the photo does not show, so neither photo nor prior may wear it down. Adam (Kingma &
    Ba 2015) with a step that falls to zero as a cosine (Loshchilov & Hutter 2017). The best step
    seen is returned, so the result is never worse than the start. Only the box of free cells is
    decoded, which takes about half the time of the whole. Raises Cancelled.
    """
    draw = torch.from_numpy(start.draw)
    beta = torch.from_numpy(start.mean.copy()).requires_grad_(True)
    moving, box = torch.from_numpy(free), _box(free, settings.margin)
    best, lowest, costs = start.mean, float("inf"), []
    optimiser = torch.optim.Adam([beta], lr=settings.step, betas=(0.8, 0.95))
    for step in range(settings.iterations + 1):
        reporter.progress(step, settings.iterations)
        last = step == settings.iterations
        with torch.set_grad_enabled(not last):
            cost = data(net.decode_part(beta + draw, *box)) + 0.5 * prior(beta)
        costs.append(float(cost.detach()))
        if costs[-1] < lowest:
            lowest, best = costs[-1], beta.detach().numpy().copy()
        if last:
            break
        optimiser.zero_grad()
        cost.backward()
        beta.grad *= moving
        turn = np.pi * step / settings.iterations
        optimiser.param_groups[0]["lr"] = settings.step * 0.5 * (1.0 + np.cos(turn))
        optimiser.step()
    return Refined(best + start.draw, tuple(costs))
