"""Tangent frames, against the formula on a plane."""

import numpy as np

from engine.wear.tangents import frames_of

from .worn_sheet import sheet, turned, worn_sheet


def test_frames_follow_the_layout() -> None:
    mesh = worn_sheet()
    _, _, uv = sheet()
    rng = np.random.default_rng(0)
    triangle = rng.integers(0, len(mesh.triangles), 200)
    weights = rng.dirichlet([1, 1, 1], 200)
    normal = np.einsum("nk,nkc->nc", weights, mesh.normals[mesh.triangles[triangle]])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    for layout, axis, sign in ((uv, 0, 1.0), (turned(uv), 1, 1.0), (uv * [-1, 1], 0, -1.0)):
        frames = frames_of(mesh.vertices, mesh.normals, mesh.triangles, layout)
        tangent, bitangent = frames.at(triangle, weights, normal)
        wanted = np.zeros((200, 3))
        wanted[:, axis] = sign if axis == 0 else 1.0
        wanted -= normal * (wanted * normal).sum(axis=1, keepdims=True)
        wanted /= np.linalg.norm(wanted, axis=1, keepdims=True)
        if axis == 1:  # u grows along y where v grew: u = 1 - t
            wanted = -wanted
        assert ((tangent * wanted).sum(axis=1) > 0.99).all()
        assert np.abs((tangent * normal).sum(axis=1)).max() < 1e-6
        assert np.abs((tangent * bitangent).sum(axis=1)).max() < 1e-6
        assert (frames.hand == (-1.0 if sign < 0 else 1.0)).all()
