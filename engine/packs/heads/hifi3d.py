"""The topology that both files of HiFi3D++ share: what must hold in it, and how it becomes ours.

20,481 vertices in one piece, 20,416 quads that are released as 40,832 triangles (two of a quad
follow each other), 20,792 UVs: skin, two eye sockets and two halves of the mouth bag are islands.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from ...protocol.pack_manifest import PackPart
from .files.mat import MatFile
from .source import SKIN, HeadSource, source_error

VERSION = "1.0.0"
"""Of the packs that both files become."""
LICENCE = "research and other non-commercial use only; the terms of the HiFi3D++ authors apply"
MIRRORED_68 = (
    *range(16, -1, -1),
    *range(26, 16, -1),
    *range(27, 31),
    *range(35, 30, -1),
    *(45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40),
    *(54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55),
    *(64, 63, 62, 61, 60, 67, 66, 65),
)
"""The landmark on the other side of the face, of the 68 (iBUG 300-W)."""
CHIN, NOSE_TIP, NOSE_BRIDGE, RIGHT_EYE, LEFT_EYE = 8, 30, 27, 36, 45
MOST_ASYMMETRY = 0.02
"""Of the head's size, by nine in ten landmarks of the mean. Ours: a mean head has 0.005; numbers
that are off by one give 0.04 and more."""
_SHARE = 90


@dataclass(frozen=True)
class Sizes:
    """How many of everything a file holds; the defaults are those of the released files."""

    vertices: int = 20481
    triangles: int = 40832
    uv_points: int = 20792


@dataclass(frozen=True, eq=False)
class Topology:
    """faces (F, 4) i32 and corner_uv (F, 4, 2) f32 of the quads; inner (F,) bool: sockets and
    mouth bag; island (F,) i32: number of the UV island of each face, 0 the skin."""

    faces: np.ndarray
    corner_uv: np.ndarray
    inner: np.ndarray
    island: np.ndarray


def find_files(paths: Sequence[Path], names: Sequence[str]) -> dict[str, Path]:
    """Files of these names among `paths` and inside those of them that are folders, at any depth;
    a file that is given itself counts for the first name. Missing ones are left out."""
    found: dict[str, Path] = {}
    for path in map(Path, paths):
        if path.is_dir():
            for name in names:
                inside = sorted(path.rglob(name), key=lambda one: len(one.parts))
                if inside:
                    found.setdefault(name, inside[0])
        else:
            found[path.name if path.name in names else names[0]] = path
    return found


def read_topology(mat: MatFile, keys: tuple[str, str], first: int, sizes: Sizes) -> Topology:
    """Faces of the whole head. keys: of the triangles and of their UV points, counted from
    `first`; vt_list holds the UVs. Raises EngineError(PACK_INVALID)."""
    shape = (sizes.triangles, 3)
    triangles = mat.indices(keys[0], shape, first, sizes.vertices - 1 + first)
    corners = mat.indices(keys[1], shape, first, sizes.uv_points - 1 + first)
    uv = mat.numbers("vt_list", (sizes.uv_points, 2))
    if uv.min() < 0.0 or uv.max() > 1.0:
        raise mat.refuse("vt_list", "UVs from 0 to 1", f"{uv.min():g} to {uv.max():g}")
    owner = np.full(sizes.uv_points, -1)
    owner[corners.ravel()] = triangles.ravel()
    if (owner[corners] != triangles).any():
        expected = f"each UV point at one vertex of {keys[0]}"
        raise mat.refuse(keys[1], expected, "some at several")
    if len(np.unique(triangles)) != sizes.vertices:
        raise mat.refuse(keys[0], "every vertex in a triangle", "some in none")
    faces, uv_faces = quads_of(triangles, corners)
    island = uv_islands(uv_faces, sizes.uv_points)
    return Topology(faces, uv[uv_faces], island > 0, island)


def quads_of(triangles: np.ndarray, corners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Vertices and UV points of faces (F, 4) i32 from those of triangles (T, 3).

    Triangles (a, b, c) and (a, c, d) that follow each other, with equal UV points along their
    common edge, are a quad; any other triangle is a face that repeats its last corner.
    """
    both = np.stack([triangles, corners], axis=-1)
    fits = (both[:-1, 0] == both[1:, 0]) & (both[:-1, 2] == both[1:, 1])
    fits = fits.all(axis=-1)
    faces, at = [], 0
    while at < len(both):
        joined = at < len(fits) and bool(fits[at])
        last = both[at + 1, 2] if joined else both[at, 2]
        faces.append(np.concatenate([both[at], last[None]]))
        at += 2 if joined else 1
    made = np.stack(faces).astype(np.int32)
    return np.ascontiguousarray(made[..., 0]), np.ascontiguousarray(made[..., 1])


