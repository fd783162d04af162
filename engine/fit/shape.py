"""Stage 1: identity, expression, pose and camera from 468 landmarks, by Gauss-Newton.

The landmark model is linear in identity and expression and the camera is a pinhole, so a
damped Gauss-Newton (Levenberg 1944, Marquardt 1963) with analytic derivatives and Gaussian
priors (coefficients in sigmas) needs about ten steps of a 180 x 180 solve.
"""

from dataclasses import dataclass

import numpy as np

from ..head.numerics import align_similarity, smoothstep
from ..protocol.conventions import FRONTAL_ROTATION
from ..reporter import Reporter
from .landmark_basis import LandmarkBasis
from .settings import ShapeSettings

OUTER_EYE_CORNERS = (33, 263)
"""Outer eye corners (right, left) in MediaPipe's 468-point scheme."""


@dataclass(frozen=True)
class ShapeFit:
    """Result of stage 1. Camera in pixels of the photo (conventions: camera space).

    identity (K,) sigmas; expression (E,) weights in [0, 1]; rotation (3, 3) model to camera;
    translation (3,) metres; intrinsics (3, 3) pixels; residual (L,) pixels, NaN where a
    landmark is not used; outer_eye_pixels: distance of the outer eye corners in the photo.
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
class _State:
    identity: np.ndarray
    expression: np.ndarray
    rotation: np.ndarray
    translation: np.ndarray

    def points(self, basis: LandmarkBasis) -> np.ndarray:
        """(L, 3) landmarks in model space."""
        moved = np.tensordot(self.identity, basis.identity, 1)
        return basis.mean + moved + np.tensordot(self.expression, basis.expression, 1)


def _cross_matrix(v: np.ndarray) -> np.ndarray:
    """(..., 3) -> (..., 3, 3) with `M @ a = v x a`."""
    zero = np.zeros_like(v[..., 0])
    x, y, z = v[..., 0], v[..., 1], v[..., 2]
    rows = [zero, -z, y, z, zero, -x, -y, x, zero]
    return np.stack(rows, -1).reshape(*v.shape[:-1], 3, 3)


def _rotation(vector: np.ndarray) -> np.ndarray:
    """Rodrigues' formula, (3,) radians -> (3, 3)."""
    angle = float(np.linalg.norm(vector))
    if angle < 1e-12:
        return np.eye(3)
    k = _cross_matrix(vector / angle)
    return np.eye(3) + np.sin(angle) * k + (1.0 - np.cos(angle)) * (k @ k)


def _initial(
    basis: LandmarkBasis,
    landmarks: np.ndarray,
    center: np.ndarray,
    focal: float | None,
    settings: ShapeSettings,
) -> tuple[_State, float]:
    """Pose of the mean head from the net's own 3D points, and the focal length in pixels."""
    scale, rotation, shift = align_similarity(basis.mean, landmarks, basis.weight)
    focal = focal or scale * settings.subject_distance
    depth = focal / scale
    translation = np.array([*((shift[:2] - center) / scale), depth])
    zeros = np.zeros(len(basis.identity)), np.zeros(len(basis.expression))
    return _State(*zeros, rotation, translation), focal


def _facing(basis: LandmarkBasis, rotation: np.ndarray) -> np.ndarray:
    """Trust in a landmark by how its surface faces the camera: 1 in front, 0.05 turned away.

    Ours: nets guess hidden points; the frontal camera's view direction is -z in model space.
    """
    cosine = basis.normals @ (FRONTAL_ROTATION @ rotation)[2]
    return 0.05 + 0.95 * smoothstep(cosine, -0.1, 0.3)


def _project(camera_points: np.ndarray, focal: float, center: np.ndarray) -> np.ndarray:
    return focal * camera_points[:, :2] / camera_points[:, 2:] + center


def _jacobian(basis: LandmarkBasis, state: _State, focal: float) -> tuple[np.ndarray, np.ndarray]:
    """Camera points (L, 3) and their derivative (L, 3, K + E + 6) by all parameters."""
    rotated = state.points(basis) @ state.rotation.T
    blocks = [
        np.einsum("klx,yx->lyk", basis.identity, state.rotation),
        np.einsum("klx,yx->lyk", basis.expression, state.rotation),
        -_cross_matrix(rotated),
        np.broadcast_to(np.eye(3), (len(rotated), 3, 3)),
    ]
    return rotated + state.translation, np.concatenate(blocks, axis=2)


