"""Where the identity calibration looks, and fingerprints of what it belongs to."""

import cv2
import numpy as np

from ...register.surface import triangulate, vertex_normals
from . import landmark_names as names
from .head_patches import HeadPatches

FEATURE_GROUPS = ("lips", "eyelids_left", "eyelids_right")
RAW_SCALE_KEY = "raw_scale"
REST = 0.03
"""Weight per area of the skull against the face; of the neck a tenth of that."""
EDGE = 0.006
"""Metres over which the weight falls at the face's outline."""
BACK, TURNED = -0.075, -0.2
"""Metres behind the eyes, and cosine to the front, up to which skin belongs to the face."""


def raw_scale(basis: np.ndarray) -> np.ndarray:
    """(K,) f32 rms displacement of each raw component (K, V, 3): tells whether a calibration
    still belongs to the raw basis."""
    return np.sqrt((basis.astype(np.float64) ** 2).mean(axis=(1, 2))).astype(np.float32)


def table_positions(table: dict[str, np.ndarray], head: HeadPatches) -> dict[str, np.ndarray]:
    """Positions (n, 3) on the mean head of the landmarks of a landmark table, by name."""
    triangles = triangulate(head.fine.quads)
    return {
        name: np.einsum(
            "nk,nkc->nc",
            table[f"{name}_barycentric"],
            head.fine_vertices[triangles[table[f"{name}_triangles"]]],
        )
        for name in ("landmarks468", "landmarks68")
    }


def fit_weights(
    head: HeadPatches, groups: dict[str, np.ndarray], landmarks: np.ndarray
) -> np.ndarray:
    """(n,) weight of each control vertex: its area, times 1 inside the face's outline, REST
    elsewhere, nothing on ears, in sockets and in the mouth."""
    count = len(head.vertices)
    outside = np.zeros(count)
    outside[np.unique(head.quads[head.outside])] = 1.0
    normals = vertex_normals(head.fine_vertices, triangulate(head.fine.quads))[:count]
    face = _inside(head.vertices, landmarks[list(names.OVAL)])
    face *= (head.vertices[:, 2] > BACK) & (normals[:, 2] > TURNED)
    rest = REST * (1.0 - groups["ears"]) * (1.0 - 0.9 * groups["neck"])
    return outside * vertex_areas(head) * np.maximum(face, rest)


def _inside(points: np.ndarray, outline: np.ndarray) -> np.ndarray:
    """(n,) 1 inside the outline as seen from the front, falling to 0 over EDGE."""
    line = (outline[:, :2] / EDGE).astype(np.float32).reshape(-1, 1, 2)
    seen = (points[:, :2] / EDGE).tolist()
    distance = [cv2.pointPolygonTest(line, (x, y), True) for x, y in seen]
    return np.clip(np.array(distance) + 0.5, 0.0, 1.0)


def vertex_areas(head: HeadPatches) -> np.ndarray:
    """(n,) square metres of skin around each control vertex."""
    a, b, c, d = (head.vertices[head.quads[:, k]] for k in range(4))
    area = 0.5 * np.linalg.norm(np.cross(c - a, d - b), axis=1)
    return np.bincount(head.quads.ravel(), np.repeat(0.25 * area, 4), len(head.vertices))
