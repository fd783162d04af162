"""One photo's part of the shape fit: its parameters, residuals and their derivatives."""

from dataclasses import dataclass, replace

import numpy as np

from ...head.numerics import align_similarity, smoothstep
from ...photo.prepare import PreparedPhoto, WorkingCrop
from ...protocol.conventions import FRONTAL_ROTATION
from ..settings import ShapeSettings
from .landmark_basis import LandmarkBasis

OUTER_EYE_CORNERS = (33, 263)
"""Outer eye corners (right, left) in MediaPipe's 468-point scheme."""
LIDS = (
    *(33, 7, 163, 144, 145, 153, 154, 155, 133, 246, 161, 160, 159, 158, 157, 173),
    *(263, 249, 390, 373, 374, 380, 381, 382, 362, 466, 388, 387, 386, 385, 384, 398),
)
"""Rims of the eyelids in MediaPipe's scheme, right eye first."""
LIPS = (
    *(61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 185, 40, 39, 37, 0, 267, 269, 270, 409),
    *(78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 191, 80, 81, 82, 13, 312, 311, 310, 415),
)
"""Outer and inner edge of the lips in MediaPipe's scheme."""
POSE_SIZE = 7
"""Parameters of a camera: rotation vector 3, translation 3, logarithm of the focal length."""


@dataclass(frozen=True)
class IdentityBelief:
    """What something else than landmarks says of the identity: mean (K,) and precision (K, K), the
    inverse of its covariance, in the standard deviations of the model. It takes the place of the
    model's own prior, which is mean 0 and precision 1."""

    mean: np.ndarray
    precision: np.ndarray

    @classmethod
    def independent(cls, mean: np.ndarray, sigma: np.ndarray) -> "IdentityBelief":
        """Of coefficients that are told one by one: mean and sigma (K,)."""
        return cls(mean, np.diag(sigma**-2.0))


@dataclass(frozen=True)
class ShapeView:
    """What one photo tells about the shape.

    landmarks (L, 3): photo pixels, depth in the same scale, larger is farther. size: photo
    (width, height); the principal point is its centre. focal: pixels, or None when the photo does
    not tell. crop: picture and person mask of the face, None when there are only landmarks.
    belief: None when there are only landmarks.
    """

    landmarks: np.ndarray
    size: tuple[int, int]
    focal: float | None = None
    crop: WorkingCrop | None = None
    belief: IdentityBelief | None = None

    @property
    def center(self) -> np.ndarray:
        """(2,) principal point, photo pixels."""
        return np.array(self.size, dtype=np.float64) / 2.0

    @property
    def outer_eye_pixels(self) -> float:
        """Distance of the outer eye corners in the photo."""
        corners = self.landmarks[list(OUTER_EYE_CORNERS)].astype(np.float64)
        return float(np.linalg.norm(corners[0] - corners[1]))


def shape_view(prepared: PreparedPhoto) -> ShapeView:
    """What the shape is fitted to."""
    photo = prepared.photo
    size = (photo.width, photo.height)
    return ShapeView(prepared.landmarks, size, prepared.focal, prepared.crop)


@dataclass(frozen=True)
class ViewState:
    """Own parameters of a photo: expression (E,), rotation (3, 3), translation (3,), focal."""

    expression: np.ndarray
    rotation: np.ndarray
    translation: np.ndarray
    focal: float


@dataclass(frozen=True)
class Linearised:
    """Cost of a photo's residuals (L, 3) in sigmas with Jacobian (L, 3, P) and weights (L,).

    P: identity, expression, pose.
    """

    cost: float
    residual: np.ndarray
    jacobian: np.ndarray
    weight: np.ndarray


def cross_matrix(v: np.ndarray) -> np.ndarray:
    """(..., 3) -> (..., 3, 3) with `M @ a = v x a`."""
    zero = np.zeros_like(v[..., 0])
    x, y, z = v[..., 0], v[..., 1], v[..., 2]
    rows = [zero, -z, y, z, zero, -x, -y, x, zero]
    return np.stack(rows, -1).reshape(*v.shape[:-1], 3, 3)


def rotation_matrix(vector: np.ndarray) -> np.ndarray:
    """Rodrigues' formula, (3,) radians -> (3, 3)."""
    angle = float(np.linalg.norm(vector))
    if angle < 1e-12:
        return np.eye(3)
    k = cross_matrix(vector / angle)
    return np.eye(3) + np.sin(angle) * k + (1.0 - np.cos(angle)) * (k @ k)


def mean_scale(basis: LandmarkBasis, view: ShapeView) -> float:
    """Pixels a metre of the mean head in the photo."""
    return align_similarity(basis.mean, view.landmarks.astype(np.float64), basis.weight)[0]


def first_state(basis: LandmarkBasis, view: ShapeView, settings: ShapeSettings) -> ViewState:
    """Pose of the mean head from the net's own 3D points."""
    landmarks = view.landmarks.astype(np.float64)
    scale, rotation, shift = align_similarity(basis.mean, landmarks, basis.weight)
    focal = view.focal or scale * settings.subject_distance
    translation = np.array([*((shift[:2] - view.center) / scale), focal / scale])
    return ViewState(np.zeros(len(basis.expression)), rotation, translation, focal)


def moved(state: ViewState, delta: np.ndarray) -> ViewState:
    """State after a step (E + 7,). The focal length takes the distance along, so that the size
    in the picture stays."""
    e = len(state.expression)
    zoom = float(np.exp(delta[e + 6]))
    return ViewState(
        np.clip(state.expression + delta[:e], 0.0, 1.0),
        rotation_matrix(delta[e : e + 3]) @ state.rotation,
        (state.translation + delta[e + 3 : e + 6]) * np.array([1.0, 1.0, zoom]),
        state.focal * zoom,
    )