def _residuals(
    basis: LandmarkBasis,
    state: _State,
    landmarks: np.ndarray,
    focal: float,
    center: np.ndarray,
    ratio: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Pixel residuals (L, 3) (x, y, depth over `ratio`) and their Jacobian (L, 3, P).

    The third row compares relative depth, in pixels at the head's distance, with the net's.
    """
    points, dpoints = _jacobian(basis, state, focal)
    z = points[:, 2]
    image = _project(points, focal, center)
    per_metre = focal / state.translation[2]
    w = basis.weight / basis.weight.sum()
    relative, drelative = z - w @ z, dpoints[:, 2] - w @ dpoints[:, 2]
    observed = landmarks[:, 2] - w @ landmarks[:, 2]
    residual = np.column_stack(
        [image - landmarks[:, :2], (relative * per_metre - observed) / ratio]
    )
    jacobian = np.empty_like(dpoints)
    for axis in range(2):
        slope = points[:, axis] / z
        jacobian[:, axis] = focal / z[:, None] * (dpoints[:, axis] - slope[:, None] * dpoints[:, 2])
    jacobian[:, 2] = drelative * per_metre / ratio
    return residual, jacobian


def _prior(basis: LandmarkBasis, names: tuple[str, ...], settings: ShapeSettings) -> np.ndarray:
    """(K + E + 6,) inverse variances; expressions the landmarks cannot tell are held."""
    held = np.array([name.startswith(settings.unobservable) for name in names], dtype=bool)
    expression = np.where(held, 1e8, settings.expression_sigma**-2.0)
    return np.concatenate([np.ones(len(basis.identity)), expression, np.full(6, 1e-9)])


def _step(state: _State, delta: np.ndarray) -> _State:
    k, e = len(state.identity), len(state.expression)
    return _State(
        state.identity + delta[:k],
        np.clip(state.expression + delta[k : k + e], 0.0, 1.0),
        _rotation(delta[k + e : k + e + 3]) @ state.rotation,
        state.translation + delta[k + e + 3 :],
    )


def _solve(normal: np.ndarray, gradient: np.ndarray, state: _State, damping: float) -> np.ndarray:
    """Damped step; expression weights at a bound that want to leave it stay (active set)."""
    k, e = len(state.identity), len(state.expression)
    free = np.ones(len(gradient), dtype=bool)
    slope = gradient[k : k + e]
    free[k : k + e] = ~(
        ((state.expression <= 0.0) & (slope > 0.0)) | ((state.expression >= 1.0) & (slope < 0.0))
    )
    a = normal[np.ix_(free, free)]
    a = a + damping * np.diag(np.diag(a))
    delta = np.zeros(len(gradient))
    delta[free] = -np.linalg.solve(a, gradient[free])
    return delta


@dataclass(frozen=True)
class _Problem:
    """What stays fixed while the state is improved."""

    basis: LandmarkBasis
    landmarks: np.ndarray
    focal: float
    center: np.ndarray
    sigma: float
    prior: np.ndarray
    settings: ShapeSettings


@dataclass(frozen=True)
class _Linearised:
    """Cost of a state with residuals (L, 3) in sigmas, Jacobian (L, 3, P), weights (L,)."""

    cost: float
    residual: np.ndarray
    jacobian: np.ndarray
    weight: np.ndarray


def _coefficients(state: _State) -> np.ndarray:
    return np.concatenate([state.identity, state.expression, np.zeros(6)])


def _linearise(problem: _Problem, state: _State) -> _Linearised:
    """Huber's robust cost (Huber 1964) plus the Gaussian priors, and its linearisation."""
    settings, basis = problem.settings, problem.basis
    ratio = settings.depth_sigma / settings.landmark_sigma
    residual, jacobian = _residuals(
        basis, state, problem.landmarks, problem.focal, problem.center, ratio
    )
    residual, jacobian = residual / problem.sigma, jacobian / problem.sigma
    trust = basis.weight * _facing(basis, state.rotation)
    length, edge = np.linalg.norm(residual, axis=1), settings.huber
    robust = np.minimum(1.0, edge / np.maximum(length, 1e-9))
    huber = np.where(length < edge, length**2, edge * (2.0 * length - edge))
    cost = float(trust @ huber + problem.prior @ _coefficients(state) ** 2)
    return _Linearised(cost, residual, jacobian, trust * robust)


def _improve(problem: _Problem, state: _State, reporter: Reporter) -> tuple[_State, _Linearised]:
    """Levenberg-Marquardt until the cost stands still. Raises Cancelled."""
    here, damping = _linearise(problem, state), 1e-3
    total = problem.settings.iterations
    for iteration in range(total):
        reporter.progress(iteration + 1, total)
        flat = here.jacobian.reshape(-1, here.jacobian.shape[2])
        weighted = flat * np.repeat(here.weight, 3)[:, None]
        normal = weighted.T @ flat + np.diag(problem.prior)
        gradient = weighted.T @ here.residual.ravel() + problem.prior * _coefficients(state)
        candidate = _step(state, _solve(normal, gradient, state, damping))
        there = _linearise(problem, candidate)
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


def fit_shape(
    basis: LandmarkBasis,
    expression_names: tuple[str, ...],
    landmarks: np.ndarray,
    size: tuple[int, int],
    focal: float | None,
    settings: ShapeSettings,
    reporter: Reporter,
) -> ShapeFit:
    """Fit identity, expression and pose to the landmarks of one photo.

    landmarks (L, 3): photo pixels, depth in the same scale, larger is farther. size: photo
    (width, height). focal: pixels, or None when the photo does not tell. The principal point is
    the photo's centre. Raises Cancelled.
    """
    center = np.array(size, dtype=np.float64) / 2.0
    landmarks = landmarks.astype(np.float64)
    start, focal = _initial(basis, landmarks, center, focal, settings)
    corners = landmarks[list(OUTER_EYE_CORNERS)]
    eyes = float(np.linalg.norm(corners[0] - corners[1]))
    sigma = settings.landmark_sigma * eyes
    prior = _prior(basis, expression_names, settings)
    problem = _Problem(basis, landmarks, focal, center, sigma, prior, settings)
    state, found = _improve(problem, start, reporter)
    distance = np.linalg.norm(found.residual[:, :2], axis=1) * sigma
    return ShapeFit(
        state.identity,
        state.expression,
        state.rotation,
        state.translation,
        np.array([[focal, 0.0, center[0]], [0.0, focal, center[1]], [0.0, 0.0, 1.0]]),
        np.where(basis.weight > 0.0, distance, np.nan),
        eyes,
    )
