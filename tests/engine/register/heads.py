"""The default head as a mesh from outside: other units and axes, other shape, other faces."""

from functools import cache
from pathlib import Path

import numpy as np

from engine.nets.bundle import Nets, load_nets
from engine.protocol.headpack import HeadPack, read_pack
from engine.register.correspondence import Correspondence, MeshLandmarks
from engine.register.mesh import HeadMesh
from engine.register.registration import Similarity

Z_UP = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
"""Model axes to z up, looking along -y."""


@cache
def load_head(folder: Path) -> tuple[HeadPack, Nets]:
    return read_pack(folder).head, load_nets(folder)


def skin_quads(head: HeadPack) -> np.ndarray:
    return head.quads[head.face_part == head.part_names.index("skin")]


def warped(points: np.ndarray) -> np.ndarray:
    """A smooth change of form by up to 4 mm, symmetric to nothing."""
    x, y, z = points.T
    shift = [
        0.003 * np.sin(25.0 * y + 1.0),
        0.004 * np.sin(20.0 * x + 10.0 * z),
        0.003 * np.cos(30.0 * y - 15.0 * x),
    ]
    return points + np.stack(shift, axis=1)


def outside_mesh(head: HeadPack, vertices: np.ndarray) -> tuple[HeadMesh, np.ndarray]:
    """The skin of the head at `vertices` (Vt, 3) as triangles over a mixed half of the quads, in
    centimetres with z up; and of each vertex the head's vertex."""
    quads = skin_quads(head)
    used = np.unique(quads)
    rows = np.full(len(vertices), -1)
    rows[used] = np.arange(len(used))
    faces = rows[quads]
    some = np.arange(len(faces)) % 3 == 0
    halves = np.concatenate([faces[some][:, [0, 1, 2, 2]], faces[some][:, [0, 2, 3, 3]]])
    faces = np.concatenate([faces[~some], halves]).astype(np.int32)
    own = 100.0 * vertices[used].astype(np.float64) @ Z_UP.T + np.array([3.0, -2.0, 150.0])
    return HeadMesh(own, faces, None, "outside"), used


def as_it_is(head: HeadPack) -> tuple[HeadMesh, Correspondence]:
    """The head's own skin, each vertex on itself."""
    quads = skin_quads(head)
    vertices = head.mean.astype(np.float64)
    rows = np.flatnonzero(np.repeat(head.face_part == head.part_names.index("skin"), 2))
    triangle = np.zeros(len(vertices), dtype=np.int32)
    barycentric = np.zeros((len(vertices), 3))
    for corner in range(3):
        members = head.triangles[rows, corner]
        triangle[members] = rows
        barycentric[members] = np.eye(3)[corner]
    skin = np.zeros(len(vertices), dtype=bool)
    skin[np.unique(quads)] = True
    barycentric[~skin] = [1.0, 0.0, 0.0]
    triangle[~skin] = rows[0]
    marks = MeshLandmarks(np.zeros(0, np.int32), np.zeros((0, 3)), np.zeros(0))
    found = Correspondence(
        Similarity(1.0, np.eye(3), np.zeros(3)),
        vertices,
        vertices,
        triangle,
        barycentric,
        skin,
        np.zeros(len(vertices), dtype=bool),
        np.ones(len(quads), dtype=bool),
        np.zeros(len(head.identity) + len(head.expression)),
        marks,
        marks,
    )
    return HeadMesh(vertices, quads, None, "itself"), found
