"""What the correspondence carries over: UVs and shapes."""

import numpy as np

from ..protocol.headpack import HeadPack
from .correspondence import Correspondence
from .island_cut import face_middles, straight_borders
from .islands import layout_labels, smooth_labels, stray_faces
from .mesh import HeadMesh
from .surface import SurfaceIndex, triangulate, vertex_normals
from .template import INNER_GROUPS, INNER_SHARE, SKIN
from .unfold import cut_mesh, unfold
from .warp import warp_between

JUMP = 0.2
"""UV between corners and the middle of a face beyond which the layout's cut lies between them.
Ours: faces span less than 0.1, the cut at the back of the head 0.6 and more."""
NORMAL_WEIGHT = 0.004
STRETCHED = 25.0
"""Ratio of UV lengths along and across a face from which it counts as stretched. Ours: the layout's
own lies below 20 beside lids and lips."""
INNER_TRUST = 0.1
"""Share of such distances that counts in sockets and the mouth bag, which are never laid on."""
STILL = 1e-6
"""Metres below which a vertex does not move with a shape."""


def transfer_uv(found: Correspondence, mesh: HeadMesh, template: HeadPack) -> np.ndarray:
    """(F, 4, 2) f32 corner UVs in the FFHQ-UV layout.

    Corners take the UV of their place on the default head. Where a face lies across the layout's
    cut, or a border of its islands, all its corners are put on the side on which its middle lies.
    Faces that are not of the skin, or off the default head, get the nearest UV: see `matched`.
    """
    if found.corner_uv is not None:
        return found.corner_uv
    rows = _skin_rows(template)
    uv_of = np.zeros((len(template.triangles), 3, 2))
    uv_of[rows] = template.triangle_uv[rows]
    label, island = layout_labels(template, rows)
    vertex_uv = np.einsum("vk,vkc->vc", found.barycentric, uv_of[found.triangle])
    middle, middle_uv = _middles(found, mesh, template, rows, uv_of)
    corner_uv = vertex_uv[mesh.faces]
    corner_island = island[found.triangle][mesh.faces]
    away = np.abs(corner_uv - middle_uv[:, None]).max(axis=2) > JUMP
    among, welded = face_matched(found, mesh), mesh.welded[mesh.faces]
    own_island = smooth_labels(welded, island[middle], among)
    skin = int(np.bincount(island[rows]).argmax())
    stray = stray_faces(welded, own_island, among, skin)
    own_island[stray] = skin
    own_island = straight_borders(found, mesh, template, rows, island, own_island, among & ~stray)
    own_label = 2 * own_island + label[middle] % 2
    own_label ^= ~np.isin(own_label, label[rows])  # sockets and halves of the bag have one side
    wrong = (away | (corner_island != own_island[:, None])).any(axis=1)
    normals = vertex_normals(found.mesh_vertices, mesh.welded[mesh.triangles])[mesh.welded]
    for value in np.unique(own_label[wrong]):
        own = rows[label[rows] == value]
        index = SurfaceIndex(found.template_vertices, template.triangles[own], NORMAL_WEIGHT)
        faces = np.flatnonzero(wrong & (own_label == value))
        corners, inverse = np.unique(mesh.faces[faces], return_inverse=True)
        hit = index.closest(found.mesh_vertices[corners], normals[corners])
        values = np.einsum("nk,nkc->nc", hit.barycentric, uv_of[own[hit.triangle]])
        corner_uv[faces] = values[inverse.reshape(-1)].reshape(len(faces), 4, 2)
    corner_uv = _without_folds(corner_uv, found, mesh, template, own_island, stray)
    return np.clip(corner_uv, 0.0, 1.0).astype(np.float32)


def _without_folds(
    corner_uv: np.ndarray,
    found: Correspondence,
    mesh: HeadMesh,
    template: HeadPack,
    island: np.ndarray,
    stray: np.ndarray,
) -> np.ndarray:
    """See `unfold.py`; stray (F,) bool: faces of which nothing is known. Faces that are not
    matched keep what they have."""
    faces = np.flatnonzero(face_matched(found, mesh))
    if not len(faces):
        return corner_uv
    corners = template.triangles[found.triangle]
    places = np.einsum("vk,vkc->vc", found.barycentric, found.template_vertices[corners])
    away = np.linalg.norm(places - found.mesh_vertices, axis=1)
    inner = np.maximum.reduce([template.groups[name] for name in INNER_GROUPS])
    away[inner[corners].mean(axis=1) > INNER_SHARE] *= INNER_TRUST
    welded = mesh.welded[mesh.faces[faces]]
    loose = found.filled[mesh.welded]
    loose[mesh.welded[mesh.faces[stray]]] = True
    cut = cut_mesh(welded, corner_uv[faces], island[faces], found.mesh_vertices, away, loose)
    out = corner_uv.copy()
    out[faces] = unfold(cut)[cut.faces]
    return out


