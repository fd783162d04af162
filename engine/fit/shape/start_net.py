"""A start of the shape fit from a network of Deep3D's kind (`nets/deep3d.py`).

Its world (FFHQ-UV's code, after Deng et al. 2019): decimetres about the mean of the head's skin
vertices, x to the subject's left, y up, z out of the face; X' = Rz Ry Rx X + t; a camera at
z = 10 that looks along -z, focal length 1,015 pixels, principal point in the middle of a picture
of 224 pixels. Its light and texture are not used: ours are solved in closed form.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from ...nets.deep3d import SIDE, Deep3DCoefficients, Deep3DNet
from ...photo.prepare import PreparedPhoto
from ...protocol.conventions import FRONTAL_ROTATION
from ...protocol.errors import EngineError, ErrorCode
from ..loaded import SKIN_PART, LoadedPack
from .stage import ShapeFit
from .view import IdentityBelief, ShapeView, cross_matrix

UNIT = 0.1
"""Metres in a decimetre."""
FOCAL, DISTANCE = 1015.0, 10.0
ALIGNED = 102.0
"""Pixels a unit of the aligned points."""
POINTS = ((33, 133), (362, 263), (1,), (61,), (291,))
"""Right eye (both corners), left eye, nose tip, corners of the mouth, among the 468 landmarks."""
DEPTH_OFFSET = 0.48
"""Decimetres along z of the authors' template of these points, beside the mean head."""
SIGMA = 0.5
"""Deviation of the network's identity, in those of the model. Ours, not measured: the weights are
the user's."""
EXPRESSIONS = "hifi3dpp_"
"""Beginning of the names of the model's own expressions in an imported pack."""


@dataclass(frozen=True, eq=False)
class NetStart:
    """fits: where the shape fit begins, one a photo; beliefs: of the identity, one a photo."""

    fits: tuple[ShapeFit, ...]
    beliefs: tuple[IdentityBelief, ...]

    def told(self, views: Sequence[ShapeView]) -> list[ShapeView]:
        """The views with what this network says of the identity, in the place of our own."""
        return [
            replace(view, belief=belief) for view, belief in zip(views, self.beliefs, strict=True)
        ]


def check_net(net: Deep3DNet, loaded: LoadedPack) -> None:
    """Raises EngineError(BAD_SETTINGS) unless the network was trained for the pack's head."""
    own, found = len(loaded.head.identity), net.groups[0]
    rows = expression_rows(loaded.head.expression_names)
    if own != found or (len(rows) and len(rows) != net.groups[1]):
        raise EngineError(
            ErrorCode.BAD_SETTINGS,
            f"{net.name} tells {found} identity and {net.groups[1]} expression coefficients, but "
            f"the head pack {loaded.head.id} has {own} and {len(rows)} of the model's own.",
            "Choose the head pack that the network was trained for (FFHQ-UV's: hifi3dpp).",
        )


def expression_rows(names: Sequence[str]) -> np.ndarray:
    """(n,) rows of the model's own expressions; none in a pack with ARKit's alone."""
    return np.array([k for k, name in enumerate(names) if name.startswith(EXPRESSIONS)], int)


def net_start(
    net: Deep3DNet,
    loaded: LoadedPack,
    prepared: Sequence[PreparedPhoto],
    views: Sequence[ShapeView],
) -> NetStart:
    """Read all photos of a person. Raises EngineError(BAD_SETTINGS) for another head's network."""
    check_net(net, loaded)
    head = loaded.head
    skin = np.unique(head.quads[head.face_part == head.part_names.index(SKIN_PART)])
    origin = head.mean[skin].mean(axis=0, dtype=np.float64)
    rows = expression_rows(head.expression_names)
    template = (loaded.landmarks.mean - origin) / UNIT + [0.0, 0.0, DEPTH_OFFSET]
    fits, beliefs = [], []
    for one, view in zip(prepared, views, strict=True):
        crop = aligned_crop(view.landmarks[:, :2], template)
        photo = one.photo
        told = net.read(crop.picture(photo.pixels, photo.width, photo.height))
        expression = np.zeros(len(head.expression_names))
        expression[rows] = np.clip(told.expression[: len(rows)], 0.0, 1.0)
        rotation, translation = pose_of(told, origin)
        focal, rotation, translation = crop.through(view, rotation, translation)
        x, y = view.center
        intrinsics = np.array([[focal, 0.0, x], [0.0, focal, y], [0.0, 0.0, 1.0]])
        unknown = np.full(len(view.landmarks), np.nan)
        fits.append(
            ShapeFit(
                told.identity,
                expression,
                rotation,
                translation,
                intrinsics,
                unknown,
                view.outer_eye_pixels,
            )
        )
        sigma = np.full(len(told.identity), SIGMA)
        beliefs.append(IdentityBelief.independent(told.identity, sigma))
    return NetStart(tuple(fits), tuple(beliefs))


