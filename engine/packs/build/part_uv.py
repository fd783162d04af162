"""UVs of the parts that are not skin: each in a [0, 1] tile (and material) of its own."""

from itertools import pairwise

import numpy as np

from ...protocol.teeth import arch_uv
from .eyeball import eyeball_uv
from .makehuman import EYES, PART_NAMES, ControlHead
from .topology import boundary_loops, edge_table, face_pieces

TEETH = ("teeth_upper", "teeth_lower")
LASHES = ("lashes_left", "lashes_right")
_TILE_MARGIN = 0.02


def control_uv(head: ControlHead, skin_uv: np.ndarray) -> np.ndarray:
    """(F0, 4, 2) corner UVs of all parts. skin_uv (F0skin, 4, 2) is taken as it is.

    Lashes: u from the inner to the outer corner of the eye, v from the root to the tip, the
    upper lashes in the upper half of the tile. Tongue: MakeHuman's own layout, blown up to the
    tile. Eyes and teeth: zeros; `set_fine_uv` fills them after subdivision.
    """
    uv = head.corner_uv.copy()
    uv[head.face_part == 0] = skin_uv
    for number, name in enumerate(PART_NAMES[1:], start=1):
        chosen = head.face_part == number
        if name in (*EYES, *TEETH):
            uv[chosen] = 0.0
        elif name in LASHES:
            uv[chosen] = _lash_uv(head, chosen)
        else:
            uv[chosen] = _fill_tile(uv[chosen])
    return uv


def _fill_tile(uv: np.ndarray) -> np.ndarray:
    low, high = uv.min(axis=(0, 1)), uv.max(axis=(0, 1))
    return _TILE_MARGIN + (1.0 - 2.0 * _TILE_MARGIN) * (uv - low) / (high - low)


def _lash_uv(head: ControlHead, chosen: np.ndarray) -> np.ndarray:
    """Corner UVs (f, 4, 2) of the two strips of one eye."""
    quads = head.quads[chosen]
    piece = face_pieces(quads, [])
    labels = np.unique(piece)
    heights = [head.vertices[quads[piece == label], 1].mean() for label in labels]
    out = np.empty((*quads.shape, 2))
    eye = _eye_centre(head, quads)
    for label, height in zip(labels, heights, strict=True):
        strip = quads[piece == label]
        across, along = strip_coordinates(strip, head.vertices, eye)
        upper = height == max(heights)
        out[piece == label, :, 0] = across
        out[piece == label, :, 1] = 0.5 * along + (0.5 if upper else 0.0)
    return out


def _eye_centre(head: ControlHead, lash_quads: np.ndarray) -> np.ndarray:
    side = EYES[0] if head.vertices[lash_quads, 0].mean() > 0.0 else EYES[1]
    chosen = head.face_part == PART_NAMES.index(side)
    return head.vertices[np.unique(head.quads[chosen])].mean(axis=0)


def strip_coordinates(
    strip: np.ndarray, vertices: np.ndarray, eye: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Grid coordinates of a strip of quads (f, 4) as (f, 4) arrays in [0, 1].

    First: along the lid, 0 at the nose (the smaller |x|). Second: 0 at the root, the long side
    nearest to the eye's centre. Both are graph distances, exact on a regular grid.
    """
    (loop,) = boundary_loops(strip)
    corners = np.flatnonzero(np.bincount(strip.ravel())[loop] == 1)
    loop = np.roll(loop, -corners[0])
    stops = [*np.sort((corners - corners[0]) % len(loop)), len(loop)]
    closed = np.append(loop, loop[0])
    sides = [closed[a : b + 1] for a, b in pairwise(stops)]
    sides.sort(key=len)
    short = min(sides[:2], key=lambda side: np.abs(vertices[side, 0]).mean())
    root = min(sides[2:], key=lambda side: np.linalg.norm(vertices[side] - eye, axis=1).mean())
    coordinates = []
    for start in (short, root):
        distance = _graph_distance(strip, start)
        coordinates.append(distance[strip] / distance[strip].max())
    return coordinates[0], coordinates[1]


def _graph_distance(quads: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Number of edges from each vertex to the nearest of `start`, indexed by vertex id."""
    edges, _ = edge_table(quads)
    distance = np.full(quads.max() + 1, np.inf)
    distance[start] = 0.0
    while True:
        near = distance[edges].min(axis=1) + 1.0
        before = distance.copy()
        np.minimum.at(distance, edges[:, 0], near)
        np.minimum.at(distance, edges[:, 1], near)
        if np.array_equal(before, distance):
            return distance


def set_fine_uv(
    corner_uv: np.ndarray, quads: np.ndarray, face_part: np.ndarray, mean: np.ndarray
) -> np.ndarray:
    """Fine corner UVs (F, 4, 2) with eyeballs and teeth filled in from the fine mean head (V, 3).

    Teeth are laid out as their picture is, see `protocol/teeth.py`.
    """
    out = corner_uv.copy()
    for name in EYES:
        chosen = face_part == PART_NAMES.index(name)
        corners = quads[chosen]
        centre = mean[np.unique(corners)].mean(axis=0)
        flat = eyeball_uv((mean[corners] - centre).reshape(-1, 3))
        out[chosen] = flat.reshape(*corners.shape, 2)
    for name in TEETH:
        chosen = face_part == PART_NAMES.index(name)
        own, numbers = np.unique(quads[chosen], return_inverse=True)
        out[chosen] = arch_uv(mean[own], numbers.reshape(-1, 4), name == TEETH[0])
    return out
