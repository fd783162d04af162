"""Groups, masks, landmarks and mirror pairs of a completed head."""

from collections.abc import Sequence

import cv2
import numpy as np
from scipy.spatial import cKDTree

from ...protocol.conventions import BYTE_MAX, MIRROR, unit_to_bytes, uv_to_pixels
from ...protocol.headpack import HeadPack, LandmarkEmbedding
from ..build.parts import MASK_SIZE, SUPERSAMPLING
from .match import HeadMatch, spread
from .places import LayoutIndex
from .source import HeadSource

MIRROR_REACH = 0.0005
"""Metres between a vertex and the image of another one for them to be a pair."""
_SHIFT = 4
"""Fraction bits of OpenCV's polygon corners."""
NOT_REGIONS = ("mouth", "sockets")
OWN_MASKS = ("skin", "mouth", "sockets")
"""Masks that tell where the layout is filled; the others are places of the layout itself."""


def head_groups(
    source: HeadSource,
    match: HeadMatch,
    template: HeadPack,
    faces: np.ndarray,
    face_part: np.ndarray,
    part_names: Sequence[str],
) -> dict[str, np.ndarray]:
    """Group name -> (V,) f32 in [0, 1] over all vertices: the template's groups, and one for each
    further part. faces, face_part: of the joined mesh, the source's vertices first."""
    count = int(faces.max()) + 1
    own = len(source.mean)
    regions = [n for n in template.groups if n not in (*part_names, *NOT_REGIONS)]
    values = np.stack([template.groups[name] for name in regions], axis=1)
    values = match.to_template @ values.astype(np.float64)
    values = spread(values, match.matched, source.faces[match.skin])
    inside = {name: _share(source.faces, chosen, own) for name, chosen in _inner(match).items()}
    # The template's groups end at its own sockets and mouth; what was made smooth must do so too.
    kept = np.where(match.matched, 1.0, 1.0 - np.maximum(*inside.values()))
    out: dict[str, np.ndarray] = {}
    for name in (*template.groups, *(n for n in part_names if n not in template.groups)):
        group = np.zeros(count, np.float32)
        if name in part_names:
            group[np.unique(faces[face_part == part_names.index(name)])] = 1.0
        elif name in inside:
            group[:own] = inside[name]
        else:
            column = np.clip(values[:, regions.index(name)], 0.0, 1.0)
            group[:own] = column * kept
        out[name] = group
    return out


def _inner(match: HeadMatch) -> dict[str, np.ndarray]:
    return {"mouth": match.inner & ~match.sockets, "sockets": match.sockets}


def _share(faces: np.ndarray, chosen: np.ndarray, count: int) -> np.ndarray:
    """(V,) share of the corners at each vertex that belong to the chosen faces."""
    total = np.bincount(faces.ravel(), minlength=count)
    some = np.bincount(faces[chosen].ravel(), minlength=count)
    return some / np.maximum(total, 1)


def head_masks(
    source: HeadSource, corner_uv: np.ndarray, match: HeadMatch, template: HeadPack
) -> np.ndarray:
    """(M, 512, 512) u8: the template's masks, which are places of the layout, where this head's
    skin is; what is skin, socket and mouth bag is its own."""
    filled = {"skin": match.skin, **_inner(match)}
    drawn = {name: _coverage(corner_uv[faces]) for name, faces in filled.items()}
    layers = []
    for name, mask in template.uv_masks.items():
        layer = drawn[name] if name in OWN_MASKS else unit_to_bytes(mask)
        layers.append(np.minimum(layer, drawn["skin"]))
    return np.stack(layers)


def _coverage(corner_uv: np.ndarray) -> np.ndarray:
    """(512, 512) u8: the share of each texel that the faces (F, 4, 2) cover."""
    wide = MASK_SIZE * SUPERSAMPLING
    canvas = np.zeros((wide, wide), np.uint8)
    points = np.rint(uv_to_pixels(corner_uv, wide, wide) * (1 << _SHIFT)).astype(np.int32)
    for face in points:
        cv2.fillConvexPoly(canvas, face, int(BYTE_MAX), shift=_SHIFT)
    return cv2.resize(canvas, (MASK_SIZE, MASK_SIZE), interpolation=cv2.INTER_AREA)


