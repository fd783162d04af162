"""Where skin ends and sockets and the mouth bag begin on a mesh: a shortest border."""

import numpy as np
import scipy.sparse as sparse
from scipy.sparse.csgraph import breadth_first_order, maximum_flow

from ..protocol.headpack import HeadPack
from .correspondence import Correspondence
from .islands import face_neighbours
from .mesh import HeadMesh
from .surface import SurfaceIndex

RINGS = 6
"""Of faces about the border that may change sides."""
NORMAL_WEIGHT = 0.004
SCALE = 1e9
"""Capacities are whole numbers: a millimetre of border is 1000."""
SURE = 0.003
"""Metres by which a face must be nearer to one side for this to be certain."""
STIFFNESS = 0.004
"""Metres: length of border that weighs as much as one square of itself a metre on the wrong side
per metre. Ours: lids have rows of faces one to three millimetres wide, and the border follows one
(five meshes looked at; with a quarter of it a lid of large faces kept jags)."""
_CERTAIN = 2**30


def cut_border(
    first: np.ndarray,
    second: np.ndarray,
    length: np.ndarray,
    lead: np.ndarray,
    area: np.ndarray,
) -> np.ndarray:
    """(n,) bool: faces that are inside, by a minimal cut (Greig, Porteous & Seheult 1989).

    first, second (m,): faces that share an edge of `length` (m,) metres. lead (n,) metres: how much
    nearer a face is to the inside than to the outside (negative: outside). area (n,) square metres.
    The border's length times STIFFNESS plus the area on the wrong side times its lead is least.
    """
    count = len(lead)
    source, sink = count, count + 1
    wrong = np.rint(SCALE * np.abs(lead) * area * 1e3).astype(np.int64)
    wrong = np.where(np.abs(lead) > SURE, _CERTAIN, np.minimum(wrong, _CERTAIN))
    border = np.rint(SCALE * STIFFNESS * length).astype(np.int64)
    number = np.arange(count)
    inside = lead > 0.0
    rows = np.concatenate([first, second, np.full(inside.sum(), source), number[~inside]])
    columns = np.concatenate([second, first, number[inside], np.full((~inside).sum(), sink)])
    values = np.concatenate([border, border, wrong[inside], wrong[~inside]]).astype(np.int32)
    graph = sparse.csr_matrix((values, (rows, columns)), shape=(count + 2,) * 2)
    flow = maximum_flow(graph, source, sink).flow
    left = graph - flow
    left.data = np.maximum(left.data, 0)
    left.eliminate_zeros()
    out = np.zeros(count + 2, dtype=bool)
    out[breadth_first_order(left, source, return_predecessors=False)] = True
    return out[:count]


def straight_borders(
    found: Correspondence,
    mesh: HeadMesh,
    template: HeadPack,
    rows: np.ndarray,
    island: np.ndarray,
    label: np.ndarray,
    among: np.ndarray,
) -> np.ndarray:
    """(F,) islands of the mesh's faces with short borders between skin and the rest.

    rows: the template's triangles of skin and sockets; island: of each of its triangles; label
    (F,): islands of the faces so far; among (F,) bool: faces that count.
    """
    skin = int(np.bincount(island[rows]).argmax())
    welded = mesh.welded[mesh.faces]
    near, edge = _about_the_border(welded, label != skin, among)
    faces = np.flatnonzero(near)
    if not len(faces):
        return label
    middles, normals = (values[faces] for values in face_middles(found, mesh))
    hits = []
    for inner in (True, False):
        own = rows[(island[rows] != skin) == inner]
        index = SurfaceIndex(found.template_vertices, template.triangles[own], NORMAL_WEIGHT)
        hit = index.closest(middles, normals)
        hits.append((hit.distance, island[own[hit.triangle]]))
    lead = hits[1][0] - hits[0][0]
    was_inside = label[faces] != skin
    lead = np.where(edge[faces], np.where(was_inside, 1.0, -1.0), lead)
    row_of = np.full(len(label), -1)
    row_of[faces] = np.arange(len(faces))
    first, second, ends = face_neighbours(welded, faces)
    points = found.mesh_vertices[ends]
    length = np.linalg.norm(points[:, 1] - points[:, 0], axis=1)
    corners = found.mesh_vertices[welded[faces]]
    across = np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1])
    area = 0.5 * np.linalg.norm(across, axis=1)
    inside = cut_border(row_of[first], row_of[second], length, lead, area)
    out = label.copy()
    out[faces[~inside]] = skin
    fresh = inside & ~was_inside
    out[faces[fresh]] = hits[0][1][fresh]
    return out


def _about_the_border(
    faces: np.ndarray, inner: np.ndarray, among: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Faces within RINGS of vertices that both sides share, and those of the last ring."""
    count = int(faces.max()) + 1
    sides = np.zeros((2, count), dtype=bool)
    for side in (0, 1):
        sides[side, faces[among & (inner == bool(side))]] = True
    touched = sides.all(axis=0)
    near = np.zeros(len(faces), dtype=bool)
    before = near
    for _ in range(RINGS):
        before = near
        near = among & touched[faces].any(axis=1)
        touched[faces[near]] = True
    return near, near & ~before


def face_middles(found: Correspondence, mesh: HeadMesh) -> tuple[np.ndarray, np.ndarray]:
    """Middles (F, 3) and unit normals (F, 3) of the mesh's faces in model space."""
    corners = found.mesh_vertices[mesh.faces]
    across = np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1])
    plain = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    is_triangle = (mesh.faces[:, 3] == mesh.faces[:, 2])[:, None]
    normals = np.where(is_triangle, plain, across)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-30)
    middles = np.where(is_triangle, corners[:, :3].mean(axis=1), corners.mean(axis=1))
    return middles, normals