@dataclass(frozen=True)
class AlignedCrop:
    """The square of the photo that the network sees: its middle (x, y) in photo pixels, and its
    own pixels a photo pixel."""

    middle: tuple[float, float]
    scale: float

    def picture(self, pixels: np.ndarray, width: int, height: int) -> np.ndarray:
        """(224, 224, 3) of a photo of width x height, of which `pixels` may be a smaller version;
        black outside of it. Reduced by areas first."""
        size = (max(1, round(width * self.scale)), max(1, round(height * self.scale)))
        method = cv2.INTER_AREA if size[0] < pixels.shape[1] else cv2.INTER_CUBIC
        small = cv2.resize(pixels.astype(np.float32), size, interpolation=method)
        half = SIDE / 2.0
        x, y = self.middle[0] * size[0] / width, self.middle[1] * size[1] / height
        shift = np.array([[1.0, 0.0, half - x], [0.0, 1.0, half - y]])
        return np.clip(cv2.warpAffine(small, shift, (SIDE, SIDE)), 0.0, 1.0)

    def through(
        self, view: ShapeView, rotation: np.ndarray, translation: np.ndarray
    ) -> tuple[float, np.ndarray, np.ndarray]:
        """Focal length (photo pixels), rotation (3, 3) and translation (3,) of the photo's own
        camera that shows the head where the network's camera does: as far away as the photo's
        focal length asks, and the whole scene turned about the lens until the middle of the crop
        is where it lies in the photo."""
        focal = FOCAL / self.scale
        found = view.focal or focal
        away = np.array([*((np.array(self.middle) - view.center) / found), 1.0])
        away /= np.linalg.norm(away)
        axis = cross_matrix(np.array([-away[1], away[0], 0.0]))
        turn = np.eye(3) + axis + axis @ axis / (1.0 + away[2])
        further = translation * [1.0, 1.0, found / focal]
        return found, turn @ rotation, turn @ further


def aligned_crop(landmarks: np.ndarray, template: np.ndarray) -> AlignedCrop:
    """Where the network wants to look. landmarks (468, 2) photo pixels, template (468, 3) the mean
    head's, decimetres, model axes.

    The affine camera that carries five points of the template to the photo's best (least squares).
    """
    groups = [list(group) for group in POINTS]
    seen = np.stack([landmarks[group].mean(axis=0) for group in groups]).astype(np.float64)
    known = np.stack([template[group].mean(axis=0) for group in groups])
    solved = np.linalg.lstsq(np.column_stack([known, np.ones(len(known))]), seen, rcond=None)[0]
    size = 0.5 * np.linalg.norm(solved[:3], axis=0).sum()
    return AlignedCrop((float(solved[3, 0]), float(solved[3, 1])), ALIGNED / float(size))


def pose_of(told: Deep3DCoefficients, origin: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rotation (3, 3) and translation (3,) metres of our camera (x right, y down, z forward), for
    our coordinates; origin (3,): the network's own origin in them."""
    turn = rotation_of(told.angle)
    rotation = FRONTAL_ROTATION @ turn
    towards = np.array([0.0, 0.0, DISTANCE])
    translation = UNIT * (FRONTAL_ROTATION @ told.translation + towards)
    return rotation, translation - rotation @ origin


def rotation_of(angle: np.ndarray) -> np.ndarray:
    """(3, 3) Rz(c) Ry(b) Rx(a) of angles (a, b, c) in radians, for column vectors."""
    (ca, cb, cc), (sa, sb, sc) = np.cos(angle), np.sin(angle)
    about_x = np.array([[1, 0, 0], [0, ca, -sa], [0, sa, ca]])
    about_y = np.array([[cb, 0, sb], [0, 1, 0], [-sb, 0, cb]])
    about_z = np.array([[cc, -sc, 0], [sc, cc, 0], [0, 0, 1]])
    return about_z @ about_y @ about_x
