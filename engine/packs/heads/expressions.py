"""Expressions of a completed head: the model's own where it names them, else the template's."""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.spatial import cKDTree

from ...protocol.headpack import HeadPack
from ...register.registration import fit_thin_plate
from ...register.warp import SMOOTHING, Warp, warp_centres
from .donors import EYES, LASHES, MOUTH, LentPart, carried_fields, mouth_place
from .lids import Ball, kept_off
from .match import HeadMatch, spread
from .motion import affine_motion, follow
from .source import SKIN, HeadSource

LOWER_JAW = ("teeth_lower", "tongue")
STILL = 1e-5
"""Metres below which a vertex does not move with a shape."""
CHIN_REACH = 0.025
"""Metres around the lower teeth's front within which the skin tells how the jaw moves."""
TONGUE, SHARPNESS, NEIGHBOURS = "tongue", 4, 12
"""How fast the share of a part falls with the distance, and over how many vertices shares are
averaged. Ours: gums stay with the teeth, the tongue comes out whole."""
JAW_MOVES = 0.002
"""Metres: where the template's chin moves less, its jaw is taken to stand still."""
JAW_LIMITS = (0.4, 2.0)
"""Own jaw against the template's, at most: beyond it another thing than the jaw moves the chin."""


def expression_names(
    source: HeadSource, template: HeadPack, both: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the pack's expressions, and those of them that the source has itself."""
    own = tuple(name for name in source.expression_names if name in template.expression_names)
    more = tuple(name for name in source.expression_names if name not in own) if both else ()
    return (*template.expression_names, *more), (*own, *more)


def skin_expressions(
    source: HeadSource,
    template: HeadPack,
    match: HeadMatch,
    names: Sequence[str],
    balls: Mapping[str, Ball],
) -> np.ndarray:
    """(n, V, 3) f32 of the named expressions over the source's vertices, parts included. balls: of
    `lids.eyeballs`."""
    out = np.empty((len(names), *source.mean.shape), np.float32)
    rows = {name: row for row, name in enumerate(source.expression_names)}
    asked = [k for k, name in enumerate(names) if name not in rows]
    for k, name in enumerate(names):
        if name in rows:
            out[k] = source.expression[rows[name]]
    if asked:
        wanted = [template.expression_names.index(names[k]) for k in asked]
        moves = transferred(source, template, match, template.expression[wanted])
        out[asked] = kept_off(moves, source, match, template, balls)
    return out


def transferred(
    source: HeadSource, template: HeadPack, match: HeadMatch, shapes: np.ndarray
) -> np.ndarray:
    """The template's displacements (E, Vt, 3) on the source: (E, V, 3) f32.

    Skin takes them over through the map of space that bends the one face to the other; skin that
    has no place on the template goes along with its neighbours; other parts move as a whole.
    """
    turn = match.face.scale * match.face.rotation
    skin = carried_fields(match.to_template, bent_shapes(source, template, match, shapes))
    columns = skin.transpose(1, 0, 2).reshape(len(source.mean), -1)
    columns = spread(columns, match.matched, source.faces[match.skin])
    out = columns.reshape(len(source.mean), len(shapes), 3).transpose(1, 0, 2)
    for number, name in enumerate(source.part_names):
        chosen = source.face_part == number
        if name == SKIN or not chosen.any():
            continue
        members = np.unique(source.faces[chosen])
        points = source.mean[members].astype(np.float64)
        if name == TONGUE:
            out[:, members] = _tongue_motion(source, points, template, match, shapes)
        elif name in template.part_names:
            middle = points.mean(axis=0)
            out[:, members] = _part_motion(name, points, template, turn, shapes, middle)
        else:
            skin_ids = np.unique(source.faces[match.skin])
            near = cKDTree(source.mean[skin_ids]).query(points)[1]
            out[:, members] = out[:, skin_ids[near]]
    return out.astype(np.float32)


def bent_shapes(
    source: HeadSource, template: HeadPack, match: HeadMatch, shapes: np.ndarray
) -> np.ndarray:
    """(E, Vt, 3) f32: the template's displacements as they are on the source, at the template's
    vertices. Where one goes to x', it goes to the image of x' here (`register/warp.py`): lids that
    close there close where these lie farther apart or nearer."""
    rest = template.mean.astype(np.float64)
    centres = warp_centres(template)
    centres = centres[match.seen[centres]]
    goals = match.to_source[centres] @ source.mean.astype(np.float64)
    warp = Warp(fit_thin_plate(rest[centres], goals, SMOOTHING))
    base = np.full_like(rest, np.nan)
    out = np.zeros(shapes.shape, np.float32)
    for number, shape in enumerate(shapes):
        moving = np.flatnonzero(match.seen & (np.abs(shape).max(axis=1) > STILL))
        fresh = moving[np.isnan(base[moving, 0])]
        base[fresh] = warp.apply(rest[fresh])
        out[number, moving] = warp.apply(rest[moving] + shape[moving]) - base[moving]
    return out


def _part_motion(
    name: str,
    points: np.ndarray,
    template: HeadPack,
    turn: np.ndarray,
    shapes: np.ndarray,
    centre: np.ndarray,
) -> np.ndarray:
    """(E, n, 3): the affine motion of the template's part on points (n, 3) of the source's own,
    about `centre` (3,), which is where the part's centre lies on the source."""
    theirs = _members(template, name)
    shift, gradient = affine_motion(template.mean[theirs].astype(np.float64), shapes[:, theirs])
    rotation = turn / np.cbrt(np.linalg.det(turn))
    gradient = rotation @ gradient @ rotation.T
    return (shift @ turn.T)[:, None] + np.einsum("mca,na->mnc", gradient, points - centre)


def _tongue_motion(
    source: HeadSource,
    points: np.ndarray,
    template: HeadPack,
    match: HeadMatch,
    shapes: np.ndarray,
) -> np.ndarray:
    """(E, n, 3): motion of points (n, 3) of the source's tongue, with which some models keep the
    gums: each goes with the tongue or the teeth of the template, by which is near."""
    turn = match.face.scale * match.face.rotation
    middles = [template.mean[_members(template, name)].mean(axis=0) for name in MOUTH]
    centre = np.mean(middles, axis=0).astype(np.float64)
    place, _, _ = mouth_place(centre, template, match, source.mean.astype(np.float64))
    shares, moves = [], []
    for name in MOUTH:
        theirs = place.apply(template.mean[_members(template, name)].astype(np.float64))
        if name != TONGUE and name in source.part_names:  # its own teeth tell best where gums are
            own = source.face_part == source.part_names.index(name)
            theirs = source.mean[np.unique(source.faces[own])] if own.any() else theirs
        shares.append(1.0 / np.maximum(cKDTree(theirs).query(points)[0], 1e-4) ** SHARPNESS)
        moves.append(_part_motion(name, points, template, turn, shapes, theirs.mean(axis=0)))
    weights = np.array(shares) / np.sum(shares, axis=0)
    near = cKDTree(points).query(points, k=min(NEIGHBOURS, len(points)))[1]
    weights = weights[:, near].mean(axis=-1)
    return np.einsum("pn,pmnc->mnc", weights, np.array(moves))


def _members(template: HeadPack, name: str) -> np.ndarray:
    return np.unique(template.quads[template.face_part == template.part_names.index(name)])


def lent_expressions(
    part: LentPart,
    names: Sequence[str],
    template: HeadPack,
    match: HeadMatch,
    skin: np.ndarray,
    mean: np.ndarray,
) -> np.ndarray:
    """(n, m, 3) f64: how a lent part moves with the named expressions.

    skin (n, V, 3): of `skin_expressions`; mean (V, 3). A shape that the template has too moves the
    part as there, the jaw as far as the source's own chin; the others move lashes and lower jaw
    with the skin.
    """
    out = np.zeros((len(names), len(part.vertices), 3))
    known = [k for k, name in enumerate(names) if name in template.expression_names]
    rows = [template.expression_names.index(names[k]) for k in known]
    theirs = template.expression[rows].astype(np.float64)
    turn = part.place.scale * part.place.rotation
    if part.name in LASHES and part.roots is not None:
        out += carried_fields(part.roots @ match.to_source, skin)
        relative = theirs[:, part.vertices] - carried_fields(part.roots, theirs)
        out[known] += relative @ turn.T
        return out
    out[known] = theirs[:, part.vertices] @ turn.T
    if part.name in EYES or part.name not in LOWER_JAW:
        return out
    weights, anchors = _chin(template, match)
    moved = carried_fields(match.to_source[anchors], skin)
    out[known] *= _jaw_share(moved[known], theirs[:, anchors] @ turn.T, weights)[:, None, None]
    others = [k for k in range(len(names)) if k not in set(known)]
    if others:
        laid = match.to_source[anchors] @ mean
        motion = follow(laid, moved[others], weights, part.mean.mean(axis=0), growing=False)
        out[others] = motion.of(part.mean)
    return out


def _chin(template: HeadPack, match: HeadMatch) -> tuple[np.ndarray, np.ndarray]:
    """Weights and template vertices of the skin below the lower lip, over the jaw's bone."""
    teeth = template.face_part == template.part_names.index("teeth_lower")
    points = template.mean[np.unique(template.quads[teeth])]
    spot = np.array([0.0, points[:, 1].min(), points[:, 2].max()])
    outer = match.seen * template.groups["face"]
    outer = outer * (1.0 - template.groups["mouth"]) * (1.0 - template.groups["lips"])
    below = template.mean[:, 1] < spot[1]
    squared = ((template.mean - spot) ** 2).sum(axis=1)
    weights = outer * below * np.exp(-squared / CHIN_REACH**2)
    anchors = np.flatnonzero(weights > 0.01)
    return weights[anchors], anchors


def _jaw_share(ours: np.ndarray, theirs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(M,) how far the chin goes against the template's, moves (M, n, 3) each."""
    size = np.einsum("mnc,n->m", theirs**2, weights)
    along = np.einsum("mnc,mnc,n->m", ours, theirs, weights)
    still = size < JAW_MOVES**2 * weights.sum()
    share = np.clip(along / np.where(still, 1.0, size), *JAW_LIMITS)
    return np.where(still, 1.0, share)
