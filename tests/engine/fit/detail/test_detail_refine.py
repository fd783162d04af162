"""Refining through the renderer: value and gradient against slow twins, never worse, cancelled."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny_detail import (
    CELLS,
    LIGHT,
    SETTINGS,
    SIZE,
    LinearCoder,
    coarse_map,
    flat_face,
    photo_of,
    random_detail,
)

from engine.fit.detail.prior import Completion, PriorEnergy, detail_prior
from engine.fit.detail.refine import PhotometricError, Refined, refine_detail
from engine.fit.settings import DetailSettings
from engine.protocol.errors import Cancelled
from engine.render.low_pass import LowPass
from engine.reporter import NullReporter


def error_of(
    photo: np.ndarray, trust: np.ndarray | None = None, settings: DetailSettings = SETTINGS
) -> PhotometricError:
    trust = np.ones((SIZE, SIZE), np.float32) if trust is None else trust
    view = flat_face(len(photo), LIGHT).look(photo, trust)
    return PhotometricError(view, torch.from_numpy(coarse_map()), settings)


def test_the_error_of_the_true_detail_is_nearly_nothing(coder: LinearCoder) -> None:
    truth = random_detail(coder, 1)
    error = error_of(photo_of(truth))
    right = error(torch.from_numpy(truth))
    wrong = error(torch.from_numpy(random_detail(coder, 2)))
    flat = error(torch.zeros(SIZE, SIZE))
    assert right < 0.01 * flat
    assert flat < wrong
    assert error.error(torch.from_numpy(truth)).abs().max() < 0.01


def test_error_picture_equals_the_slow_twin(coder: LinearCoder) -> None:
    """Photo minus render of another detail, by the twin, less its own slow part."""
    truth, other = random_detail(coder, 1), random_detail(coder, 2)
    photo = photo_of(truth)
    difference = torch.from_numpy(photo - photo_of(other))
    slow = LowPass(torch.ones(24, 24), SETTINGS.highpass_sigma * 24)
    found = error_of(photo).error(torch.from_numpy(other))
    torch.testing.assert_close(found, difference - slow(difference), atol=4e-3, rtol=0.0)


def test_a_change_of_light_hardly_matters(coder: LinearCoder) -> None:
    """A photo darker on one side, beside what that costs when slow differences count."""
    truth = random_detail(coder, 1)
    ramp = np.linspace(0.8, 1.1, 24, dtype=np.float32)[None, :, None]
    detail, photo = torch.from_numpy(truth), photo_of(truth) * ramp
    plain = replace(SETTINGS, highpass_sigma=100.0)
    assert error_of(photo)(detail) < 0.15 * error_of(photo, settings=plain)(detail)


def test_gradient_equals_finite_differences(coder: LinearCoder) -> None:
    error = error_of(photo_of(random_detail(coder, 1)))
    prior = PriorEnergy(detail_prior(coder.model))
    rng = np.random.default_rng(3)
    alpha = torch.from_numpy(rng.standard_normal((2, CELLS, CELLS))).float()

    def objective(at: torch.Tensor) -> torch.Tensor:
        return error(coder.decode(at)) + 0.5 * prior(at)

    start = alpha.clone().requires_grad_(True)
    objective(start).backward()
    for _ in range(4):
        way = torch.from_numpy(rng.standard_normal(alpha.shape)).float()
        step = 3e-3
        slope = (objective(alpha + step * way) - objective(alpha - step * way)) / (2.0 * step)
        assert float(slope) == pytest.approx(float((start.grad * way).sum()), rel=0.02, abs=0.5)


def refine(
    coder: LinearCoder,
    start: Completion,
    free: np.ndarray | None = None,
    settings: DetailSettings = SETTINGS,
    reporter: NullReporter | None = None,
) -> Refined:
    free = np.ones((CELLS, CELLS), bool) if free is None else free
    error = error_of(photo_of(random_detail(coder, 1)))
    prior = PriorEnergy(detail_prior(coder.model))
    return refine_detail(coder, error, prior, start, free, settings, reporter or NullReporter())


def from_zero(draw: np.ndarray | None = None) -> Completion:
    nothing = np.zeros((2, CELLS, CELLS), np.float32)
    return Completion(nothing, nothing if draw is None else draw)


def test_it_finds_the_detail(coder: LinearCoder) -> None:
    settings = replace(SETTINGS, iterations=20)
    found = refine(coder, from_zero(), settings=settings)
    assert found.costs[-1] < 0.4 * found.costs[0]
    truth = random_detail(coder, 1)
    made = coder.decode(torch.from_numpy(found.alpha)).numpy()
    assert ((made - truth) ** 2).mean() < 0.15 * (truth**2).mean()


@pytest.mark.parametrize("damping", [0.01, 50.0])
def test_it_is_never_worse_than_the_start(coder: LinearCoder, damping: float) -> None:
    """A model of the curvature that is far off makes steps that are much too long or short."""
    settings = replace(SETTINGS, damping=damping)
    found = refine(coder, from_zero(), settings=settings)
    error = error_of(photo_of(random_detail(coder, 1)))
    prior = PriorEnergy(detail_prior(coder.model))
    alpha = torch.from_numpy(found.alpha)
    cost = float(error(coder.decode(alpha)) + 0.5 * prior(alpha))
    assert cost == pytest.approx(min(found.costs), rel=1e-5)
    assert cost <= found.costs[0]


def test_three_steps_end_below_twelve_of_adam(coder: LinearCoder) -> None:
    """The slow twin: gradient steps that know nothing of the curvature."""
    error = error_of(photo_of(random_detail(coder, 1)))
    prior = PriorEnergy(detail_prior(coder.model))
    beta = torch.zeros(2, CELLS, CELLS, requires_grad=True)
    optimiser = torch.optim.Adam([beta], lr=0.3, betas=(0.8, 0.95))
    for step in range(12):
        optimiser.zero_grad()
        (error(coder.decode(beta)) + 0.5 * prior(beta)).backward()
        optimiser.param_groups[0]["lr"] = 0.15 * (1.0 + np.cos(np.pi * step / 12))
        optimiser.step()
    twin = float((error(coder.decode(beta)) + 0.5 * prior(beta)).detach())
    assert refine(coder, from_zero()).costs[-1] < twin


def test_curvature_of_the_picture_equals_finite_differences(coder: LinearCoder) -> None:
    """Both halves moved against each other: the slow part, all but constant, is of neither."""
    settings = replace(SETTINGS, highpass_sigma=100.0, robust=1e4)
    truth = torch.from_numpy(random_detail(coder, 1))
    error = error_of(photo_of(truth.numpy()), settings=settings)
    found = error.curvature(truth)
    way, step = torch.ones(SIZE, SIZE), 0.02
    way[:, : SIZE // 2] = -1.0
    rise = error(truth + step * way) + error(truth - step * way) - 2.0 * error(truth)
    assert float(found.sum()) == pytest.approx(float(rise) / step**2, rel=0.1)
    assert found.min() >= 0.0


def test_only_free_cells_move(coder: LinearCoder) -> None:
    draw = np.random.default_rng(4).standard_normal((2, CELLS, CELLS)).astype("f4")
    free = np.zeros((CELLS, CELLS), bool)
    free[:, :2] = True
    found = refine(coder, from_zero(draw), free)
    np.testing.assert_array_equal(found.alpha[:, ~free], draw[:, ~free])
    assert (np.abs(found.alpha - draw)[:, free] > 0.0).all()


def test_it_reports_and_can_be_cancelled(coder: LinearCoder) -> None:
    reporter = NullReporter()
    reporter.token.cancel()
    with pytest.raises(Cancelled):
        refine(coder, from_zero(), reporter=reporter)
