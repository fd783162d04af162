"""What the regressor tells of a photo, in the terms of the shape fit: a start and a prior."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from ...nets.face_mesh import INPUT, crop_from_points
from ...nets.identity import IdentityNet
from ...nets.regressor import Regressor, embeddings
from ...nets.regressor_file import WEIGHTS, knows_head, read_regressor
from ...photo.prepare import PreparedPhoto
from ..loaded import LoadedPack
from .carried import Bridge, bridge
from .view import IdentityBelief, ShapeView, shape_view


@dataclass(frozen=True, eq=False)
class RegressedShape:
    """identity, identity_sigma (K,): mean and standard deviation of the leading coefficients, in
    sigmas of the head's own prior; picture_...: the same from the picture alone, to be put
    together with the landmarks by others. expression, expression_sigma (E,). landmarks (468, 3): as
    those of the photo, with the errors taken out that the net knows; landmark_sigma (468, 3): what
    is left of them, photo pixels along x, y and depth. log_distance, its sigma: of metres from
    the lens. light (9, 3): shading in model space, ambient luminance 1."""

    picture_identity: np.ndarray
    picture_sigma: np.ndarray
    identity: np.ndarray
    identity_sigma: np.ndarray
    expression: np.ndarray
    expression_sigma: np.ndarray
    landmarks: np.ndarray
    landmark_sigma: np.ndarray
    log_distance: float
    log_distance_sigma: float
    light: np.ndarray


def regress_shape(regressor: Regressor, net: IdentityNet, view: ShapeView) -> RegressedShape | None:
    """Read one photo. net: the identity net of the pack that the regressor was trained with.

    None for a view without a picture.
    """
    if view.crop is None:
        return None
    points = view.landmarks.astype(np.float64)
    inside = points.copy()
    corner = np.array([view.crop.x0, view.crop.y0])
    inside[:, :2] = (points[:, :2] - corner) * view.crop.scale
    crop = crop_from_points(inside)
    matrix = crop.matrix()
    levelled = np.linalg.solve(matrix[:, :2], (inside[:, :2] - matrix[:, 2]).T).T
    depth = points[:, 2:] * view.crop.scale * INPUT / crop.side
    embedding = embeddings(net, [view.crop.image], [inside])[0]
    levelled = np.column_stack([levelled, depth])
    alone, _ = regressor.read(levelled, embedding, with_points=False)
    told, aligned = regressor.read(levelled, embedding)
    to_photo = crop.side / INPUT / view.crop.scale
    turn = np.eye(3)
    turn[:2, :2] = matrix[:, :2] * INPUT / crop.side
    moved = aligned.back(told.points[None])[0] @ turn.T * to_photo
    spread = (turn @ aligned.rotation[0]) ** 2 @ (told.points_sigma**2).T
    sigma = np.sqrt(spread.T) * aligned.scale[0] * to_photo
    return RegressedShape(
        alone.identity,
        alone.identity_sigma,
        told.identity,
        told.identity_sigma,
        told.expression,
        told.expression_sigma,
        points + moved,
        sigma,
        float(told.pose[3]),
        float(told.pose_sigma[3]),
        told.light,
    )


@lru_cache(maxsize=1)
def default_regressor() -> Regressor | None:
    """The regressor of the default head; None where it is not there."""
    return read_regressor(WEIGHTS) if WEIGHTS.is_file() else None


@lru_cache(maxsize=4)
def _bridge(loaded: LoadedPack) -> Bridge | None:
    """From the regressor's head to another one; None for the head that it knows."""
    regressor, basis = default_regressor(), loaded.landmarks
    if regressor is None or knows_head(regressor, basis.identity):
        return None
    return bridge(regressor.mean, regressor.modes, regressor.weight, basis)


def believed_view(prepared: PreparedPhoto, loaded: LoadedPack) -> ShapeView:
    """What the shape is fitted to, with what the picture itself says of the identity."""
    view = shape_view(prepared)
    regressor = default_regressor()
    if regressor is None:
        return view
    told = regress_shape(regressor, loaded.nets.identity, view)
    return view if told is None else replace(view, belief=belief_of(told, loaded))


def belief_of(told: RegressedShape, loaded: LoadedPack) -> IdentityBelief:
    """Of all coefficients of the pack's head; those that are not told keep its prior.

    Of the picture alone: the fit has the landmarks itself and would count them twice.
    """
    across = _bridge(loaded)
    if across is not None:
        return across.carry(told.picture_identity, told.picture_sigma)
    rest = len(loaded.landmarks.identity) - len(told.picture_identity)
    mean = np.concatenate([told.picture_identity, np.zeros(rest)])
    sigma = np.concatenate([told.picture_sigma, np.ones(rest)])
    return IdentityBelief.independent(mean, sigma)
