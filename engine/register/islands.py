"""Islands of the FFHQ-UV layout: skin, two eye sockets, two halves of the mouth bag."""

import numpy as np
import scipy.sparse as sparse
from scipy.sparse.csgraph import connected_components

from ..protocol.headpack import HeadPack

VOTES, OWN_VOTE = 4, 1.5
"""Rounds in which faces vote on islands, and the weight of a face's own vote."""
STRAY = 0.5
"""Share of an island's largest connected set of faces below which others are not of it. Ours: deep
nostrils come near the mouth bag, ear canals near sockets."""


def uv_islands(uv_faces: np.ndarray) -> np.ndarray:
    """(F,) label of the UV island of each face, from UV indices (F, n)."""
    flat = uv_faces.ravel()
    following = np.roll(uv_faces, -1, axis=1).ravel()
    count = int(flat.max()) + 1
    links = sparse.coo_matrix((np.ones(len(flat)), (flat, following)), shape=(count, count))
    return connected_components(links, directed=False)[1][uv_faces[:, 0]]


def layout_labels(template: HeadPack, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each triangle: twice its island, plus one on the subject's left; its island alone (-1
    where none). rows: the triangles of the skin."""
    quads = np.unique(rows // 2)
    flat = np.rint(template.corner_uv[quads].reshape(-1, 2).astype(np.float64) * 1e6)
    names = np.unique(flat.astype(np.int64), axis=0, return_inverse=True)[1].reshape(-1, 4)
    islands = uv_islands(names)
    island = np.full(len(template.triangles), -1)
    island[2 * quads] = island[2 * quads + 1] = islands
    left = template.mean[template.triangles].mean(axis=1)[:, 0] > 0.0
    return 2 * island + left, island


def face_neighbours(
    faces: np.ndarray, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of faces (m,), (m,), of `rows`, that share an edge, and its ends (m, 2).

    faces (F, 4) over welded vertices.
    """
    pairs = np.stack([faces[rows], np.roll(faces[rows], -1, axis=1)], axis=-1)
    number = np.repeat(rows, 4)
    pairs = np.sort(pairs.reshape(-1, 2), axis=1)
    real = pairs[:, 0] != pairs[:, 1]
    pairs, number = pairs[real], number[real]
    order = np.lexsort(pairs.T)
    same = (pairs[order[1:]] == pairs[order[:-1]]).all(axis=1)
    return number[order[:-1]][same], number[order[1:]][same], pairs[order[1:]][same]


def stray_faces(faces: np.ndarray, island: np.ndarray, among: np.ndarray, skin: int) -> np.ndarray:
    """(F,) bool: faces in small sets apart from the rest of their island, the skin's excepted.

    faces (F, 4) over welded vertices; island (F,); among (F,) bool: faces that count.
    """
    rows = np.flatnonzero(among & (island != skin))
    first, second, _ = face_neighbours(faces, rows)
    kept = island[first] == island[second]
    ends = first[kept], second[kept]
    count = len(faces)
    links = sparse.coo_matrix((np.ones(kept.sum()), ends), shape=(count, count))
    label = connected_components(links, directed=False)[1]
    size = np.bincount(label[rows], minlength=count)[label]
    out = np.zeros(count, dtype=bool)
    for value in np.unique(island[rows]):
        own = rows[island[rows] == value]
        out[own] = size[own] < STRAY * size[own].max()
    return out


def smooth_labels(faces: np.ndarray, label: np.ndarray, among: np.ndarray) -> np.ndarray:
    """(F,) labels after rounds of majority vote between faces that share an edge.

    faces (F, 4) over welded vertices; among (F,) bool: those that vote and change.
    """
    rows = np.flatnonzero(among)
    first, second, _ = face_neighbours(faces, rows)
    values = np.unique(label[rows])
    out = label.copy()
    for _ in range(VOTES):
        count = np.zeros((len(label), len(values)))
        for k, value in enumerate(values):
            np.add.at(count[:, k], first, out[second] == value)
            np.add.at(count[:, k], second, out[first] == value)
            count[:, k] += OWN_VOTE * (out == value)
        out[rows] = values[count[rows].argmax(axis=1)]
    return out
