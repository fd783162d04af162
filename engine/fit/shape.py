"""Stage 1: identity, expression, pose and camera from 468 landmarks, by Gauss-Newton.

The landmark model is linear in identity and expression and the camera is a pinhole, so a
damped Gauss-Newton (Levenberg 1944, Marquardt 1963) with analytic derivatives and Gaussian
priors (coefficients in sigmas) needs about ten steps. Photos of one person share the identity;
what is their own (expression, pose, focal length) is eliminated photo by photo (Schur complement,
as in bundle adjustment: Triggs et al. 2000, section 6.1), so that the time is linear in photos.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..reporter import Reporter
from .landmark_basis import LandmarkBasis
from .settings import ShapeSettings
from .shape_view import POSE_SIZE, Linearised, ShapeView, ViewState, first_state, linearise, moved

HOLDABLE = frozenset({"identity", "expression", "pose"})
"""Groups of parameters that a fit can leave as they are; the focal length is part of the pose."""


@dataclass(frozen=True)
class ShapeFit:
    """Result of stage 1 for one photo. Camera in pixels of the photo (conventions: camera space).

    identity (K,) sigmas, the same array for all photos of a fit; expression (E,) weights in
    [0, 1]; rotation (3, 3) model to camera; translation (3,) metres; intrinsics (3, 3) pixels;
    residual (L,) pixels, NaN where a landmark is not used; outer_eye_pixels: distance of the outer
    eye corners in the photo.
    """

    identity: np.ndarray
    expression: np.ndarray
    rotation: np.ndarray
    translation: np.ndarray
    intrinsics: np.ndarray
    residual: np.ndarray
    outer_eye_pixels: float

    @property
    def relative_error(self) -> float:
        """Mean landmark distance over the outer-eye distance (issue figure: at most 0.015)."""
        return float(np.nanmean(self.residual) / self.outer_eye_pixels)


@dataclass(frozen=True)
class _Problem:
    """What stays the same while the states are improved.

    expression_prior (E,) inverse variances; identity_free, and free (n, E + 7): what may move.
    """

    basis: LandmarkBasis
    views: tuple[ShapeView, ...]
    settings: ShapeSettings
    expression_prior: np.ndarray
    identity_free: bool
    free: np.ndarray


@dataclass(frozen=True)
class _State:
    identity: np.ndarray
    views: tuple[ViewState, ...]


@dataclass(frozen=True)
class _Point:
    """Cost of a state and the linearised photos."""

    cost: float
    views: tuple[Linearised, ...]


def _free(
    names: tuple[str, ...], view: ShapeView, settings: ShapeSettings, held: frozenset[str]
) -> np.ndarray:
    """(E + 7,) bool: own parameters of a photo that may move. Expressions that the landmarks
    cannot tell stay as they are, at zero if nothing else is known."""
    seen = np.array([not name.startswith(settings.unobservable) for name in names], dtype=bool)
    pose = np.ones(POSE_SIZE, dtype=bool)
    pose[-1] = False
    return np.concatenate([seen & ("expression" not in held), pose & ("pose" not in held)])


def _evaluate(problem: _Problem, state: _State) -> _Point:
    """Landmark cost of all photos plus the Gaussian priors."""
    parts = tuple(
        linearise(problem.basis, view, state.identity, own, problem.settings)
        for view, own in zip(problem.views, state.views, strict=True)
    )
    cost = sum(part.cost for part in parts) + float(state.identity @ state.identity)
    cost += sum(float(problem.expression_prior @ own.expression**2) for own in state.views)
    return _Point(cost, parts)


def _view_equations(
    problem: _Problem, number: int, state: _State, point: _Point, damping: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Normal matrix (P, P), gradient (P,) and which of the photo's own parameters are free.

    Expression weights at a bound that want to leave it stay (active set).
    """
    part, own = point.views[number], state.views[number]
    flat = part.jacobian.reshape(-1, part.jacobian.shape[2])
    weighted = flat * np.repeat(part.weight, 3)[:, None]
    normal, gradient = weighted.T @ flat, weighted.T @ part.residual.ravel()
    k, e = len(state.identity), len(own.expression)
    gradient[k : k + e] += problem.expression_prior * own.expression
    index = np.arange(k, len(normal))
    normal[index[:e], index[:e]] += problem.expression_prior
    normal[index, index] *= 1.0 + damping
    slope, free = gradient[k : k + e], problem.free[number].copy()
    low, high = own.expression <= 0.0, own.expression >= 1.0
    free[:e] &= ~((low & (slope > 0.0)) | (high & (slope < 0.0)))
    return normal, gradient, free


