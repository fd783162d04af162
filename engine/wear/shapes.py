"""Shapes of the person's head -> shapes of the artist's mesh."""

import numpy as np

from ..head.numerics import align_similarity, smoothstep
from ..protocol.headpack import HeadPack
from ..register.carry import transfer_shapes
from ..register.correspondence import Correspondence
from ..register.registration import fit_thin_plate
from ..register.warp import SMOOTHING, Warp, warp_between, warp_centres
from ..reporter import Reporter
from .coverage import open_ends
from .lids import eyes_of, lifted
from .pieces import as_one_body, carried_parts, followers, moved_along
from .spread import continued, distance_from, smoothed
from .worn import WornMesh

REACH = 0.08
"""Metres along the mesh beyond what is matched over which a shape dies out. Ours: the bottom of a
mouth bag is nearer, and must go along with the jaw."""
FADE = 0.03
"""Metres before the end of the head within which the person's likeness fades into the neck."""
SMOOTH = 0.001
"""Metres: places of neighbours on the template jump by half of this on lids."""
_STEP = 26
"""Shapes at a time: two steps for ARKit's 52, so that memory stays below that of a fit."""
FACE = "face"


def carried_shapes(
    mesh: WornMesh,
    found: Correspondence,
    head: HeadPack,
    shapes: np.ndarray,
    report: Reporter,
) -> np.ndarray:
    """(E, V, 3) f32 displacements at weight 1 in the mesh's own coordinates.

    shapes (E, Vt, 3): of the template, metres. Skin off the template (mouth bag, sockets, neck)
    continues what its rim does; eyes, teeth, tongue and lashes follow the template's; lids slide
    over the eyes.
    Raises Cancelled.
    """
    bound = followers(mesh, head, found.template_vertices)
    eyes, known = eyes_of(bound, mesh), _known(mesh)
    warp = warp_between(head, found.template_vertices)
    out = np.zeros((len(shapes), len(mesh.of_vertex), 3), np.float32)
    report.progress(0, len(shapes))
    moved = _welded(transfer_shapes(found, shapes.astype(np.float32), head), mesh)
    for start in range(0, len(shapes), _STEP):
        some = moved[:, start : start + _STEP]
        flat = np.where(mesh.matched[:, None, None], some, 0.0).reshape(len(mesh.vertices), -1)
        skin = continued(mesh.vertices, mesh.graph, flat, known)
        skin = smoothed(mesh.graph, skin, SMOOTH).reshape(some.shape)
        skin[~mesh.with_skin] = 0.0
        for number in range(some.shape[1]):
            report.progress(start + number, len(shapes))
            shift = lifted(skin[:, number], mesh, eyes)
            parts = carried_parts(shapes[start + number].astype(np.float32), head, warp)
            for follower in bound:
                lead = shift if follower.of_skin else parts
                points = mesh.vertices[follower.rows]
                shift[follower.rows] = moved_along(follower, points, lead)
            out[start + number] = _own(shift, mesh, found)
    report.progress(len(shapes), len(shapes))
    return out


def carried_likeness(
    mesh: WornMesh, found: Correspondence, head: HeadPack, neutral: np.ndarray
) -> np.ndarray:
    """(V, 3) f32 displacement from the artist's shape to the person's, own coordinates.

    neutral (Vt, 3): the person's head on the template's vertices, metres. It is brought to the
    mesh's face by a similarity, so size and place remain the artist's. A smooth map of space takes
    one face to the other (`register/warp.py`), so the artist's fine forms stay.
    """
    laid, person = found.template_vertices, neutral.astype(np.float64)
    scale, turn, way = align_similarity(person, laid, head.groups[FACE].astype(np.float64))
    goal = scale * person @ turn.T + way
    centres = warp_centres(head)
    warp = Warp(fit_thin_plate(laid[centres], goal[centres], SMOOTHING))
    near = np.flatnonzero(distance_from(mesh.graph, mesh.matched, REACH) < REACH)
    bound = followers(mesh, head, laid)
    near = np.union1d(near, np.concatenate([near, *(follower.rows for follower in bound)]))
    shift = np.zeros_like(mesh.vertices)
    shift[near] = warp.apply(mesh.vertices[near]) - mesh.vertices[near]
    fade = smoothstep(distance_from(mesh.graph, open_ends(mesh), 2.0 * FADE), 0.0, FADE)
    shift *= fade[:, None]
    for follower in bound:
        if follower.rigid:
            points = mesh.vertices[follower.rows]
            shift[follower.rows] = as_one_body(points, shift[follower.rows], resize=True)
    return _own(shift, mesh, found)


def _welded(moved: np.ndarray, mesh: WornMesh) -> np.ndarray:
    """(W, E, 3) of (E, V, 3): what a matched vertex at the place does, if one is."""
    out = np.zeros((len(mesh.vertices), len(moved), 3), np.float32)
    out[mesh.of_vertex] = moved.transpose(1, 0, 2)
    chosen = np.flatnonzero(mesh.vertex_matched)
    out[mesh.of_vertex[chosen]] = moved[:, chosen].transpose(1, 0, 2)
    return out


def _known(mesh: WornMesh) -> np.ndarray:
    """(W,) bool: matched, or so far away that it stays."""
    far = distance_from(mesh.graph, mesh.matched, REACH) >= REACH
    return mesh.matched | far


def _own(shift: np.ndarray, mesh: WornMesh, found: Correspondence) -> np.ndarray:
    """(V, 3) f32: displacements (W, 3) in model space, metres, in the mesh's own coordinates."""
    place = found.to_model
    return (shift[mesh.of_vertex] @ place.rotation / place.scale).astype(np.float32)
