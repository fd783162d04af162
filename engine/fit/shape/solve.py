"""Gauss-Newton of the shape fit: photos share the identity, the rest is each one's own.

What is a photo's own (expression, pose, focal length) is eliminated photo by photo (Schur
complement, as in bundle adjustment: Triggs et al. 2000, section 6.1), so that the time is linear
in photos. Damped after Levenberg (1944) and Marquardt (1963).
"""

from dataclasses import dataclass

import numpy as np

from ...reporter import Reporter
from ..settings import ShapeSettings
from .landmark_basis import LandmarkBasis
from .pins import PinnedPoints, with_pins
from .view import Linearised, ShapeView, ViewState, linearise, moved


@dataclass(frozen=True)
class Problem:
    """What stays the same while the states are improved.

    scales: pixels a metre, by photo; spread (L, 3) of landmarks, metres. The priors: mean (K,)
    and precision (K, K) of the identity, inverse variances (E,) of expression weights.
    identity_free, free (n, E + 7): what may move. pins: by photo, None where there are none.
    """

    basis: LandmarkBasis
    views: tuple[ShapeView, ...]
    settings: ShapeSettings
    scales: tuple[float, ...]
    spread: np.ndarray
    identity_mean: np.ndarray
    identity_prior: np.ndarray
    expression_prior: np.ndarray
    identity_free: bool
    free: np.ndarray
    pins: tuple[PinnedPoints | None, ...]


@dataclass(frozen=True)
class State:
    """Identity (K,) and the own parameters of each photo."""

    identity: np.ndarray
    views: tuple[ViewState, ...]


@dataclass(frozen=True)
class _Point:
    """Cost of a state and the linearised photos."""

    cost: float
    views: tuple[Linearised, ...]


def _evaluate(problem: Problem, state: State) -> _Point:
    """Landmark cost of all photos plus the Gaussian priors."""
    parts = tuple(_linearised(problem, number, state) for number in range(len(problem.views)))
    offset = state.identity - problem.identity_mean
    cost = sum(part.cost for part in parts) + float(offset @ problem.identity_prior @ offset)
    for view, own in zip(problem.views, state.views, strict=True):
        cost += float(problem.expression_prior @ own.expression**2)
        cost += _distance_residual(problem, view, own) ** 2
    return _Point(cost, parts)


def _linearised(problem: Problem, number: int, state: State) -> Linearised:
    """One photo's landmarks and pins."""
    settings, view, own = problem.settings, problem.views[number], state.views[number]
    scale, pins = problem.scales[number], problem.pins[number]
    part = linearise(
        problem.basis, view, state.identity, own, problem.spread, scale, settings.huber
    )
    if pins is None:
        return part
    sigma = settings.pin_sigma
    return with_pins(part, pins, problem.basis, view, state.identity, own, scale, sigma)


def _distance_residual(problem: Problem, view: ShapeView, own: ViewState) -> float:
    """How far the camera is from where portraits are taken, in standard deviations of the
    logarithm; 0 where the photo tells its focal length."""
    settings = problem.settings
    if view.focal is not None or settings.distance_sigma <= 0.0:
        return 0.0
    return float(np.log(own.translation[2] / settings.subject_distance) / settings.distance_sigma)


def _view_equations(
    problem: Problem, number: int, state: State, point: _Point, damping: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Normal matrix (P, P), gradient (P,) and which of the photo's own parameters are free.

    Expression weights at a bound that want to leave it stay (active set).
    """
    part, own = point.views[number], state.views[number]
    flat = part.jacobian.reshape(-1, part.jacobian.shape[2])
    weighted = flat * np.repeat(part.weight, 3)[:, None]
    normal, gradient = weighted.T @ flat, weighted.T @ part.residual.ravel()
    k, e = len(state.identity), len(own.expression)
    free_focal = problem.free[number][e + 6]
    gradient[k : k + e] += problem.expression_prior * own.expression
    index = np.arange(k, len(normal))
    normal[index[:e], index[:e]] += problem.expression_prior
    if free_focal:
        slope = np.zeros(len(normal))
        slope[k + e + 5 : k + e + 7] = 1.0 / own.translation[2], 1.0
        slope /= problem.settings.distance_sigma
        normal += np.outer(slope, slope)
        gradient += slope * _distance_residual(problem, problem.views[number], own)
    normal[index, index] *= 1.0 + damping
    slope, free = gradient[k : k + e], problem.free[number].copy()
    low, high = own.expression <= 0.0, own.expression >= 1.0
    free[:e] &= ~((low & (slope > 0.0)) | (high & (slope < 0.0)))
    return normal, gradient, free


def _solve(
    problem: Problem, state: State, point: _Point, damping: float
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Damped step of the identity (K,) and of each photo's own parameters (E + 7,)."""
    k = len(state.identity)
    diagonal = np.diag(problem.identity_prior).copy()
    total = problem.identity_prior.copy()
    right = problem.identity_prior @ (state.identity - problem.identity_mean)
    backs = []
    for number in range(len(problem.views)):
        normal, gradient, free = _view_equations(problem, number, state, point, damping)
        own = k + np.flatnonzero(free)
        coupling = normal[:k, own]
        solved = np.linalg.solve(
            normal[np.ix_(own, own)], np.column_stack([coupling.T, gradient[own]])
        )
        diagonal += np.diag(normal)[:k]
        total += normal[:k, :k] - coupling @ solved[:, :k]
        right += gradient[:k] - coupling @ solved[:, k]
        backs.append((free, solved))
    shared = np.zeros(k)
    if problem.identity_free:
        shared = -np.linalg.solve(total + damping * np.diag(diagonal), right)
    steps = []
    for free, solved in backs:
        step = np.zeros(len(free))
        step[free] = -(solved[:, k] + solved[:, :k] @ shared)
        steps.append(step)
    return shared, steps


def improve(problem: Problem, state: State, reporter: Reporter) -> State:
    """Levenberg-Marquardt until the cost stands still. Raises Cancelled."""
    here, damping = _evaluate(problem, state), 1e-3
    total = problem.settings.iterations
    for iteration in range(total):
        reporter.progress(iteration + 1, total)
        shared, steps = _solve(problem, state, here, damping)
        own = tuple(moved(view, step) for view, step in zip(state.views, steps, strict=True))
        candidate = State(state.identity + shared, own)
        there = _evaluate(problem, candidate)
        if there.cost >= here.cost:
            damping *= 10.0
            if damping > 1e6:
                break
            continue
        done = here.cost - there.cost < problem.settings.tolerance * here.cost
        state, here, damping = candidate, there, max(damping / 5.0, 1e-9)
        if done:
            break
    return state