def _skin_rows(template: HeadPack) -> np.ndarray:
    return np.flatnonzero(np.repeat(template.face_part == template.part_names.index(SKIN), 2))


def _middles(
    found: Correspondence,
    mesh: HeadMesh,
    template: HeadPack,
    rows: np.ndarray,
    uv_of: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Of each face the template's triangle under its middle, and the UV there."""
    middles, normals = face_middles(found, mesh)
    index = SurfaceIndex(found.template_vertices, template.triangles[rows], NORMAL_WEIGHT)
    hit = index.closest(middles, normals)
    triangle = rows[hit.triangle]
    return triangle, np.einsum("nk,nkc->nc", hit.barycentric, uv_of[triangle])


def face_matched(found: Correspondence, mesh: HeadMesh) -> np.ndarray:
    """(F,) bool: faces of the skin all of whose corners are matched."""
    return found.skin & found.matched[mesh.faces].all(axis=1)


def uv_faults(corner_uv: np.ndarray, found: Correspondence, mesh: HeadMesh) -> tuple[int, int]:
    """Matched faces whose UV is turned over, and those that are badly stretched."""
    faces = np.flatnonzero(face_matched(found, mesh))
    uv = triangulate_values(corner_uv[faces])
    points = found.mesh_vertices[triangulate(mesh.faces[faces])]
    a, b = uv[:, 1] - uv[:, 0], uv[:, 2] - uv[:, 0]
    area = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    first, second = points[:, 1] - points[:, 0], points[:, 2] - points[:, 0]
    real = np.linalg.norm(np.cross(first, second), axis=1) > 1e-12
    flipped = real & (area < 0.0)
    ratio = _stretch(first, second, a, b)
    bad = real & ~flipped & (ratio > STRETCHED)
    number = np.repeat(faces, 2)
    return len(np.unique(number[flipped])), len(np.unique(number[bad]))


def triangulate_values(values: np.ndarray) -> np.ndarray:
    """Per-corner values (F, 4, c) to (2 F, 3, c), as `surface.triangulate`."""
    both = np.stack([values[:, [0, 1, 2]], values[:, [0, 2, 3]]], axis=1)
    return both.reshape(-1, 3, *values.shape[2:])


def _stretch(first: np.ndarray, second: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Ratio of singular values of the map from triangles' planes to UV."""
    length = np.maximum(np.linalg.norm(first, axis=1), 1e-12)
    x = first / length[:, None]
    along = (second * x).sum(axis=1)
    up = np.sqrt(np.maximum((second**2).sum(axis=1) - along**2, 1e-18))
    u = a / length[:, None]
    v = (b - along[:, None] * u) / up[:, None]
    values = np.linalg.svd(np.stack([u, v], axis=-1), compute_uv=False)
    return values[:, 0] / np.maximum(values[:, 1], 1e-12)


def transfer_shapes(found: Correspondence, shapes: np.ndarray, template: HeadPack) -> np.ndarray:
    """(E, V, 3) f32 displacements of the mesh's vertices, metres in model space, 0 off the head.

    shapes (E, Vt, 3): displacements of the default head at rest, metres. A vertex moves to where
    the smooth map of space that takes the default head to the mesh (`warp.py`) takes the place to
    which the default head's vertex moves: a lid that closes there closes on the mesh, whose lids
    lie farther apart or nearer. To turn them into the mesh's own coordinates divide by the scale
    of `to_model` and turn back.
    """
    warp = warp_between(template, found.template_vertices)
    laid = np.zeros(shapes.shape, dtype=np.float32)
    rest = template.mean.astype(np.float64)
    base = np.full_like(rest, np.nan)
    skin = np.zeros(len(rest), dtype=bool)
    skin[np.unique(template.triangles[_skin_rows(template)])] = True
    for number, shape in enumerate(shapes):
        moving = np.flatnonzero(skin & (np.abs(shape).max(axis=1) > STILL))
        fresh = moving[np.isnan(base[moving, 0])]
        base[fresh] = warp.apply(rest[fresh])
        laid[number, moving] = warp.apply(rest[moving] + shape[moving]) - base[moving]
    corners = template.triangles[found.triangle]
    weights = found.barycentric * found.matched[:, None]
    return np.einsum("vk,evkc->evc", weights, laid[:, corners]).astype(np.float32)
