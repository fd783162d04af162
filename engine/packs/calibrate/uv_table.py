"""The UV table: corner UVs of our head's skin in the FFHQ-UV layout.

The template is registered to the head; the outer skin of the subject's left side reads its UV at
the closest point of the template, lid and lip borders along the layout's own borders; folds are
smoothed out; sockets and mouth bag are embedded in the layout's islands; the right side is the
mirror image (u -> 1 - u).
"""

import numpy as np
import scipy.sparse as sparse
from scipy.sparse.linalg import spsolve

from ...register.registration import Registration, RegistrationSettings, register
from ...register.surface import SurfaceIndex, border_vertices, triangulate, vertex_normals
from .conformal import corner_areas, corner_stretch, embed_patch, mean_value_laplacian
from .correspondence import LOWER, UPPER, corresponding_points, ring_path
from .head_patches import HeadPatches
from .rings import arc_fractions, neighbours_of, open_path, rings_around, span_fractions
from .template import Template, corner_values

SETTINGS = RegistrationSettings()
READ_NORMAL_WEIGHT = 0.01
"""Metres; as in the registration."""
READ_TRUST, LINE_TRUST, FIXED_TRUST = 20.0, 2000.0, 1e9
"""Weight of a UV that was read, of a lid or lip border, of the mid-line, against a mean value
weighted mean of the neighbours (weight 1): untroubled vertices move by 1/200 of what they deviate
from that mean."""
FOLD_STEP = 0.5
FOLD_ROUNDS = 60
STRETCH_LIMIT = 25.0
"""Ratio of UV lengths along and across at a corner. Faces at the lid and lip borders,
closed in the layout, are let be."""
MIDLINE_TOLERANCE = 1e-7

UvMap = dict[int, np.ndarray]


def register_template(template: Template, head: HeadPatches) -> Registration:
    """The template on the head, sockets and mouth bag following."""
    points = corresponding_points(template, head)
    outside = np.repeat(head.outside, 8)  # 4 fine quads, 2 triangles each
    active = np.ones(len(template.vertices), dtype=bool)
    active[np.unique(template.quads[~template.skin])] = False
    return register(
        template.vertices,
        triangulate(template.quads),
        head.fine_vertices,
        triangulate(head.fine.quads)[outside],
        points.template,
        points.goals,
        SETTINGS,
        active,
        points.weights,
    )


def read_corner_uv(template: Template, registered: np.ndarray, head: HeadPatches) -> np.ndarray:
    """(F, 4, 2) corner UVs of the head's skin; registered (V, 3): the template on the head."""
    left = (head.vertices[head.quads][:, :, 0] > -MIDLINE_TOLERANCE).all(axis=1)
    outer = head.outside & left
    read = _read_skin(template, registered, head, outer)
    fixed, lines = _border_uv(template, registered, head, outer)
    skin = _smooth_folds(head, outer, read, fixed, lines)
    corner_uv = np.full((*head.quads.shape, 2), np.nan)
    bag = head.mouth & left
    for faces, uv in (
        (outer, skin),
        (head.socket_left, _socket_uv(template, head)),
        (bag, _bag_uv(template, head, bag)),
    ):
        corner_uv[faces] = np.array([[uv[k] for k in quad] for quad in head.quads[faces].tolist()])
    return _mirrored(corner_uv, head)


def _left_skin(template: Template) -> np.ndarray:
    """(F,) bool: template faces of the skin island on the subject's left."""
    x = template.vertices[template.quads][:, :, 0]
    return template.skin & (x.min(axis=1) > -1e-4)


def _read_skin(
    template: Template, registered: np.ndarray, head: HeadPatches, outer: np.ndarray
) -> UvMap:
    half = _left_skin(template)
    index = SurfaceIndex(registered, triangulate(template.quads[half]), READ_NORMAL_WEIGHT)
    uv = template.uv[triangulate(template.uv_quads[half])]
    members = np.unique(head.quads[outer])
    normals = vertex_normals(head.fine_vertices, triangulate(head.fine.quads))
    found = index.closest(head.vertices[members], normals[members])
    values = np.einsum("nk,nkc->nc", found.barycentric, uv[found.triangle])
    return dict(zip(members.tolist(), values, strict=True))


