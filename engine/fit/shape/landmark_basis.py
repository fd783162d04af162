"""The landmarks of a head pack as a small linear model of their own."""

from dataclasses import dataclass

import numpy as np

from ...protocol.headpack import HeadPack, LandmarkEmbedding


@dataclass(frozen=True)
class LandmarkBasis:
    """Landmark positions as a linear model: mean + identity * z + expression * w.

    mean (L, 3) metres; identity (K, L, 3) metres per sigma; expression (E, L, 3) metres at
    weight 1; normals (L, 3) unit, of the mean head; weight (L,) trust in [0, 1]; turn
    (TURN_TERMS, L, 3) metres, see `landmark_turn.py`, or None.
    """

    mean: np.ndarray
    identity: np.ndarray
    expression: np.ndarray
    normals: np.ndarray
    weight: np.ndarray
    turn: np.ndarray | None = None


def landmark_basis(head: HeadPack, embedding: LandmarkEmbedding) -> LandmarkBasis:
    """Restrict the head model to embedded landmarks, in float64."""
    corners = head.triangles[embedding.triangles]

    def lift(values: np.ndarray) -> np.ndarray:
        picked = values[..., corners, :].astype(np.float64)
        return np.einsum("...lcx,lc->...lx", picked, embedding.barycentric.astype(np.float64))

    a, b, c = (head.mean[corners[:, i]].astype(np.float64) for i in range(3))
    normals = np.cross(b - a, c - a)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    return LandmarkBasis(
        lift(head.mean),
        lift(head.identity),
        lift(head.expression),
        normals,
        embedding.weight,
        None if embedding.turn is None else embedding.turn.astype(np.float64),
    )