def _solve(
    problem: _Problem, state: _State, point: _Point, damping: float
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Damped step of the identity (K,) and of each photo's own parameters (E + 7,)."""
    k = len(state.identity)
    total, right = np.eye(k), state.identity.copy()
    diagonal = np.ones(k)
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


def _improve(problem: _Problem, state: _State, reporter: Reporter) -> tuple[_State, _Point]:
    """Levenberg-Marquardt until the cost stands still. Raises Cancelled."""
    here, damping = _evaluate(problem, state), 1e-3
    total = problem.settings.iterations
    for iteration in range(total):
        reporter.progress(iteration + 1, total)
        shared, steps = _solve(problem, state, here, damping)
        own = tuple(moved(view, step) for view, step in zip(state.views, steps, strict=True))
        candidate = _State(state.identity + shared, own)
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
    return state, here


def _first(
    basis: LandmarkBasis,
    views: tuple[ShapeView, ...],
    settings: ShapeSettings,
    start: Sequence[ShapeFit] | None,
) -> _State:
    if start is None:
        own = tuple(first_state(basis, view, settings) for view in views)
        return _State(np.zeros(len(basis.identity)), own)
    own = tuple(
        ViewState(fit.expression, fit.rotation, fit.translation, float(fit.intrinsics[0, 0]))
        for fit in start
    )
    return _State(start[0].identity, own)


def _result(
    basis: LandmarkBasis,
    view: ShapeView,
    identity: np.ndarray,
    own: ViewState,
    part: Linearised,
    settings: ShapeSettings,
) -> ShapeFit:
    eyes = view.outer_eye_pixels
    distance = np.linalg.norm(part.residual[:, :2], axis=1) * settings.landmark_sigma * eyes
    x, y = view.center
    return ShapeFit(
        identity,
        own.expression,
        own.rotation,
        own.translation,
        np.array([[own.focal, 0.0, x], [0.0, own.focal, y], [0.0, 0.0, 1.0]]),
        np.where(basis.weight > 0.0, distance, np.nan),
        eyes,
    )


def fit_shapes(
    basis: LandmarkBasis,
    expression_names: tuple[str, ...],
    views: Sequence[ShapeView],
    settings: ShapeSettings,
    reporter: Reporter,
    start: Sequence[ShapeFit] | None = None,
    held: frozenset[str] = frozenset(),
) -> tuple[ShapeFit, ...]:
    """Fit one identity to all photos, and to each its own expression and camera.

    start: fits to begin from, one a photo (the identity of the first). held: groups of HOLDABLE
    that stay as they are in `start`. Returns one fit a photo. Raises Cancelled, and ValueError
    for no photos, another number of fits than photos, or something held without a start.
    """
    views = tuple(views)
    if not views or (start is not None and len(start) != len(views)):
        raise ValueError("one start is needed for each of one or more photos")
    if not held <= HOLDABLE or (held and start is None):
        raise ValueError(f"only {sorted(HOLDABLE)} can be held, and only as a start has them")
    problem = _Problem(
        basis,
        views,
        settings,
        np.full(len(expression_names), settings.expression_sigma**-2.0),
        "identity" not in held,
        np.stack([_free(expression_names, view, settings, held) for view in views]),
    )
    state, found = _improve(problem, _first(basis, views, settings, start), reporter)
    return tuple(
        _result(basis, view, state.identity, own, part, settings)
        for view, own, part in zip(views, state.views, found.views, strict=True)
    )


def fit_shape(
    basis: LandmarkBasis,
    expression_names: tuple[str, ...],
    view: ShapeView,
    settings: ShapeSettings,
    reporter: Reporter,
) -> ShapeFit:
    """`fit_shapes` of one photo. Raises Cancelled."""
    return fit_shapes(basis, expression_names, (view,), settings, reporter)[0]