def _border_uv(
    template: Template, registered: np.ndarray, head: HeadPatches, outer: np.ndarray
) -> tuple[UvMap, UvMap]:
    """UV of mid-line vertices, and of the lid and lip borders."""
    half = _left_skin(template)
    members = np.unique(head.quads[outer])
    middle = members[np.abs(head.vertices[members, 0]) < MIDLINE_TOLERANCE]
    fixed = _midline_uv(template, registered, half, head.vertices[middle])
    fixed = dict(zip(middle.tolist(), fixed, strict=True))
    own = corner_values(template.quads[half], template.uv_quads[half], template.uv)
    lines: UvMap = {}
    for core, our_core in (
        (template.socket_left, head.socket_left),
        (template.mouth, head.mouth),
    ):
        for side in (UPPER, LOWER):
            theirs = ring_path(template.quads, core, 0, template.vertices, side)
            ours = ring_path(head.quads, our_core, 0, head.vertices, side)
            where = span_fractions(theirs, template.vertices)
            seen = np.array([int(k) in own for k in theirs])
            uv = np.array([own[int(k)] for k in theirs[seen]])
            wanted = span_fractions(ours, head.vertices)
            values = np.stack([np.interp(wanted, where[seen], uv[:, k]) for k in (0, 1)], axis=1)
            on_left = head.vertices[ours, 0] > MIDLINE_TOLERANCE
            lines.update(zip(ours[on_left].tolist(), values[on_left], strict=True))
    return fixed, lines


def _midline_uv(
    template: Template, registered: np.ndarray, half: np.ndarray, points: np.ndarray
) -> np.ndarray:
    """UV at the nearest points of the left half's cut along the mid-line: u = 1/2 in front, the
    layout's cut at the back. The vertex nearest to the cut's end takes the end's UV."""
    quads, uv_quads = template.quads[half], template.uv_quads[half]
    pairs = np.stack([quads, np.roll(quads, -1, axis=1)], axis=-1).reshape(-1, 2)
    uv_pairs = np.stack([uv_quads, np.roll(uv_quads, -1, axis=1)], axis=-1).reshape(-1, 2)
    on_cut = (np.abs(template.vertices[pairs][:, :, 0]) < 1e-4).all(axis=1)
    start, stop = registered[pairs[on_cut]].transpose(1, 0, 2)
    uv = template.uv[uv_pairs[on_cut]]
    along = stop - start
    share = ((points[:, None] - start) * along).sum(axis=-1) / (along**2).sum(axis=-1)
    share = np.clip(share, 0.0, 1.0)
    distance = np.linalg.norm(start + share[..., None] * along - points[:, None], axis=-1)
    best = distance.argmin(axis=1)
    t = share[np.arange(len(points)), best][:, None]
    out = uv[best, 0] * (1.0 - t) + uv[best, 1] * t

    ends = registered[pairs[on_cut]].reshape(-1, 3)
    end_uv = uv.reshape(-1, 2)
    front = np.abs(end_uv[:, 0] - 0.5) < 1e-4
    crown = np.where(front, end_uv[:, 1], -1.0).argmax()
    nearest = np.linalg.norm(points - ends[crown], axis=1).argmin()
    out[nearest] = end_uv[crown]
    out[np.abs(out[:, 0] - 0.5) < 1e-4, 0] = 0.5
    return out


def _smooth_folds(
    head: HeadPatches, outer: np.ndarray, read: UvMap, fixed: UvMap, lines: UvMap
) -> UvMap:
    """Each UV between what was read and the mean of its neighbours; the trust in vertices of
    folded or badly stretched faces falls from round to round until there are none."""
    faces = head.quads[outer]
    members = np.unique(faces)
    goal = np.array([fixed.get(k, lines.get(k, read[k])) for k in members.tolist()])
    is_fixed = np.array([k in fixed for k in members.tolist()])
    is_line = np.array([k in lines for k in members.tolist()])
    row_of = np.full(len(head.vertices), -1)
    row_of[members] = np.arange(len(members))
    rows, corners = row_of[faces], head.vertices[faces]
    laplacian = mean_value_laplacian(faces, head.vertices, members, follow_border=True)
    trust = np.where(is_fixed, FIXED_TRUST, np.where(is_line, LINE_TRUST, READ_TRUST))
    floor = np.where(is_fixed, FIXED_TRUST, 1e-6)
    away = ~is_line[rows].any(axis=1)
    uv = goal
    for _ in range(FOLD_ROUNDS):
        uv = spsolve((sparse.diags(trust) + laplacian).tocsc(), trust[:, None] * goal)
        folded = (corner_areas(uv[rows]) <= 0.0).any(axis=1)
        stretch = corner_stretch(uv[rows], corners)
        stretched = (stretch[..., 0] > STRETCH_LIMIT * stretch[..., 1]).any(axis=1) & away
        if not (folded | stretched).any():
            break
        hit = np.unique(rows[folded | stretched])
        trust[hit] = np.maximum(FOLD_STEP * trust[hit], floor[hit])
    uv = np.where(is_fixed[:, None], goal, uv)
    return dict(zip(members.tolist(), uv, strict=True))


