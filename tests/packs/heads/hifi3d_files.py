"""Files as those of HiFi3D++, written here with the documented keys, types and index bases: over a
face of some hundred vertices, or over any mesh with the real topology."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.io import savemat

from engine.packs.heads import hifi3dpp, realy
from engine.packs.heads.hifi3d import MIRRORED_68

Tables = dict[str, np.ndarray]
COLUMNS, ROWS = 13, 11
IDENTITY, EXPRESSION, TEXTURE = 3, 2, 4
REALY_UNIT = 100.0 / 8.95
"""REALY's units in a decimetre."""


@dataclass(frozen=True)
class FaceMesh:
    """vertices (V, 3) decimetres, quads (F, 4), uv (T, 2), uv_quads (F, 4), landmarks (68,)."""

    vertices: np.ndarray
    quads: np.ndarray
    uv: np.ndarray
    uv_quads: np.ndarray
    landmarks: np.ndarray


def _grid(rows: int, columns: int, first: int) -> np.ndarray:
    """Quads of a grid whose rows go up, counter-clockwise seen from +z."""
    corner = first + np.arange(rows * columns).reshape(rows, columns)
    parts = (corner[:-1, :-1], corner[:-1, 1:], corner[1:, 1:], corner[1:, :-1])
    return np.stack([part.ravel() for part in parts], axis=1)


def tiny_face() -> FaceMesh:
    """A bulging face and, behind it, a mouth bag whose halves are UV islands of their own."""
    x, y = np.meshgrid(np.linspace(-1, 1, COLUMNS), np.linspace(-1, 1, ROWS))
    z = np.sqrt(np.maximum(2.4 - x**2 - 0.4 * y**2, 0.0))
    face = np.stack([x, 1.6 * y, z], axis=-1).reshape(-1, 3)
    bag_x, bag_y = np.meshgrid([-0.2, 0.0, 0.2], [-0.6, -0.5])
    bag = np.stack([bag_x, bag_y, np.ones((2, 3))], axis=-1).reshape(-1, 3)
    count = len(face)
    face_uv = np.column_stack([0.5 + 0.3 * x.ravel(), 0.5 + 0.3 * y.ravel()])
    left_uv = [[0.91, 0.9], [0.95, 0.9], [0.91, 0.95], [0.95, 0.95]]
    right_uv = [[0.05, 0.9], [0.09, 0.9], [0.05, 0.95], [0.09, 0.95]]
    left = [[count, count + 1, count + 3, count + 2]]
    right = [[count + 4, count + 5, count + 7, count + 6]]
    return FaceMesh(
        np.concatenate([face, bag]),
        np.concatenate([_grid(ROWS, COLUMNS, 0), _grid(2, 3, count)]),
        np.concatenate([face_uv, right_uv, left_uv]),
        np.concatenate([_grid(ROWS, COLUMNS, 0), left, right]),
        _tiny_landmarks(),
    )


def _tiny_landmarks() -> np.ndarray:
    """Vertices on both sides alike: chin, nose tip and bridge rise in the middle column."""
    out = np.full(68, -1)
    middle = {8: 0, 51: 2, 57: 1, 62: 2, 66: 1, 33: 3, 30: 4, 29: 5, 28: 6, 27: 7}
    for index, row in middle.items():
        out[index] = row * COLUMNS + COLUMNS // 2
    sides = [(i, j) for i, j in enumerate(MIRRORED_68) if i < j]
    for number, (first, second) in enumerate(sides):
        row, column = 1 + number % (ROWS - 2), number % (COLUMNS // 2)
        if first == 36:
            row, column = ROWS - 3, 2
        out[first] = row * COLUMNS + column
        out[second] = row * COLUMNS + COLUMNS - 1 - column
    return out


def _split(quads: np.ndarray) -> np.ndarray:
    return np.stack([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]], axis=1).reshape(-1, 3)


def smooth_modes(mesh: FaceMesh, count: int, seed: int) -> np.ndarray:
    """(count, V, 3) decimetres: waves of 1 to 2 mm across the head."""
    rng = np.random.default_rng(seed)
    waves = rng.normal(0.0, 1.5, (count, 3))
    phase = mesh.vertices @ waves.T + rng.uniform(0.0, 6.28, count)
    return 0.015 * np.sin(phase).T[:, :, None] * rng.normal(0.0, 1.0, (count, 1, 3))


def model_sizes(mesh: FaceMesh, identity: int = IDENTITY) -> hifi3dpp.ModelSizes:
    """Of the files written for `mesh`."""
    return hifi3dpp.ModelSizes(
        vertices=len(mesh.vertices),
        triangles=2 * len(mesh.quads),
        uv_points=len(mesh.uv),
        identity=identity,
        expression=EXPRESSION,
        texture=TEXTURE,
        facial=len(mesh.quads),
        uv_pixels=100,
        unwrap=32,
    )


