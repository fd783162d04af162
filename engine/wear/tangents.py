"""Tangent frames of a layout, as programs that show normal maps build them."""

from dataclasses import dataclass

import numpy as np

from ..protocol.headpack import split_quads
from .layout import signed_area

_GRID = 1e-6
"""UVs nearer than this are one."""


@dataclass(frozen=True, eq=False)
class Frames:
    """tangents (T, 3, 3) of the triangles' corners, unit; hand (T,): +1, or -1 where the layout is
    mirrored. The bitangent is hand * cross(normal, tangent)."""

    tangents: np.ndarray
    hand: np.ndarray

    def at(
        self, triangle: np.ndarray, weights: np.ndarray, normal: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Tangent and bitangent (n, 3) at points of triangles (n,) with barycentric weights (n, 3)
        and unit normals (n, 3)."""
        tangent = np.einsum("nk,nkc->nc", weights, self.tangents[triangle])
        tangent = _unit(tangent - normal * (tangent * normal).sum(axis=1, keepdims=True))
        return tangent, self.hand[triangle, None] * np.cross(normal, tangent)


def frames_of(
    vertices: np.ndarray, normals: np.ndarray, triangles: np.ndarray, corner_uv: np.ndarray
) -> Frames:
    """vertices (W, 3); normals (W, 3) unit; triangles (T, 3); corner_uv (F, 4, 2), T = 2 F.

    Directions of growing u are laid into the plane of each corner's normal and averaged, weighted
    by the corner's angle, over the corners that share vertex, UV and hand (Mikkelsen 2008,
    "Simulation of Wrinkled Surfaces Revisited", section 3.1; on triangles instead of quads).
    """
    uv = split_quads(corner_uv).astype(np.float64)
    corners = vertices[triangles]
    edge1, edge2 = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    du1, du2 = uv[:, 1] - uv[:, 0], uv[:, 2] - uv[:, 0]
    area = signed_area(uv)
    hand = np.where(area < 0.0, -1.0, 1.0)
    along = hand[:, None] * (edge1 * du2[:, 1:] - edge2 * du1[:, 1:])
    normal = normals[triangles]
    flat = along[:, None] - normal * (normal * along[:, None]).sum(-1, keepdims=True)
    flat = _unit(flat) * _angles(corners)[..., None]
    flat[area == 0.0] = 0.0
    place = np.rint(uv.reshape(-1, 2) / _GRID).astype(np.int64)
    key = np.column_stack([triangles.reshape(-1), place, np.repeat(hand, 3).astype(np.int64)])
    group = np.unique(key, axis=0, return_inverse=True)[1].reshape(-1)
    total = np.zeros((group.max() + 1, 3))
    np.add.at(total, group, flat.reshape(-1, 3))
    return Frames(_unit(total)[group].reshape(-1, 3, 3), hand)


def _angles(corners: np.ndarray) -> np.ndarray:
    """(T, 3) radians at each corner."""
    ahead = _unit(np.roll(corners, -1, axis=1) - corners)
    back = _unit(np.roll(corners, 1, axis=1) - corners)
    return np.arccos(np.clip((ahead * back).sum(-1), -1.0, 1.0))


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-30)