def head_landmarks(
    source: HeadSource, corner_uv: np.ndarray, match: HeadMatch, template: HeadPack
) -> dict[str, np.ndarray]:
    """The landmark arrays of head.safetensors: the template's points at their places in the layout;
    the model's own 68 where it brings them."""
    index = LayoutIndex(corner_uv, match.skin & ~match.inner)
    out: dict[str, np.ndarray] = {}
    for name, marks in (
        ("landmarks468", template.landmarks468),
        ("landmarks68", template.landmarks68),
    ):
        corners = template.triangle_uv[marks.triangles]
        places = index.locate(np.einsum("nk,nkc->nc", marks.barycentric, corners))
        out[f"{name}_triangles"] = places.triangle.astype(np.int32)
        out[f"{name}_barycentric"] = places.barycentric.astype(np.float32)
        out[f"{name}_weight"] = _trust(marks, places.distance)
    if source.landmarks68 is not None:
        triangles, barycentric = _corners_of(source, match, source.landmarks68)
        out["landmarks68_triangles"], out["landmarks68_barycentric"] = triangles, barycentric
        out["landmarks68_weight"] = template.landmarks68.weight.astype(np.float32)
    if template.landmarks468.turn is not None:
        out["landmarks468_turn"] = template.landmarks468.turn.astype(np.float32)
    return out


LOST = 0.01
"""UV distance from which a landmark is not on the head: 1 cm and more."""


def _trust(marks: LandmarkEmbedding, distance: np.ndarray) -> np.ndarray:
    return np.where(distance < LOST, marks.weight, 0.0).astype(np.float32)


def _corners_of(
    source: HeadSource, match: HeadMatch, vertices: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Triangles (n,) i32 and one-hot barycentric (n, 3) f32 of vertices of the skin."""
    skin = np.flatnonzero(match.skin)
    first = {}
    for face, corners in zip(skin.tolist(), source.faces[skin].tolist(), strict=True):
        for corner, vertex in enumerate(corners):
            first.setdefault(vertex, (face, corner))
    # Corners 0, 1, 2 are those of a face's first triangle, 3 is the last one of its second.
    places = [first[vertex] for vertex in vertices.tolist()]
    triangles = [2 * face + (corner == 3) for face, corner in places]
    weights = [np.eye(3)[min(corner, 2)] for _, corner in places]
    return np.array(triangles, np.int32), np.array(weights, np.float32)


def mirror_pairs(
    mean: np.ndarray, faces: np.ndarray, face_part: np.ndarray, part_names: Sequence[str]
) -> np.ndarray:
    """(V,) i32 involution: the vertex that lies where the mirror image of this one is, in the same
    part or its twin; a vertex without one is its own."""
    out = np.arange(len(mean), dtype=np.int32)
    reflected = mean * MIRROR
    for number, name in enumerate(part_names):
        twin = _twin(name)
        if twin not in part_names or name > twin:
            continue
        ours = np.unique(faces[face_part == number])
        theirs = np.unique(faces[face_part == part_names.index(twin)])
        if not len(ours) or not len(theirs):
            continue
        distance, there = cKDTree(mean[theirs]).query(reflected[ours])
        back = cKDTree(reflected[ours]).query(mean[theirs])[1]
        mutual = (distance < MIRROR_REACH) & (back[there] == np.arange(len(ours)))
        out[ours[mutual]] = theirs[there[mutual]]
        out[theirs[there[mutual]]] = ours[mutual]
    unpaired = out[out] != np.arange(len(out))
    out[unpaired] = np.flatnonzero(unpaired)
    return out


def _twin(name: str) -> str:
    sides = {"_left": "_right", "_right": "_left"}
    for side, other in sides.items():
        if name.endswith(side):
            return name.removesuffix(side) + other
    return name
