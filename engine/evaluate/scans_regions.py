"""Parts of the face in which scans are compared, on the triangles of the head model."""

import cv2
import numpy as np

from ..packs.calibrate import landmark_names as names
from ..packs.calibrate.identity_weights import BACK, TURNED
from ..protocol.headpack import HeadPack, LandmarkEmbedding
from ..register.surface import triangle_normals

REGIONS = ("nose", "mouth", "forehead", "cheek", "rest")
"""Each triangle inside the face's outline is in one of them; the rest: eyes, temples, chin, jaw."""
OUTSIDE = len(REGIONS)

NOSE = (168, 193, 417, 245, 465, 126, 355, 49, 279, 129, 358, 98, 327, 2)
MOUTH = (164, 186, 410, 57, 287, 43, 273, 106, 335, 18, 92, 322)
"""Corners of their convex outlines (MediaPipe's numbers): from between the eyes to under the nose
and out to the wings; from the groove under the nose to the chin's fold and out to the corners."""
BROW_TOP = (105, 334, 107, 336)
EYE_UNDER = (230, 450)
"""Under the lids: where the cheek begins."""
MOUTH_UNDER = (18,)
SIDE = 0.02
"""Metres from the middle from which cheek is cheek."""
HIDDEN = ("sockets", "mouth", "eyelids_left", "eyelids_right")
"""Vertex groups that are not compared: lids may be closed, scans have no eyeballs or teeth."""


def landmark_points(
    vertices: np.ndarray, head: HeadPack, embedding: LandmarkEmbedding
) -> np.ndarray:
    """(L, 3) embedded landmarks on vertices (V, 3)."""
    corners = vertices[head.triangles[embedding.triangles]].astype(np.float64)
    return np.einsum("lk,lkc->lc", embedding.barycentric.astype(np.float64), corners)


def _inside(points: np.ndarray, outline: np.ndarray) -> np.ndarray:
    """(n,) bool: points (n, 2) within the polygon (m, 2). Metres; tested in millimetres."""
    line = (outline * 1000.0).astype(np.float32).reshape(-1, 1, 2)
    seen = (points * 1000.0).tolist()
    return np.array([cv2.pointPolygonTest(line, (x, y), False) >= 0 for x, y in seen])


def _hull(points: np.ndarray) -> np.ndarray:
    return cv2.convexHull(points.astype(np.float32)).reshape(-1, 2)


def face_regions(head: HeadPack) -> np.ndarray:
    """(2F,) u8 index into REGIONS of each triangle, OUTSIDE where scans are not compared.

    Decided on the mean head as seen from the front.
    """
    marks = landmark_points(head.mean, head, head.landmarks468)[:, :2]
    middle = head.mean[head.triangles].astype(np.float64).mean(axis=1)
    x, y = middle[:, 0], middle[:, 1]
    flat = middle[:, :2]
    region = np.full(len(middle), REGIONS.index("rest"), dtype=np.uint8)
    region[y > marks[list(BROW_TOP), 1].max()] = REGIONS.index("forehead")
    cheek = (y < marks[list(EYE_UNDER), 1].mean()) & (y > marks[list(MOUTH_UNDER), 1].mean())
    region[cheek & (np.abs(x) > SIDE)] = REGIONS.index("cheek")
    region[_inside(flat, _hull(marks[list(MOUTH)]))] = REGIONS.index("mouth")
    region[_inside(flat, _hull(marks[list(NOSE)]))] = REGIONS.index("nose")
    normals = triangle_normals(head.mean.astype(np.float64), head.triangles)
    front = (middle[:, 2] > BACK) & (normals[:, 2] > TURNED)
    region[~(front & _compared(head, flat, marks))] = OUTSIDE
    return region


def _compared(head: HeadPack, flat: np.ndarray, marks: np.ndarray) -> np.ndarray:
    skin = np.repeat(head.face_part == head.part_names.index("skin"), 2)
    hidden = np.maximum.reduce([head.groups[name] for name in (*HIDDEN, "ears")])
    shown = hidden[head.triangles].max(axis=1) < 0.5
    oval = _inside(flat, marks[list(names.OVAL)])
    return skin & shown & oval
