"""Shapes of the person's head -> shapes of the artist's mesh."""

import numpy as np

from ..head.numerics import align_similarity, smoothstep
from ..protocol.headpack import HeadPack
from ..register.carry import transfer_shapes
from ..register.correspondence import Correspondence
from ..reporter import Reporter
from .coverage import open_ends
from .pieces import followers, moved_along
from .spread import continued, distance_from
from .worn import WornMesh

REACH = 0.08
"""Metres along the mesh beyond what is matched over which a shape dies out. Ours: the bottom of a
mouth bag is nearer, and must go along with the jaw."""
FADE = 0.03
"""Metres before the end of the head within which the person's likeness fades into the neck."""
_STEP = 13
"""Shapes at a time: four steps for ARKit's 52."""
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
    continues what its rim does; eyes, teeth, tongue and lashes follow the template's.
    Raises Cancelled.
    """
    bound = followers(mesh, head, found.template_vertices)
    known = _known(mesh)
    out = np.zeros((len(shapes), len(mesh.of_vertex), 3), np.float32)
    for start in range(0, len(shapes), _STEP):
        report.progress(start, len(shapes))
        some = shapes[start : start + _STEP].astype(np.float32)
        moved = _welded(transfer_shapes(found, some, head), mesh)
        flat = np.where(mesh.matched[:, None, None], moved, 0.0).reshape(len(mesh.vertices), -1)
        skin = continued(mesh.vertices, mesh.graph, flat, known).reshape(moved.shape)
        skin[~mesh.with_skin] = 0.0
        for number, shape in enumerate(some):
            shift = skin[:, number]
            for follower in bound:
                lead = shift if follower.of_skin else shape @ follower.carry.T
                points = mesh.vertices[follower.rows]
                shift[follower.rows] = moved_along(follower, points, lead, resize=False)
            out[start + number] = _own(shift, mesh, found)
    report.progress(len(shapes), len(shapes))
    return out


def carried_likeness(
    mesh: WornMesh, found: Correspondence, head: HeadPack, neutral: np.ndarray
) -> np.ndarray:
    """(V, 3) f32 displacement from the artist's shape to the person's, own coordinates.

    neutral (Vt, 3): the person's head on the template's vertices, metres. It is brought to the
    mesh's face by a similarity, so size and place remain the artist's.
    """
    laid, person = found.template_vertices, neutral.astype(np.float64)
    scale, turn, way = align_similarity(person, laid, head.groups[FACE].astype(np.float64))
    delta = scale * person @ turn.T + way - laid
    corners = head.triangles[found.triangle]
    moved = np.einsum("vk,vkc->vc", found.barycentric, delta[corners])
    ends = open_ends(mesh)
    fade = smoothstep(distance_from(mesh.graph, ends, 2.0 * FADE), 0.0, FADE)
    values = _welded(moved[None], mesh)[:, 0] * (fade * mesh.matched)[:, None]
    shift = continued(mesh.vertices, mesh.graph, values, mesh.matched | ends)
    shift[~mesh.with_skin] = 0.0
    for follower in followers(mesh, head, laid):
        lead = shift if follower.of_skin else delta
        points = mesh.vertices[follower.rows]
        shift[follower.rows] = moved_along(follower, points, lead, resize=True)
    return _own(shift, mesh, found)


def _welded(moved: np.ndarray, mesh: WornMesh) -> np.ndarray:
    """(W, E, 3) of (E, V, 3): what a matched vertex at the place does, if one is."""
    out = np.zeros((len(mesh.vertices), len(moved), 3))
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