def _carry(
    theirs: np.ndarray, ours: np.ndarray, where: np.ndarray, own: UvMap, vertices: np.ndarray
) -> UvMap:
    """UV of our path's vertices at the same shares of arc length along the template's path."""
    uv = np.array([own[int(k)] for k in theirs])
    wanted = arc_fractions(ours, vertices)
    values = np.stack([np.interp(wanted, where, uv[:, k]) for k in (0, 1)], axis=1)
    return dict(zip(ours.tolist(), values, strict=True))


def _socket_uv(template: Template, head: HeadPatches) -> UvMap:
    core = template.socket_left
    own = corner_values(template.quads[core], template.uv_quads[core], template.uv)
    border: UvMap = {}
    for side in (UPPER, LOWER):
        theirs = ring_path(template.quads, core, 0, template.vertices, side)
        ours = ring_path(head.quads, head.socket_left, 0, head.vertices, side)
        where = arc_fractions(theirs, template.vertices)
        border.update(_carry(theirs, ours, where, own, head.vertices))
    return embed_patch(head.quads[head.socket_left], head.vertices, border)


def _bag_uv(template: Template, head: HeadPatches, bag: np.ndarray) -> UvMap:
    """The left half of the mouth bag: border is half the lip line and the mid-line."""
    half = template.mouth & (template.vertices[template.quads].mean(axis=1)[:, 0] > 0.0)
    own = corner_values(template.quads[half], template.uv_quads[half], template.uv)
    border: UvMap = {}
    paths = zip(
        _bag_paths(template.quads, template.mouth, half, template.vertices),
        _bag_paths(head.quads, head.mouth, bag, head.vertices),
        strict=True,
    )
    for theirs, ours in paths:
        where = arc_fractions(theirs, template.vertices)
        border.update(_carry(theirs, ours, where, own, head.vertices))
    return embed_patch(head.quads[bag], head.vertices, border)


def _bag_paths(
    quads: np.ndarray, mouth: np.ndarray, half: np.ndarray, vertices: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Paths from the upper to the lower mid-line point of the lip line: along the lips, and
    along the mid-line through the bag."""
    patch = quads[half]
    edge = np.flatnonzero(border_vertices(triangulate(patch), len(vertices)))
    ring = rings_around(quads, mouth, 0)[0]
    lips = np.intersect1d(ring, edge)
    ends = lips[np.argsort(np.abs(vertices[lips, 0]))[:2]]
    top, bottom = ends[np.argsort(-vertices[ends, 1])].tolist()
    inner = np.concatenate([np.setdiff1d(edge, lips), ends])
    around = neighbours_of(patch)
    return open_path(lips, around, top, bottom), open_path(inner, around, top, bottom)


def _mirrored(corner_uv: np.ndarray, head: HeadPatches) -> np.ndarray:
    """Fill the right side from the left: u -> 1 - u."""
    out = corner_uv.copy()
    row_of = {tuple(sorted(quad)): row for row, quad in enumerate(head.quads.tolist())}
    for row, quad in enumerate(head.quads):
        if not np.isnan(out[row]).any():
            continue
        twin = row_of[tuple(sorted(head.mirror[quad].tolist()))]
        corner_of = {int(k): i for i, k in enumerate(head.quads[twin])}
        order = [corner_of[int(k)] for k in head.mirror[quad]]
        out[row] = corner_uv[twin][order] * np.array([-1.0, 1.0]) + np.array([1.0, 0.0])
    return out
