"""Parts that a head model lacks, lent by the template: eyeballs, teeth, tongue, lashes.

Eyeballs sit in the source's sockets by what the lids around them say, teeth and tongue behind its
mouth, lashes on its lids; each follows the source's identities the same way.
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse
from scipy.spatial import cKDTree

from ...protocol.headpack import HeadPack
from ...register.registration import Similarity, fit_similarity
from .match import HeadMatch
from .motion import follow

EYES = {"eye_left": "eyelids_left", "eye_right": "eyelids_right"}
LASHES = {"lashes_left": "eye_left", "lashes_right": "eye_right"}
MOUTH = ("teeth_upper", "teeth_lower", "tongue")
LID = 0.5
"""Share of the lids' group from which a vertex holds the eye."""
RIM = 1.25
"""Lid vertices nearer to the eye's centre than this many radii lie on the eyeball: their distance
is kept, so that lids neither sink in nor gape."""
RIM_WEIGHT = 3.0
MOUTH_REACH = 0.03
"""Metres: a skin vertex counts for the mouth by exp(-(distance / reach)^2)."""
ROOTS = 6
"""Skin vertices that carry a vertex of the lashes."""
ROUNDS = 6


@dataclass(frozen=True, eq=False)
class LentPart:
    """A part of the template on the source. vertices (n,) i64: of the template; faces (f,) bool of
    the template. mean (n, 3) metres, source space; identity (K, n, 3). scale: source over template
    there. roots (n, Vt) sparse or None: template's skin that carries it."""

    name: str
    vertices: np.ndarray
    faces: np.ndarray
    mean: np.ndarray
    identity: np.ndarray
    place: Similarity
    roots: sparse.csr_matrix | None = None


def lend(
    name: str, template: HeadPack, match: HeadMatch, mean: np.ndarray, identity: np.ndarray
) -> LentPart:
    """The template's part `name` on a source with mean (V, 3) and identity (K, V, 3)."""
    faces = template.face_part == template.part_names.index(name)
    vertices = np.unique(template.quads[faces])
    points = template.mean[vertices].astype(np.float64)
    if name in EYES:
        place, carried, _ = _lend_eye(name, points, template, match, mean, identity)
        return LentPart(name, vertices, faces, place.apply(points), carried, place)
    if name in LASHES:
        return _lend_lashes(name, vertices, faces, template, match, mean, identity)
    place, anchors, weights = mouth_place(points.mean(axis=0), template, match, mean)
    laid = match.to_source[anchors]
    moves = carried_fields(laid, identity)
    placed = place.apply(points)
    motion = follow(laid @ mean, moves, weights, placed.mean(axis=0))
    return LentPart(name, vertices, faces, placed, motion.of(placed), place)


def mouth_place(
    centre: np.ndarray, template: HeadPack, match: HeadMatch, mean: np.ndarray
) -> tuple[Similarity, np.ndarray, np.ndarray]:
    """Similarity from the template to the source around `centre` in the mouth, by the skin there;
    the template's vertices it is read from, and their weights. mean (V, 3): the source's."""
    near = _weights_near(centre, template, match)
    anchors = np.flatnonzero(near > 0.01)
    theirs = template.mean[anchors].astype(np.float64)
    laid = match.to_source[anchors] @ mean
    return fit_similarity(theirs, laid, near[anchors]), anchors, near[anchors]


def carried_fields(operator: sparse.csr_matrix, fields: np.ndarray) -> np.ndarray:
    """(M, n, 3) f64 of fields (M, V, 3) through an operator (n, V), the used columns only."""
    used = np.unique(operator.indices)
    flat = fields[:, used].astype(np.float64).transpose(1, 0, 2).reshape(len(used), -1)
    out = operator[:, used] @ flat
    return out.reshape(operator.shape[0], len(fields), 3).transpose(1, 0, 2)


def _weights_near(centre: np.ndarray, template: HeadPack, match: HeadMatch) -> np.ndarray:
    """(Vt,) weight of the template's outer skin around a part of the mouth."""
    outer = match.seen * template.groups["face"] * (1.0 - template.groups["mouth"])
    squared = ((template.mean - centre) ** 2).sum(axis=1)
    front = (squared * outer)[outer > LID]
    reach = MOUTH_REACH**2 + (front.min() if len(front) else 0.0)
    return outer * np.exp(-squared / reach)


