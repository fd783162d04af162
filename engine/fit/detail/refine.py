"""Stage 3, last step: the detail latent refined through the renderer, with its prior."""

from dataclasses import dataclass

import numpy as np
import torch

from ...render.low_pass import LowPass
from ...reporter import Reporter
from ..seen.face_view import FaceView
from ..settings import DetailSettings
from .picture import DetailPicture
from .prior import Completion, PriorEnergy
from .steps import Curvature, DetailCoder, LimitedMemory, latent_curvature

_STEP = 0.01
"""Change of V, sRGB units, over which slopes are taken."""


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
        self._picture = DetailPicture(view, view.sample(coarse))
        self._settings = settings
        sigma = settings.highpass_sigma / _pixel_size(view)
        self._slow = LowPass(view.weight, max(1.0, sigma))

    def error(self, detail: torch.Tensor) -> torch.Tensor:
        """(h, w, 3) photo minus render of a detail map (S, S), without its slow part."""
        difference = self._view.target - self._picture(self._on_skin(detail))
        return difference - self._slow(difference)

    def __call__(self, detail: torch.Tensor) -> torch.Tensor:
        """() of a detail map (S, S)."""
        squared = self._squared(detail)
        cost = squared / (1.0 + squared / self._settings.robust**2)
        return 0.5 * (self._view.weight * cost).sum() / self._settings.correlation

    def curvature(self, detail: torch.Tensor) -> np.ndarray:
        """(S, S) second derivative by each texel, as Gauss and Newton take it: the squared slope
        of the pixels times their weight, without the slow part's. detail (S, S)."""
        view, settings = self._view, self._settings
        with torch.no_grad():
            on_skin = self._on_skin(detail)
            slope = (self._picture(on_skin + _STEP) - self._picture(on_skin)) / _STEP
            kept = view.weight / (1.0 + self._squared(detail) / settings.robust**2) ** 2
            pixels = kept * (slope**2).mean(-1) / (settings.noise**2 * settings.correlation)
            return view.to_texels(pixels, len(detail)).numpy()

    def _on_skin(self, detail: torch.Tensor) -> torch.Tensor:
        return self._view.sample(detail[..., None])[:, 0]

    def _squared(self, detail: torch.Tensor) -> torch.Tensor:
        """(h, w) q, see above."""
        return (self.error(detail) ** 2).mean(-1) / self._settings.noise**2


def _pixel_size(view: FaceView) -> float:
    """Side of a pixel on the skin, in UV units: median distance of samples side by side."""
    step = (view.uv[1:] - view.uv[:-1]).norm(dim=-1)
    neighbours = (view.place[1:] - view.place[:-1]) == 1
    if not bool(neighbours.any()):
        return 1.0
    return max(float(step[neighbours].median()) * view.samples, 1e-6)


def cells_box(free: np.ndarray, margin: int) -> tuple[slice, slice]:
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
    """alpha (C, s, s) float32; costs: objective at each step, the first before any; detail (S, S)
    signed: of alpha."""

    alpha: np.ndarray
    detail: np.ndarray
    costs: tuple[float, ...]


def refine_detail(
    net: DetailCoder,
    data: PhotometricError,
    prior: PriorEnergy,
    start: Completion,
    free: np.ndarray,
    settings: DetailSettings,
    reporter: Reporter,
) -> Refined:
    """Minimise data(decode(beta + draw)) + prior(beta) / 2 from beta = mean, see `steps.py`.

    free (s, s) bool: the cells that may move, those that the photo shows. The draw stays as it
    is: it stands for what the photo does not show, so neither photo nor prior may wear it down. A
    step that does not help is not taken; the next one is shorter. So the result is never worse
    than the start. Only the box of free cells is decoded, but
    for the last step, whose map is the result. Raises Cancelled.
    """
    draw, box = torch.from_numpy(start.draw), cells_box(free, settings.margin)
    best, lowest, slope = start.mean.astype(np.float64), float("inf"), np.zeros(0)
    trial, costs, reach = best, [], 1.0
    memory: LimitedMemory | None = None
    for step in range(settings.iterations + 1):
        reporter.progress(step, settings.iterations)
        last = step == settings.iterations
        beta = torch.from_numpy(trial.astype(np.float32)).requires_grad_(not last)
        whole = beta + draw
        with torch.set_grad_enabled(not last):
            detail = net.decode(whole) if last else net.decode_part(whole, *box)
        cost = data(detail) + 0.5 * prior(beta)
        costs.append(float(cost.detach()))
        if last:
            if costs[-1] >= lowest:
                whole = torch.from_numpy(best.astype(np.float32)) + draw
                with torch.no_grad():
                    detail = net.decode(whole)
            return Refined(whole.numpy(), detail.detach().numpy(), tuple(costs))
        cost.backward()
        gradient = beta.grad.numpy().astype(np.float64) * free
        if memory is None:
            told = settings.damping * latent_curvature(net, data.curvature(detail.detach()))
            memory = LimitedMemory(Curvature(prior, told, free))
        elif not memory.learn(trial - best, gradient - slope) and costs[-1] >= lowest:
            reach *= 0.25
        if costs[-1] < lowest:
            best, lowest, slope = trial, costs[-1], gradient
        trial = best + reach * memory.step(slope)
    raise AssertionError("unreachable: the last step returns")
