"""What the regressor tells of a photo, in the terms of the shape fit: a start and a prior."""

from dataclasses import dataclass, replace

import numpy as np

from ..nets.face_mesh import INPUT, crop_from_points
from ..nets.regressor import Regressor, look
from ..nets.tflite_graph import GraphNet
from .shape_view import ShapeView


@dataclass(frozen=True, eq=False)
class RegressedShape:
    """identity, identity_sigma (K,): mean and standard deviation of the leading coefficients, in
    sigmas of the head's own prior. expression, expression_sigma (E,). landmarks (468, 3): as
    those of the photo, with the errors taken out that the net knows; landmark_sigma (468, 3): what
    is left of them, photo pixels along x, y and depth. log_distance, its sigma: of metres from
    the lens. light (9, 3): shading in model space, ambient luminance 1."""

    identity: np.ndarray
    identity_sigma: np.ndarray
    expression: np.ndarray
    expression_sigma: np.ndarray
    landmarks: np.ndarray
    landmark_sigma: np.ndarray
    log_distance: float
    log_distance_sigma: float
    light: np.ndarray


def regress_shape(regressor: Regressor, net: GraphNet, view: ShapeView) -> RegressedShape | None:
    """Read one photo. net: the landmark net of the pack that the regressor was trained with.

    None for a view without a picture.
    """
    if view.crop is None:
        return None
    points = view.landmarks.astype(np.float64)
    inside = points.copy()
    corner = np.array([view.crop.x0, view.crop.y0])
    inside[:, :2] = (points[:, :2] - corner) * view.crop.scale
    crop = crop_from_points(inside)
    seen = look(net, [view.crop.image], [crop])[0]
    # The fit's own points, not those of one more pass: they are what is corrected.
    matrix = crop.matrix()
    levelled = np.linalg.solve(matrix[:, :2], (inside[:, :2] - matrix[:, 2]).T).T
    depth = points[:, 2:] * view.crop.scale * INPUT / crop.side
    told, aligned = regressor.read(replace(seen, points=np.column_stack([levelled, depth])))
    to_photo = crop.side / INPUT / view.crop.scale
    turn = np.eye(3)
    turn[:2, :2] = matrix[:, :2] * INPUT / crop.side
    moved = aligned.back(told.points[None])[0] @ turn.T * to_photo
    spread = (turn @ aligned.rotation[0]) ** 2 @ (told.points_sigma**2).T
    sigma = np.sqrt(spread.T) * aligned.scale[0] * to_photo
    return RegressedShape(
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