def _facing(basis: LandmarkBasis, rotation: np.ndarray) -> np.ndarray:
    """Trust in a landmark by how its surface faces the camera: 1 in front, 0.05 turned away.

    Ours: nets guess hidden points; the frontal camera's view direction is -z in model space.
    """
    cosine = basis.normals @ (FRONTAL_ROTATION @ rotation)[2]
    return 0.05 + 0.95 * smoothstep(cosine, -0.1, 0.3)


def _camera_points(
    basis: LandmarkBasis, identity: np.ndarray, state: ViewState
) -> tuple[np.ndarray, np.ndarray]:
    """Camera points (L, 3) and their derivative (L, 3, P). The last column moves the head along
    the view, as a longer lens would have it."""
    points = basis.mean + np.tensordot(identity, basis.identity, 1)
    rotated = (points + np.tensordot(state.expression, basis.expression, 1)) @ state.rotation.T
    away = np.zeros((len(rotated), 3, 1))
    away[:, 2] = state.translation[2]
    blocks = [
        (basis.identity @ state.rotation.T).transpose(1, 2, 0),
        (basis.expression @ state.rotation.T).transpose(1, 2, 0),
        -cross_matrix(rotated),
        np.broadcast_to(np.eye(3), (len(rotated), 3, 3)),
        away,
    ]
    return rotated + state.translation, np.concatenate(blocks, axis=2)


def residuals(
    basis: LandmarkBasis, view: ShapeView, identity: np.ndarray, state: ViewState, scale: float
) -> tuple[np.ndarray, np.ndarray]:
    """Residuals (L, 3) in metres on the mean head (x, y, depth) and their Jacobian (L, 3, P).

    The third row compares relative depth with the net's. scale: pixels a metre.
    """
    points, dpoints = _camera_points(basis, identity, state)
    landmarks = view.landmarks.astype(np.float64) / scale
    z, focal = points[:, 2], state.focal / scale
    image = focal * points[:, :2] / z[:, None]
    zoom = focal / state.translation[2]
    w = basis.weight / basis.weight.sum()
    relative, drelative = z - w @ z, dpoints[:, 2] - w @ dpoints[:, 2]
    observed = landmarks[:, 2] - w @ landmarks[:, 2]
    residual = np.column_stack(
        [image + view.center / scale - landmarks[:, :2], relative * zoom - observed]
    )
    jacobian = np.empty_like(dpoints)
    for axis in range(2):
        slope = points[:, axis] / z
        jacobian[:, axis] = focal / z[:, None] * (dpoints[:, axis] - slope[:, None] * dpoints[:, 2])
        jacobian[:, axis, -1] += image[:, axis]
    jacobian[:, 2] = drelative * zoom
    jacobian[:, 2, -2] -= relative * zoom / state.translation[2]
    return residual, jacobian


def landmark_spread(basis: LandmarkBasis, settings: ShapeSettings) -> np.ndarray:
    """(L, 3) standard deviations of landmarks on the mean head, metres: x, y, depth."""
    sigma, depth = settings.landmark_sigma, settings.depth_sigma
    return eye_distance(basis) * np.tile([sigma, sigma, depth], (len(basis.mean), 1))


def fine_spread(basis: LandmarkBasis, settings: ShapeSettings) -> np.ndarray:
    """The same for the last round."""
    spread = np.tile(
        [settings.fine_sigma, settings.fine_sigma, settings.fine_depth_sigma], (len(basis.mean), 1)
    )
    spread[list(LIDS + LIPS), :2] = settings.feature_sigma
    return eye_distance(basis) * spread


def eye_distance(basis: LandmarkBasis) -> float:
    """Metres between the outer eye corners of the mean head."""
    corners = basis.mean[list(OUTER_EYE_CORNERS)]
    return float(np.linalg.norm(corners[0] - corners[1]))


def with_model_depth(
    basis: LandmarkBasis, view: ShapeView, identity: np.ndarray, state: ViewState
) -> ShapeView:
    """The view with the depth of its landmarks as the model has it."""
    points = _camera_points(basis, identity, state)[0]
    landmarks = view.landmarks.astype(np.float64)
    landmarks[:, 2] = points[:, 2] * (state.focal / state.translation[2])
    return replace(view, landmarks=landmarks)


def linearise(
    basis: LandmarkBasis,
    view: ShapeView,
    identity: np.ndarray,
    state: ViewState,
    spread: np.ndarray,
    scale: float,
    huber: float,
) -> Linearised:
    """Huber's robust cost (Huber 1964) of the landmarks, without priors, and its linearisation.

    spread (L, 3): of `landmark_spread`; scale: of `mean_scale`; huber: see `ShapeSettings`.
    """
    residual, jacobian = residuals(basis, view, identity, state, scale)
    residual, jacobian = residual / spread, jacobian / spread[..., None]
    trust = basis.weight * _facing(basis, state.rotation)
    length, edge = np.linalg.norm(residual, axis=1), huber
    robust = np.minimum(1.0, edge / np.maximum(length, 1e-9))
    huber = np.where(length < edge, length**2, edge * (2.0 * length - edge))
    return Linearised(float(trust @ huber), residual, jacobian, trust * robust)


def pixel_errors(
    basis: LandmarkBasis, view: ShapeView, identity: np.ndarray, state: ViewState
) -> np.ndarray:
    """(L,) distance of the model's landmarks from the net's, photo pixels."""
    points = _camera_points(basis, identity, state)[0]
    image = state.focal * points[:, :2] / points[:, 2:] + view.center
    return np.linalg.norm(image - view.landmarks[:, :2], axis=1)
