"""A head model matched with the template (the default head): who is where on whom."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse
from scipy.sparse.linalg import splu

from ...protocol.headpack import HeadPack, split_quads
from ...register.registration import Similarity, fit_similarity
from .places import LayoutIndex, vertex_uv, within
from .source import SKIN, HeadSource

REACH = 0.004
"""UV distance up to which a vertex beside the other's layout still has its place: 4 texels of a
1024 map, half a vertex spacing at the lids and lips."""
RIM_SHARE = 0.25
"""The groups of sockets and mouth are 1 inside, about 1/2 at their rims, 0 beyond."""
FACE = 0.5
"""Share of the template's group `face` from which a vertex is of the face."""


@dataclass(frozen=True, eq=False)
class HeadMatch:
    """to_source (Vt, V) sparse: fields on the source's vertices to the template's; rows of template
    vertices that have no place are empty, which is where `seen` (Vt,) bool is False.
    to_template (V, Vt) likewise, `matched` (V,) bool. skin (F,) bool: the source's faces of skin.
    inner (F,) bool: those of sockets and mouth bag, `sockets` (F,) bool the first of them.
    face: similarity from the template's face to the source's mean, metres."""

    to_source: sparse.csr_matrix
    seen: np.ndarray
    to_template: sparse.csr_matrix
    matched: np.ndarray
    skin: np.ndarray
    inner: np.ndarray
    sockets: np.ndarray
    face: Similarity


def match_heads(source: HeadSource, corner_uv: np.ndarray, template: HeadPack) -> HeadMatch:
    """Match by the layout. corner_uv (F, 4, 2): FFHQ-UV of the source's skin."""
    skin = source.face_part == source.part_names.index(SKIN)
    own = template.face_part == template.part_names.index(SKIN)
    count, their_count = len(source.mean), len(template.mean)
    their_index = LayoutIndex(template.corner_uv, own)
    on_template = their_index.locate(vertex_uv(source.faces, corner_uv, skin, count))
    on_source = LayoutIndex(corner_uv, skin).locate(
        vertex_uv(template.quads, template.corner_uv, own, their_count)
    )
    on_template, on_source = within(on_template, REACH), within(on_source, REACH)
    to_source = on_source.operator(split_quads(source.faces), count)
    seen = np.isfinite(on_source.distance)
    face = seen & (template.groups["face"] > FACE)
    laid = to_source[face] @ source.mean.astype(np.float64)
    if source.inner is None:
        sockets, mouth = _islands(corner_uv, skin, template, their_index)
    else:
        sockets, mouth = _holes(source, skin, to_source, seen, template)
    return HeadMatch(
        to_source,
        seen,
        on_template.operator(template.triangles, their_count),
        np.isfinite(on_template.distance),
        skin,
        sockets | mouth,
        sockets,
        fit_similarity(template.mean[face].astype(np.float64), laid),
    )


def _islands(
    corner_uv: np.ndarray, skin: np.ndarray, template: HeadPack, index: LayoutIndex
) -> tuple[np.ndarray, np.ndarray]:
    """Faces of sockets and mouth bag, (F,) bool each: those that lie on the template's in
    the layout, where they are islands of their own. index: of the template."""
    places = within(index.locate(corner_uv[skin].mean(axis=1)), REACH)
    out = []
    for name in ("sockets", "mouth"):
        theirs = template.groups[name][template.quads].min(axis=1) > RIM_SHARE
        chosen = np.zeros(len(skin), bool)
        chosen[skin] = theirs[places.triangle // 2] & np.isfinite(places.distance)
        out.append(chosen)
    return out[0], out[1]


def _holes(
    source: HeadSource,
    skin: np.ndarray,
    to_source: sparse.csr_matrix,
    seen: np.ndarray,
    template: HeadPack,
) -> tuple[np.ndarray, np.ndarray]:
    """The same of a source that knows its inner faces: those nearer to lids are of the sockets."""
    mean = source.mean.astype(np.float64)
    spots = []
    for name in ("lips", "eyelids_left", "eyelids_right"):
        members = seen & (template.groups[name] > FACE)
        spots.append((to_source[members] @ mean).mean(axis=0))
    middle = mean[source.faces].mean(axis=1)
    away = np.linalg.norm(middle[:, None] - np.array(spots), axis=-1)
    known = skin & source.inner
    sockets = known & (away.argmin(axis=1) > 0)
    return sockets, known & ~sockets


def spread(values: np.ndarray, known: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Values (V, C) with those of unknown vertices, `known` (V,) bool, made smooth: each the mean
    of its neighbours along the edges of faces (F, 4). Pieces with no known vertex get 0."""
    ends = np.stack([faces, np.roll(faces, -1, axis=1)], axis=-1).reshape(-1, 2)
    ends = ends[ends[:, 0] != ends[:, 1]]
    rows, columns = np.concatenate([ends, ends[:, ::-1]]).T
    count = len(values)
    links = sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(count, count))
    links.data[:] = 1.0
    laplacian = sparse.diags(np.asarray(links.sum(axis=1)).ravel() + 1e-9) - links
    free = ~known
    if not free.any():
        return values
    right = -(laplacian[free][:, known] @ values[known])
    out = values.copy()
    out[free] = splu(laplacian[free][:, free].tocsc()).solve(np.asarray(right))
    return out