def _eye_anchors(name: str, template: HeadPack, match: HeadMatch) -> np.ndarray:
    lids = template.groups[EYES[name]] * (1.0 - template.groups["sockets"])
    return np.flatnonzero(match.seen & (lids > LID))


def _lend_eye(
    name: str,
    points: np.ndarray,
    template: HeadPack,
    match: HeadMatch,
    mean: np.ndarray,
    identity: np.ndarray,
) -> tuple[Similarity, np.ndarray, float]:
    """Place of the eyeball, its displacements (K, n, 3), and its radius on the source."""
    anchors = _eye_anchors(name, template, match)
    theirs = template.mean[anchors].astype(np.float64)
    laid = match.to_source[anchors]
    ours = laid @ mean
    centre, radius = sphere_of(points)
    whole = fit_similarity(theirs, ours)
    scale = whole.scale
    away = np.linalg.norm(theirs - centre, axis=1) / radius
    rim = away < RIM
    middle = _seat(whole.apply(centre[None])[0], ours[rim], away[rim] * radius * scale)
    place = Similarity(scale, np.eye(3), middle - scale * centre)
    moves = carried_fields(laid, identity)
    motion = follow(ours, moves, np.ones(len(ours)), middle, turning=False)
    outward = ours[rim] - middle
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    # Along the lids' normals the eye keeps its distance; the growth is the lids' own.
    along = np.einsum("mnc,nc->mn", moves[:, rim], outward)
    along -= motion.growth[:, None] * (away[rim] * radius * scale)
    design = np.concatenate([RIM_WEIGHT * outward, np.eye(3)])
    goals = np.concatenate([RIM_WEIGHT * along, motion.shift], axis=1)
    shift = np.linalg.lstsq(design, goals.T, rcond=None)[0].T
    placed = place.apply(points)
    carried = shift[:, None] + motion.growth[:, None, None] * (placed - middle)
    return place, carried, radius * scale


def sphere_of(points: np.ndarray) -> tuple[np.ndarray, float]:
    """Centre and mean radius of an eyeball's vertices (n, 3): the middle of their bounding box."""
    centre = 0.5 * (points.min(axis=0) + points.max(axis=0))
    return centre, float(np.linalg.norm(points - centre, axis=1).mean())


def _seat(centre: np.ndarray, rim: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """The centre (3,) moved so that rim points (n, 3) have their distances (n,) from it.

    Gauss-Newton on sum w^2 (|x - c| - distance)^2 + |c - start|^2.
    """
    start = centre
    for _ in range(ROUNDS):
        offset = rim - centre
        length = np.linalg.norm(offset, axis=1)
        design = np.concatenate([-RIM_WEIGHT * offset / length[:, None], np.eye(3)])
        goals = np.concatenate([RIM_WEIGHT * (distance - length), start - centre])
        centre = centre + np.linalg.lstsq(design, goals, rcond=None)[0]
    return centre


def _lend_lashes(
    name: str,
    vertices: np.ndarray,
    faces: np.ndarray,
    template: HeadPack,
    match: HeadMatch,
    mean: np.ndarray,
    identity: np.ndarray,
) -> LentPart:
    anchors = _eye_anchors(LASHES[name], template, match)
    points = template.mean[vertices].astype(np.float64)
    near, which = cKDTree(template.mean[anchors]).query(points, k=ROOTS)
    weight = 1.0 / np.maximum(near, 1e-4) ** 2
    weight /= weight.sum(axis=1, keepdims=True)
    rows = np.repeat(np.arange(len(points)), ROOTS)
    shape = (len(points), len(template.mean))
    roots = sparse.csr_matrix((weight.ravel(), (rows, anchors[which].ravel())), shape=shape)
    theirs = template.mean[anchors].astype(np.float64)
    whole = fit_similarity(theirs, match.to_source[anchors] @ mean)
    laid = roots @ match.to_source
    offset = points - roots @ template.mean.astype(np.float64)
    placed = laid @ mean + whole.scale * offset @ whole.rotation.T
    return LentPart(name, vertices, faces, placed, carried_fields(laid, identity), whole, roots)
