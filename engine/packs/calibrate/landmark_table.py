"""The landmark table: 468 and 68 landmarks as points of the fine mesh.

Route one: dots found on renders of random heads, lifted to the surface, averaged robustly over
renders and over the two sides, put back on the surface. Route two: the network's own mean face
laid over them by a smooth spline; where the routes disagree much, the landmark is not trusted.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...protocol.conventions import MIRROR
from ...register.registration import fit_similarity, fit_thin_plate
from ...register.surface import SurfaceIndex, triangulate
from . import landmark_names as names
from .correspondence import LOWER, UPPER, ring_path
from .features import TEMPLATE_68
from .head_patches import HeadPatches
from .landmark_shape import mirror_pairs, network_shape
from .landmark_views import Sighting

COUNT = 468
MEDIAN_ROUNDS = 30
SPREAD = 0.004
"""Metres. A landmark whose sightings scatter by this much (median) weighs one half."""
SPLINE_SMOOTHING = 0.02
DISAGREEMENT = 0.006
"""Metres between the routes beyond which a landmark is not used."""
LEAST_SHARE = 0.15
"""Of the renders; landmarks seen on the skin less often are not used."""
NEAR_FRONTAL, SIDE = 10.0, 0.8
"""Degrees of yaw up to which both sides count; distance of twins, in units of the face's size,
from which a landmark belongs to a side."""
BROW_WEIGHT = 0.5
"""Brows are paint on our head and move with the texture: half trust."""
CONTOUR_68, BROWS_68 = slice(0, 17), slice(17, 27)
CONTOUR_WEIGHT = 0.3
"""The 17 contour landmarks mean the outline seen in the picture, not a place on the skin."""
LID_RING, LIP_RING = 1, 2
"""Rings of our head: outer edge of the lid margin, line where the lips touch."""


@dataclass(frozen=True)
class Embedding:
    """triangles (n,), barycentric (n, 3), weight (n,), positions (n, 3) metres."""

    triangles: np.ndarray
    barycentric: np.ndarray
    weight: np.ndarray
    positions: np.ndarray


@dataclass(frozen=True)
class Landmarks468:
    """embedding; spread (468,) metres, median distance of the sightings from their centre;
    disagreement (468,) metres between the two routes; pairs (468,) mirror twins."""

    embedding: Embedding
    spread: np.ndarray
    disagreement: np.ndarray
    pairs: np.ndarray


def embed_468(
    sightings: Sequence[Sighting], head: HeadPatches, allowed: np.ndarray
) -> Landmarks468:
    """Embed MediaPipe's landmarks. allowed: (T,) bool over the fine triangles of the skin."""
    frontal_first = sorted(sightings, key=lambda sighting: abs(sighting.yaw))
    shape = network_shape([sighting.points for sighting in frontal_first])
    pairs = mirror_pairs(shape)
    samples = _samples(sightings, head, shape, pairs)
    centre = np.full((COUNT, 3), np.nan)
    spread, share = np.full(COUNT, np.inf), np.zeros(COUNT)
    for number, points in enumerate(samples):
        share[number] = len(points) / (2 * len(sightings))
        if len(points) >= 4:
            centre[number], spread[number] = geometric_median(points)
    usable = (share > LEAST_SHARE) & (spread < 4 * SPREAD)
    predicted = lay_over(shape, centre, usable)
    disagreement = np.linalg.norm(predicted - centre, axis=1)
    usable &= np.nan_to_num(disagreement, nan=np.inf) < DISAGREEMENT
    position = np.where(usable[:, None], centre, predicted)
    position = 0.5 * (position + position[pairs] * MIRROR)
    position = _on_lines(position, head)
    weight = usable / (1.0 + (np.where(usable, spread, 0.0) / SPREAD) ** 2)
    weight[list(names.BROW_LEFT + names.BROW_RIGHT)] *= BROW_WEIGHT
    weight = np.minimum(weight, weight[pairs])
    embedding = _embed(position, weight, head, allowed)
    return Landmarks468(embedding, spread, disagreement, pairs)


