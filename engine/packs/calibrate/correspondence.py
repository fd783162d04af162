"""Corresponding points of the template and our head: features, lid and lip curves."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse

from ...register.registration import point_matrix
from ...register.surface import SurfaceIndex, triangulate
from .features import EARS, MIDLINE, NOSE, Feature
from .head_patches import HeadPatches
from .rings import (
    neighbours_of,
    ordered_ring,
    points_on_path,
    rings_around,
    span_fractions,
    upper_and_lower,
)
from .template import Template

UPPER, LOWER = 0, 1
LID_POINTS = 17
LIP_POINTS = 21
FEATURE_WEIGHT = 0.5
"""Picked points are good to a millimetre or two; curves of mesh edges are better."""


@dataclass(frozen=True)
class Curve:
    """Template ring and our ring that are the same line, on the sides given."""

    template_ring: int
    our_ring: int
    sides: tuple[int, ...]


LID_CURVES = (Curve(0, 0, (UPPER, LOWER)), Curve(2, 1, (UPPER, LOWER)))
"""Inner and outer edge of the lid margin."""
LIP_CURVES = (
    Curve(0, 0, (UPPER, LOWER)),  # border of the mouth bag, behind the lips
    Curve(5, 2, (UPPER,)),  # where the lips touch
    Curve(3, 2, (LOWER,)),
    Curve(14, 5, (UPPER,)),  # edge of the red of the upper lip
)


@dataclass(frozen=True)
class Correspondence:
    """template: (n, V) sparse, rows are points of the template; goals (n, 3) on our head,
    metres; weights (n,)."""

    template: sparse.csr_matrix
    goals: np.ndarray
    weights: np.ndarray


class _Collector:
    def __init__(self, vertex_count: int) -> None:
        self.vertex_count = vertex_count
        self.ids: list[np.ndarray] = []
        self.shares: list[np.ndarray] = []
        self.goals: list[np.ndarray] = []
        self.weights: list[np.ndarray] = []

    def add(self, ids: np.ndarray, shares: np.ndarray, goals: np.ndarray, weight: float) -> None:
        self.ids.append(ids)
        self.shares.append(shares)
        self.goals.append(goals)
        self.weights.append(np.full(len(goals), weight))

    def add_both_sides(
        self,
        mirror: np.ndarray,
        ids: np.ndarray,
        shares: np.ndarray,
        goals: np.ndarray,
        weight: float,
    ) -> None:
        self.add(ids, shares, goals, weight)
        self.add(mirror[ids], shares, goals * np.array([-1.0, 1.0, 1.0]), weight)

    def done(self) -> Correspondence:
        ids, shares = np.concatenate(self.ids), np.concatenate(self.shares)
        matrix = point_matrix(ids, shares, self.vertex_count)
        return Correspondence(matrix, np.concatenate(self.goals), np.concatenate(self.weights))


def corresponding_points(template: Template, head: HeadPatches) -> Correspondence:
    """All points used to start and anchor the registration of the template to the head."""
    out = _Collector(len(template.vertices))
    for curve in LID_CURVES:
        for side in curve.sides:
            pair = _curve_points(
                template, head, template.socket_left, head.socket_left, curve, side, LID_POINTS
            )
            out.add_both_sides(template.mirror, *pair, 1.0)
    for curve in LIP_CURVES:
        for side in curve.sides:
            pair = _curve_points(
                template, head, template.mouth, head.mouth, curve, side, LIP_POINTS
            )
            out.add(*pair, 1.0)
    out.add(*_feature_points(head, MIDLINE), 1.0)
    out.add_both_sides(template.mirror, *_feature_points(head, NOSE + EARS), FEATURE_WEIGHT)
    return out.done()


def ring_path(
    faces: np.ndarray, core: np.ndarray, ring: int, vertices: np.ndarray, side: int
) -> np.ndarray:
    """Path of vertices along the upper or lower half of a ring, from its corner of largest x."""
    members = rings_around(faces, core, ring)[ring]
    closed = ordered_ring(members, neighbours_of(faces), vertices)
    return upper_and_lower(closed, vertices)[side]


def _curve_points(
    template: Template,
    head: HeadPatches,
    template_core: np.ndarray,
    our_core: np.ndarray,
    curve: Curve,
    side: int,
    count: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    theirs = ring_path(template.quads, template_core, curve.template_ring, template.vertices, side)
    ours = ring_path(head.quads, our_core, curve.our_ring, head.vertices, side)
    wanted = np.linspace(0.0, 1.0, count)
    ids, shares = points_on_path(theirs, span_fractions(theirs, template.vertices), wanted)
    our_ids, our_shares = points_on_path(ours, span_fractions(ours, head.vertices), wanted)
    return ids, shares, np.einsum("nk,nkc->nc", our_shares, head.vertices[our_ids])


def _feature_points(
    head: HeadPatches, features: tuple[Feature, ...]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    row_of = {int(source): row for row, source in enumerate(head.source_ids)}
    rows = [[row_of[k] for k in feature.source_ids] for feature in features]
    means = np.array([head.vertices[row].mean(axis=0) for row in rows])
    surface = SurfaceIndex(head.fine_vertices, triangulate(head.fine.quads))
    ids = np.array([[feature.template] * 2 for feature in features])
    shares = np.full(ids.shape, 0.5)
    return ids, shares, surface.closest(means).position
