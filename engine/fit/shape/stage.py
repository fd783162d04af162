"""Stage 1: identity, expression, pose and camera from 468 landmarks, by Gauss-Newton.

The landmark model is linear in identity and expression and the camera is a pinhole, so a
damped Gauss-Newton (Levenberg 1944, Marquardt 1963) with analytic derivatives and Gaussian
priors (coefficients in sigmas) needs about ten steps (`solve.py`). A last round
brings the landmarks to their places across the view, lids and lips closest.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...reporter import Reporter
from ..settings import ShapeSettings
from .landmark_basis import LandmarkBasis
from .landmark_turn import correct_turn
from .pins import PinnedPoints, moved_to_pins
from .solve import Problem, State, improve
from .view import (
    POSE_SIZE,
    ShapeView,
    ViewState,
    fine_spread,
    first_state,
    landmark_spread,
    mean_scale,
    pixel_errors,
    with_model_depth,
)

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

    @property
    def state(self) -> ViewState:
        """The photo's own parameters."""
        focal = float(self.intrinsics[0, 0])
        return ViewState(self.expression, self.rotation, self.translation, focal)


def _free(
    names: tuple[str, ...],
    view: ShapeView,
    settings: ShapeSettings,
    held: frozenset[str],
) -> np.ndarray:
    """(E + 7,) bool: own parameters of a photo that may move. Expressions that the landmarks
    cannot tell stay as they are, at zero if nothing else is known."""
    seen = np.array([not name.startswith(settings.unobservable) for name in names], dtype=bool)
    pose = np.ones(POSE_SIZE, dtype=bool)
    pose[-1] = view.focal is None and settings.distance_sigma > 0.0
    return np.concatenate([seen & ("expression" not in held), pose & ("pose" not in held)])


def _identity_prior(count: int, views: tuple[ShapeView, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Mean (K,) and precision (K, K) of the identity before any landmark is seen.

    The model's standard normal distribution, or the photos' beliefs in its place, averaged by
    their precision. Ours: a net sees the same in all photos of a person, errors too, so that
    several beliefs are worth hardly more than one.
    """
    beliefs = [view.belief for view in views if view.belief is not None]
    if not beliefs:
        return np.zeros(count), np.eye(count)
    precision = sum(belief.precision for belief in beliefs)
    told = sum(belief.precision @ belief.mean for belief in beliefs)
    return np.linalg.solve(precision, told), precision / len(beliefs)


def _fine(problem: Problem, state: State, pins: PinnedPoints | None) -> Problem:
    """The last round: landmarks get to where the photo has them, across the view only. What the
    shape is in depth, and who it is, the rounds before know better. pins: of the first photo."""
    settings = problem.settings
    views = tuple(
        with_model_depth(problem.basis, view, state.identity, own)
        for view, own in zip(problem.views, state.views, strict=True)
    )
    return replace(
        problem,
        views=views,
        spread=fine_spread(problem.basis, settings),
        identity_mean=state.identity,
        identity_prior=problem.identity_prior * (len(views) * settings.fine_identity_sigma**-2.0),
        expression_prior=np.full(
            len(problem.expression_prior), settings.fine_expression_sigma**-2.0
        ),
        pins=(pins, *problem.pins[1:]),
    )


def _first(
    basis: LandmarkBasis,
    views: tuple[ShapeView, ...],
    settings: ShapeSettings,
    start: Sequence[ShapeFit] | None,
) -> State:
    if start is None:
        own = tuple(first_state(basis, view, settings) for view in views)
        return State(np.zeros(len(basis.identity)), own)
    return State(start[0].identity, tuple(fit.state for fit in start))


def _result(
    basis: LandmarkBasis,
    view: ShapeView,
    identity: np.ndarray,
    own: ViewState,
) -> ShapeFit:
    distance = pixel_errors(basis, view, identity, own)
    x, y = view.center
    return ShapeFit(
        identity,
        own.expression,
        own.rotation,
        own.translation,
        np.array([[own.focal, 0.0, x], [0.0, own.focal, y], [0.0, 0.0, 1.0]]),
        np.where(basis.weight > 0.0, distance, np.nan),
        view.outer_eye_pixels,
    )


def fit_shapes(
    basis: LandmarkBasis,
    expression_names: tuple[str, ...],
    views: Sequence[ShapeView],
    settings: ShapeSettings,
    reporter: Reporter,
    start: Sequence[ShapeFit] | None = None,
    held: frozenset[str] = frozenset(),
    pins: PinnedPoints | None = None,
) -> tuple[ShapeFit, ...]:
    """Fit one identity to all photos, and to each its own expression and camera.

    start: fits to begin from, one a photo (the identity of the first). held: groups of HOLDABLE
    that stay as they are in `start`. pins: points that a person placed in the first photo.
    Returns one fit a photo. Raises Cancelled, and ValueError for no photos, another number of fits
    than photos, or something held without a start.
    """
    views = tuple(replace(view, landmarks=correct_turn(view.landmarks, basis)) for view in views)
    if not views or (start is not None and len(start) != len(views)):
        raise ValueError("one start is needed for each of one or more photos")
    views = (moved_to_pins(views[0], pins), *views[1:])
    if not held <= HOLDABLE or (held and start is None):
        raise ValueError(f"only {sorted(HOLDABLE)} can be held, and only as a start has them")
    problem = Problem(
        basis,
        views,
        settings,
        tuple(mean_scale(basis, view) for view in views),
        landmark_spread(basis, settings) * len(views) ** settings.common_errors,
        *_identity_prior(len(basis.identity), views),
        np.full(len(expression_names), settings.expression_sigma**-2.0),
        "identity" not in held,
        np.stack([_free(expression_names, view, settings, held) for view in views]),
        (None,) * len(views),
    )
    state = improve(problem, _first(basis, views, settings, start), reporter)
    if settings.fine_sigma > 0.0:
        state = improve(_fine(problem, state, pins), state, reporter)
    return tuple(
        _result(basis, view, state.identity, own)
        for view, own in zip(views, state.views, strict=True)
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
