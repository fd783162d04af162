"""The HIFI3D template: the mesh that carries the FFHQ-UV layout."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from ...register.islands import uv_islands
from ..heads.files.obj import read_obj

ISLANDS = 5
"""Skin, two eye sockets, two halves of the mouth bag."""


@dataclass(frozen=True)
class Template:
    """vertices (V, 3), template units, +x the subject's left; quads (F, 4); uv (T, 2);
    uv_quads (F, 4); skin (F,) bool: the main island; socket_left (F,) bool: the subject's left
    eye socket; mouth (F,) bool: the mouth bag; mirror (V,): mirrored vertex."""

    vertices: np.ndarray
    quads: np.ndarray
    uv: np.ndarray
    uv_quads: np.ndarray
    skin: np.ndarray
    socket_left: np.ndarray
    mouth: np.ndarray
    mirror: np.ndarray


def load_template(path: Path) -> Template:
    """Read HIFI3D.obj and tell its UV islands apart by size and place.

    Raises ValueError when the file has not the five islands of that template.
    """
    mesh = read_obj(path)
    island = uv_islands(mesh.uv_faces)
    size = np.bincount(island)
    if len(size) != ISLANDS:
        raise ValueError(f"expected {ISLANDS} UV islands in {path.name}, found {len(size)}")
    order = np.argsort(size)  # two sockets, two bag halves, the skin
    centre_x = mesh.vertices[mesh.faces].mean(axis=1)[:, 0]
    sockets = np.isin(island, order[:2])
    reflected = mesh.vertices * np.array([-1.0, 1.0, 1.0])
    return Template(
        vertices=mesh.vertices,
        quads=mesh.faces,
        uv=mesh.uv,
        uv_quads=mesh.uv_faces,
        skin=island == order[4],
        socket_left=sockets & (centre_x > 0.0),
        mouth=np.isin(island, order[2:4]),
        mirror=cKDTree(mesh.vertices).query(reflected)[1],
    )


def corner_values(quads: np.ndarray, uv_quads: np.ndarray, uv: np.ndarray) -> dict[int, np.ndarray]:
    """Vertex id -> UV (2,) inside one patch without inner seams (the last corner wins)."""
    return dict(zip(quads.ravel().tolist(), uv[uv_quads.ravel()], strict=True))