def uv_islands(uv_faces: np.ndarray, count: int) -> np.ndarray:
    """(F,) i32: the UV island of each face (F, 4), numbered by falling size."""
    ends = np.roll(uv_faces, -1, axis=1)
    edges = coo_matrix(
        (np.ones(uv_faces.size, bool), (uv_faces.ravel(), ends.ravel())), (count, count)
    )
    _, label = connected_components(edges, directed=False)
    face_label = label[uv_faces[:, 0]]
    names, sizes = np.unique(face_label, return_counts=True)
    rank = np.empty(names.max() + 1, np.int32)
    rank[names[np.argsort(-sizes, kind="stable")]] = np.arange(len(names))
    return rank[face_label]


def check_landmarks(mat: MatFile, key: str, mean: np.ndarray, landmarks: np.ndarray) -> None:
    """That the 68 vertices are a face that looks along +z, its left at +x, and that both its
    sides agree, by which numbers off by one are found. mean (V, 3).

    Raises EngineError(PACK_INVALID).
    """
    points = mean[landmarks].astype(np.float64)
    upright = points[CHIN, 1] < points[NOSE_TIP, 1] < points[NOSE_BRIDGE, 1]
    facing = points[NOSE_TIP, 2] > points[[RIGHT_EYE, LEFT_EYE], 2].max()
    sided = points[RIGHT_EYE, 0] < points[NOSE_TIP, 0] < points[LEFT_EYE, 0]
    if not (upright and facing and sided):
        expected = "landmarks of a face with +x to its left, +y up and +z out of it"
        raise mat.refuse(key, expected, "others (of another model, or other axes)")
    other = points[list(MIRRORED_68)] * (-1.0, 1.0, 1.0)
    middle = 0.5 * (points - other).mean(axis=0)[0]
    other[:, 0] += 2.0 * middle
    apart = np.linalg.norm(points - other, axis=1) / np.ptp(mean, axis=0).max()
    worst = float(np.percentile(apart, _SHARE))
    if worst > MOST_ASYMMETRY:
        expected = f"both sides of the face alike to {MOST_ASYMMETRY:.0%} of the head"
        raise mat.refuse(key, expected, f"{worst:.1%} (vertex numbers off by one?)")


def check_size(name: str, key: str, mean: np.ndarray, unit: str, low: float, high: float) -> None:
    """The longest side of the mean (V, 3), in the file's own unit: catches other units.

    Raises EngineError(PACK_INVALID).
    """
    size = float(np.ptp(mean, axis=0).max())
    if not low <= size <= high:
        raise source_error(name, key, f"a head of {low:g} to {high:g} {unit}", f"{size:.4g}")


def skin_source(
    id: str,
    part: PackPart,
    shapes: tuple[np.ndarray, np.ndarray, np.ndarray],
    expression_names: tuple[str, ...],
    topology: Topology,
    landmarks: np.ndarray,
) -> HeadSource:
    """What both files hold: a head of skin alone. shapes: mean (V, 3), identity (K, V, 3) and
    expression (E, V, 3) f32 metres; landmarks (68,) vertices."""
    mean, identity, expression = shapes
    return HeadSource(
        id=id,
        version=VERSION,
        parts=(part,),
        mean=mean,
        identity=identity,
        expression=expression,
        expression_names=expression_names,
        faces=topology.faces,
        face_part=np.zeros(len(topology.faces), np.uint8),
        part_names=(SKIN,),
        corner_uv=topology.corner_uv,
        inner=topology.inner,
        landmarks68=landmarks.astype(np.int32),
    )
