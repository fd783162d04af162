"""Landmarks on a mesh that lies in model space, freed of the network's own errors.

The default head, already bent to the mesh, is shown from the same sides. Where the network misses
a landmark on it, it misses the mesh's by about as much: the difference is taken off.
"""

from dataclasses import dataclass

import numpy as np
import torch

from ..nets.bundle import Nets
from ..protocol.headpack import HeadPack, LandmarkEmbedding
from ..render.render import orbit_camera
from ..reporter import Reporter
from .look import Dots, first_crop, lift, see, show
from .surface import SurfaceIndex
from .template import Template, embedded

VIEWS = (
    (0.0, 0.0),
    (-16.0, 0.0),
    (16.0, 0.0),
    (-32.0, 4.0),
    (32.0, 4.0),
    (0.0, 16.0),
    (0.0, -14.0),
)
"""Degrees of yaw and pitch of the cameras."""
SIZE = 448
FACE_SIDE = 0.17
"""Metres: extent of a face, for the first crop."""
LEAST_PRESENCE = 0.8
SPREAD = 0.003
"""Metres: a landmark whose sightings scatter by this much (median) weighs one half."""
FAR = 0.02
"""Metres from where the bent default head has it, beyond which a landmark is not believed."""
OUTLINE = 17
"""Of the 68 landmarks, the first ones."""
MEDIAN_ROUNDS = 20
FRAMED = ("face", "ears")
"""Groups that pictures frame."""


@dataclass(frozen=True, eq=False)
class Marks:
    """Points of the default head, triangle (n,) of head.triangles and barycentric (n, 3), with
    their goals (n, 3) on the mesh, metres, and weight (n,) in [0, 1] (0: not found). views: in how
    many pictures the face was found."""

    triangle: np.ndarray
    barycentric: np.ndarray
    goals: np.ndarray
    weight: np.ndarray
    views: int


def find_marks(
    vertices: np.ndarray,
    triangles: np.ndarray,
    shown: np.ndarray,
    skin: np.ndarray,
    template: Template,
    bent: np.ndarray,
    nets: Nets,
    reporter: Reporter,
) -> Marks:
    """Landmarks of the mesh, vertices (V, 3) metres in model space.

    shown (T,) bool: triangles that pictures draw; skin (T,) bool: where landmarks may lie. bent
    (Vt, 3): the default head as far as it is known to follow the mesh.
    """
    head = template.head
    framed = np.maximum.reduce([head.groups[name] for name in FRAMED]) > 0.5
    frame = torch.from_numpy(bent[framed].astype(np.float32))
    places = embedded(bent, head)
    middle = places[template.weight > 0].mean(axis=0)
    theirs, ours = (
        (vertices, triangles[shown], skin[shown]),
        (
            bent,
            head.triangles[template.shown],
            template.outer[template.shown],
        ),
    )
    goals = []
    for number, view in enumerate(VIEWS):
        reporter.progress(number, len(VIEWS))
        camera = orbit_camera(frame, *view, SIZE)
        crop = first_crop(camera, middle, FACE_SIDE)
        sightings: list[Dots] = []
        for points, index, usable in (theirs, ours):
            picture = show(points, index, camera)
            sightings.append(lift(see(nets, picture, crop), picture, points, index, usable))
        if min(dots.presence for dots in sightings) > LEAST_PRESENCE:
            goals.append(sightings[0].position + places - sightings[1].position)
    points = head.landmarks468.triangles, head.landmarks468.barycentric.astype(np.float64)
    if not goals:
        return Marks(*points, places, np.zeros(len(places)), 0)
    centre, weight = _centres(np.stack(goals), places)
    surface = SurfaceIndex(vertices, triangles[skin])
    snapped = surface.closest(centre).position
    return Marks(*points, snapped, weight * template.weight, len(goals))


def with_known(marks: Marks, embedding: LandmarkEmbedding, goals: np.ndarray) -> Marks:
    """The marks and 68 that the caller knows, goals (68, 3). The outline of the face is left out:
    every model means another line by it."""
    some = slice(OUTLINE, None)
    return Marks(
        np.append(marks.triangle, embedding.triangles[some]),
        np.concatenate([marks.barycentric, embedding.barycentric[some].astype(np.float64)]),
        np.concatenate([marks.goals, goals[some]]),
        np.append(marks.weight, embedding.weight[some]),
        marks.views,
    )


def mark_places(values: np.ndarray, marks: Marks, head: HeadPack) -> np.ndarray:
    """(n, 3) places of the marks' points on vertices (Vt, 3) of the default head."""
    return np.einsum("lk,lkc->lc", marks.barycentric, values[head.triangles[marks.triangle]])


def _centres(goals: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Geometric medians (Weiszfeld 1937) of sightings (n, 468, 3), NaN where none, and trust."""
    seen = np.isfinite(goals[..., 0])
    filled = np.where(seen[..., None], goals, 0.0)
    count = seen.sum(axis=0)
    centre = filled.sum(axis=0) / np.maximum(count, 1)[:, None]
    for _ in range(MEDIAN_ROUNDS):
        distance = np.linalg.norm(filled - centre, axis=2)
        share = seen / np.maximum(distance, 1e-5)
        centre = (share[..., None] * filled).sum(axis=0)
        centre /= np.maximum(share.sum(axis=0), 1e-12)[:, None]
    distance = np.where(seen, np.linalg.norm(filled - centre, axis=2), np.nan)
    spread = np.zeros(len(count))
    some = count > 0
    spread[some] = np.nanmedian(distance[:, some], axis=0)
    weight = np.minimum(count / 3.0, 1.0) / (1.0 + (spread / SPREAD) ** 2)
    weight[np.linalg.norm(centre - places, axis=1) > FAR] = 0.0
    centre[~some] = places[~some]
    return centre, weight