def realy_sizes(mesh: FaceMesh) -> realy.ModelSizes:
    """Of the files written for `mesh`."""
    return realy.ModelSizes(
        len(mesh.vertices), 2 * len(mesh.quads), len(mesh.uv), IDENTITY, EXPRESSION
    )


def hifi3dpp_tables(mesh: FaceMesh, identity: np.ndarray | None = None) -> Tables:
    """What hifi3dpp_model_info.mat holds. identity (K, V, 3) decimetres, or waves."""
    rng = np.random.default_rng(0)
    count, tri, tri_vt = len(mesh.vertices), _split(mesh.quads), _split(mesh.uv_quads)
    owner = np.zeros(len(mesh.uv), np.int64)
    owner[tri_vt.ravel()] = tri.ravel()
    vertex_uv = np.zeros((count, 2))
    vertex_uv[tri.ravel()] = mesh.uv[tri_vt.ravel()]
    places = 512.0 * np.column_stack([1.0 - vertex_uv[:, 1], vertex_uv[:, 0]])
    modes = smooth_modes(mesh, IDENTITY, 1) if identity is None else identity
    shapes = smooth_modes(mesh, EXPRESSION, 2)
    return {
        "meanshape": (mesh.vertices + [0.1, 0.2, 0.3]).reshape(1, -1),
        "meantex": rng.uniform(80, 200, (1, 3 * count)),
        "idBase": modes.reshape(len(modes), -1).T.astype(np.float32),
        "exBase": shapes.reshape(EXPRESSION, -1).T,
        "texBase": rng.normal(0, 5, (3 * count, TEXTURE)),
        "tri": tri[: len(mesh.quads)] + 1.0,
        "head_tri": tri + 1.0,
        "tri_vt": tri_vt[: len(mesh.quads)] + 1.0,
        "head_tri_vt": tri_vt + 1.0,
        "vt_list": mesh.uv,
        "vt_vtx_idx": owner[:, None].astype(np.int32),
        "vtx_vt": places,
        "uv_idx": rng.integers(0, 512, (100, 2)),
        "vtx_uv_idx": (np.floor(places).clip(0, 511) @ [512.0, 1.0])[:, None],
        "keypoints": mesh.landmarks[None] + 1.0,
        "point_buf": _around(tri, count) + 1,
        "skinmask": np.ones((1, count)),
    }


def _around(tri: np.ndarray, count: int) -> np.ndarray:
    """(V, 8) triangles at each vertex, padded with their number."""
    out, used = np.full((count, 8), len(tri)), np.zeros(count, int)
    for number, corners in enumerate(tri):
        for vertex in corners:
            out[vertex, used[vertex]] = number
            used[vertex] += 1
    return out


def unwrap_tables(mesh: FaceMesh) -> Tables:
    """What unwrap_1024_info.mat holds, of 32 texels a side and a few of them covered."""
    weights, vertices = np.zeros((32, 32, 3)), np.zeros((32, 32, 3))
    weights[8:24, 8:24] = (0.5, 0.25, 0.25)
    vertices[8:24, 8:24] = mesh.quads[0, :3]
    return {"uv_idx_bw": weights, "uv_idx_v_idx": vertices}


def realy_tables(mesh: FaceMesh) -> Tables:
    """What HIFI3D++.mat holds."""
    count = len(mesh.vertices)
    keypoints = np.arange(86)
    keypoints[list(realy.LANDMARKS_68)] = mesh.landmarks
    modes = REALY_UNIT * smooth_modes(mesh, IDENTITY, 1)
    shapes = REALY_UNIT * smooth_modes(mesh, EXPRESSION, 2)
    return {
        "mu_shape": REALY_UNIT * mesh.vertices.reshape(1, -1),
        "basis_shape": modes.reshape(IDENTITY, -1),
        "basis_exp": shapes.reshape(EXPRESSION, -1),
        "EVs": np.array([[9.0], [4.0], [1.0]]),
        "tri": _split(mesh.quads).astype(np.int32),
        "mask_face": np.ones((1, count)),
        "keypoints": keypoints[None],
        "vt_list": mesh.uv,
        "tri_vt": _split(mesh.uv_quads).astype(np.int32),
    }


def write_mat(path: Path, tables: Mapping[str, object], compressed: bool = True) -> Path:
    """A MATLAB file of version 5."""
    savemat(path, dict(tables), do_compression=compressed)
    return path
