"""The patches of our control head that the layout keeps apart: skin, eye sockets, mouth bag."""

from dataclasses import dataclass

import numpy as np

from ...protocol.conventions import MIRROR
from ...register.islands import uv_islands
from ..build.makehuman import ControlHead
from ..build.subdivide import Subdivision, subdivide
from .rings import rings_around

SOCKET_FACES = 293
MOUTH_FACES = 398
"""Faces of MakeHuman's own UV islands for one eye socket and for the mouth bag."""
SOCKET_BANDS = 2
"""Bands of faces around that island that we add: the layout's socket begins at the inner edge
of the lid margin and holds the caruncle; two bands lie there on MakeHuman's head."""


@dataclass(frozen=True)
class HeadPatches:
    """Skin of the control head, symmetric (metres).

    vertices (n, 3): where subdivision puts the control vertices; quads (F, 4); mirror (n,);
    source_ids (n,) hm08; socket_left, socket_right, mouth (F,) bool; fine: the subdivision;
    fine_vertices (m, 3).
    """

    vertices: np.ndarray
    quads: np.ndarray
    mirror: np.ndarray
    source_ids: np.ndarray
    socket_left: np.ndarray
    socket_right: np.ndarray
    mouth: np.ndarray
    fine: Subdivision
    fine_vertices: np.ndarray

    @property
    def outside(self) -> np.ndarray:
        """(F,) bool: skin that is neither socket nor mouth bag."""
        return ~(self.socket_left | self.socket_right | self.mouth)


def head_patches(control: ControlHead, vertices: np.ndarray) -> HeadPatches:
    """Patches of `control` with positions `vertices` (V0, 3), made exactly symmetric."""
    quads = control.quads[control.face_part == 0]
    count = int(quads.max()) + 1
    mirror = control.mirror[:count]
    reflected = vertices[:count][mirror] * MIRROR
    symmetric = 0.5 * (vertices[:count] + reflected)
    fine = subdivide(quads, count)
    fine_vertices = fine.apply(symmetric)

    island = uv_islands(_uv_indices(control.corner_uv[control.face_part == 0]))
    size = np.bincount(island)[island]
    left = symmetric[quads].mean(axis=1)[:, 0] > 0.0
    socket = size == SOCKET_FACES
    return HeadPatches(
        vertices=fine_vertices[:count],
        quads=quads,
        mirror=mirror,
        source_ids=control.source_ids[:count],
        socket_left=_grow(quads, socket & left),
        socket_right=_grow(quads, socket & ~left),
        mouth=size == MOUTH_FACES,
        fine=fine,
        fine_vertices=fine_vertices,
    )


def _uv_indices(corner_uv: np.ndarray) -> np.ndarray:
    """(F, 4) indices of equal UV corners (F, 4, 2), told apart to 1e-6."""
    rounded = np.rint(corner_uv.reshape(-1, 2) * 1e6).astype(np.int64)
    inverse = np.unique(rounded, axis=0, return_inverse=True)[1]
    return inverse.reshape(-1, 4)


def _grow(quads: np.ndarray, core: np.ndarray) -> np.ndarray:
    """The patch and SOCKET_BANDS bands of faces around it."""
    rings = rings_around(quads, core, SOCKET_BANDS)
    inside = np.union1d(np.unique(quads[core]), np.concatenate(rings[1:]))
    return np.isin(quads, inside).all(axis=1)