def _samples(
    sightings: Sequence[Sighting], head: HeadPatches, shape: np.ndarray, pairs: np.ndarray
) -> list[np.ndarray]:
    """Places (n, 3) on the mean head of each landmark and of its mirrored twin.

    Landmarks of the side turned away slide along the outline (up to 4 cm at 40 degrees) and are
    left out; near and frontal views agree.
    """
    side = shape[:, 0] - shape[pairs, 0]
    triangles = triangulate(head.fine.quads)
    only_open = _member(names.LIPS_UPPER_INNER + names.LIPS_LOWER_INNER)
    only_brows = _member(names.BROW_LEFT + names.BROW_RIGHT)
    collected: list[list[np.ndarray]] = [[] for _ in range(COUNT)]
    for sighting in sightings:
        use = sighting.triangle >= 0
        use &= ~only_open | sighting.mouth_open
        use &= ~only_brows | sighting.has_brows
        if abs(sighting.yaw) > NEAR_FRONTAL:
            use &= side * np.sign(sighting.yaw) > -SIDE
        corners = head.fine_vertices[triangles[np.maximum(sighting.triangle, 0)]]
        places = np.einsum("nk,nkc->nc", sighting.barycentric, corners)
        for number in np.flatnonzero(use):
            collected[number].append(places[number])
    return [
        np.array(collected[k] + [p * MIRROR for p in collected[pairs[k]]]).reshape(-1, 3)
        for k in range(COUNT)
    ]


def _member(numbers: tuple[int, ...]) -> np.ndarray:
    out = np.zeros(COUNT, dtype=bool)
    out[list(numbers)] = True
    return out


def geometric_median(points: np.ndarray) -> tuple[np.ndarray, float]:
    """Point of least summed distance to points (n, 3), and the median distance to it.

    Weiszfeld's iteration (Weiszfeld 1937).
    """
    centre = np.median(points, axis=0)
    for _ in range(MEDIAN_ROUNDS):
        weight = 1.0 / np.maximum(np.linalg.norm(points - centre, axis=1), 1e-5)
        centre = (weight[:, None] * points).sum(axis=0) / weight.sum()
    return centre, float(np.median(np.linalg.norm(points - centre, axis=1)))


def lay_over(shape: np.ndarray, centre: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """(n, 3) where a smooth spline from the trusted landmarks takes the network's mean face.

    shape (n, 3): mean face. centre (n, 3): measured places, nan where unknown. Spline smoothing
    keeps a single wrong place from being followed.
    """
    moved = fit_similarity(shape[usable], centre[usable]).apply(shape)
    spline = fit_thin_plate(moved[usable], centre[usable], SPLINE_SMOOTHING)
    return moved + spline.displacement(moved)


def _on_lines(position: np.ndarray, head: HeadPatches) -> np.ndarray:
    """Lid landmarks onto the lid margin, inner lip landmarks onto the lip line.

    The outer eye corners stay: the network sets them on the skin beyond, on photos by 2 mm.
    """
    out = position.copy()
    lids = (
        (names.LID_LEFT_UPPER[1:], names.LID_RIGHT_UPPER[1:], UPPER),
        (names.LID_LEFT_LOWER, names.LID_RIGHT_LOWER, LOWER),
    )
    for left, right, side in lids:
        path = ring_path(head.quads, head.socket_left, LID_RING, head.vertices, side)
        line = head.vertices[path]
        out[list(left)] = nearest_on_line(line, out[list(left)])
        out[list(right)] = nearest_on_line(line * MIRROR, out[list(right)])
    for numbers, side in ((names.LIPS_UPPER_INNER, UPPER), (names.LIPS_LOWER_INNER, LOWER)):
        path = ring_path(head.quads, head.mouth, LIP_RING, head.vertices, side)
        out[list(numbers)] = nearest_on_line(head.vertices[path], out[list(numbers)])
    return out


def nearest_on_line(line: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(n, 3) nearest points of a polyline (m, 3)."""
    start, along = line[:-1], np.diff(line, axis=0)
    share = ((points[:, None] - start) * along).sum(axis=-1) / (along**2).sum(axis=-1)
    spots = start + np.clip(share, 0.0, 1.0)[..., None] * along
    best = np.linalg.norm(spots - points[:, None], axis=-1).argmin(axis=1)
    return spots[np.arange(len(points)), best]


def _embed(
    position: np.ndarray, weight: np.ndarray, head: HeadPatches, allowed: np.ndarray
) -> Embedding:
    rows = np.flatnonzero(allowed)
    index = SurfaceIndex(head.fine_vertices, triangulate(head.fine.quads)[rows])
    found = index.closest(position)
    return Embedding(rows[found.triangle], found.barycentric, weight, found.position)


def embed_68(registered: np.ndarray, head: HeadPatches, allowed: np.ndarray) -> Embedding:
    """Embed the iBUG landmarks through the registered template (V, 3); see `uv_table`."""
    position = registered[list(TEMPLATE_68)]
    weight = np.ones(len(position))
    weight[CONTOUR_68] = CONTOUR_WEIGHT
    weight[BROWS_68] = BROW_WEIGHT
    return _embed(position, weight, head, allowed)
