"""468 face landmarks with depth: MediaPipe's face landmark network.

The network looks at a levelled square crop of 1.5 times the face. The first crop comes from the
detector; the second from the first pass's landmarks, which makes the result almost independent of
the detector's box.

Sources: Kartynnik et al. 2019 (real-time facial surface geometry); crop scale 1.5, eye corners 33
and 263 for the roll and the second crop from the landmarks' extent as in MediaPipe's graphs.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch

from .crop import SquareCrop, check_photo, cut, to_batch
from .face_detector import DetectedFace
from .tflite_graph import GraphNet

INPUT = 192
POINTS = 468
CROP_SCALE = 1.5
RIGHT_EYE_OUTER, LEFT_EYE_OUTER = 33, 263


@dataclass(frozen=True)
class FaceMesh:
    """Landmarks of one face.

    points: (468, 3) float64: x, y in photo pixels; z in the same scale, 0 near the head's centre
    plane, negative towards the viewer. presence: [0, 1], how sure the network is to see a face.
    """

    points: np.ndarray
    presence: float


def crop_from_face(face: DetectedFace) -> SquareCrop:
    """Crop for the first pass: 1.5 times the detector's box, eye line level."""
    return SquareCrop(*face.center, CROP_SCALE * face.side, face.angle, INPUT)


def crop_from_points(points: np.ndarray) -> SquareCrop:
    """Crop for the next pass: 1.5 times the levelled extent of landmarks (468, 2+) in pixels."""
    across = points[LEFT_EYE_OUTER, :2] - points[RIGHT_EYE_OUTER, :2]
    angle = math.atan2(across[1], across[0])
    level = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    turned = points[:, :2] @ level.T
    low, high = turned.min(0), turned.max(0)
    center = level.T @ ((low + high) / 2)
    return SquareCrop(*center, CROP_SCALE * float((high - low).max()), angle, INPUT)


def run_mesh(net: GraphNet, photo: np.ndarray, crop: SquareCrop) -> FaceMesh:
    """One pass of the network over one crop; landmarks carried back to photo pixels."""
    # Faces cut by the photo's edge: with a carried rim the landmarks moved by 0.48 % of the eye
    # distance on average, with black by 0.63 % (8 portraits, each cut on four sides).
    with torch.no_grad():
        coordinates, logit = net(to_batch([cut(photo, crop, carry_rim=True)]))
    points = coordinates.reshape(POINTS, 3).numpy().astype(np.float64)
    points[:, :2] = crop.to_photo(points[:, :2])
    points[:, 2] *= crop.side / INPUT
    return FaceMesh(points, float(torch.sigmoid(logit)))


def face_mesh(net: GraphNet, photo: np.ndarray, face: DetectedFace, passes: int = 2) -> FaceMesh:
    """Landmarks of one detected face.

    Args: net: the converted landmark network; photo: (H, W, 3) float32 RGB, sRGB-encoded, [0, 1];
        face: from `detect_faces`; passes: how often the crop is taken anew (at least 1).
    Returns: FaceMesh of the last pass. A low presence means that the landmarks are not to be used.
    Raises: EngineError BAD_INPUT if the photo is not of that form.
    """
    check_photo(photo)
    mesh = run_mesh(net, photo, crop_from_face(face))
    for _ in range(passes - 1):
        mesh = run_mesh(net, photo, crop_from_points(mesh.points))
    return mesh
