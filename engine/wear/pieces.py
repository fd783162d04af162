"""Eyes, teeth, tongue and lashes of the artist's mesh: pieces that follow those of the template."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from ..head.numerics import align_similarity
from ..protocol.headpack import HeadPack
from ..register.warp import Warp
from .worn import WornMesh

RIGID = frozenset({"eye_left", "eye_right", "teeth_upper", "teeth_lower"})
"""Parts that move as one body; others bend."""
SKIN = "skin"
_NEAR = 0.008
"""Metres, median distance between a piece and the part or skin that it follows, at most (ours:
lashes and brows lie nearer; hair caps and collars do not follow every smile)."""
_BEND = 4
"""Vertices of the part that a vertex of a bending piece follows."""


@dataclass(frozen=True, eq=False)
class Follower:
    """A piece of the mesh and what it follows. rows (n,): vertices of the mesh. leaders (n, k):
    vertices of the template, or of the mesh's skin where `of_skin`; weights (n, k). part: which
    one it follows."""

    rows: np.ndarray
    leaders: np.ndarray
    weights: np.ndarray
    part: str

    @property
    def of_skin(self) -> bool:
        """Led by the mesh's own skin, not by a part of the template."""
        return self.part == SKIN

    @property
    def rigid(self) -> bool:
        """Moves as one body."""
        return self.part in RIGID


def followers(mesh: WornMesh, head: HeadPack, laid: np.ndarray) -> list[Follower]:
    """Of each piece without skin what it follows, if anything. laid (Vt, 3): the template's
    vertices on the mesh, metres."""
    out = []
    parts = _parts(head, laid)
    skin = np.flatnonzero(mesh.matched)
    on_skin = cKDTree(mesh.vertices[skin])
    for number in np.unique(mesh.piece[~mesh.with_skin]):
        rows = np.flatnonzero(mesh.piece == number)
        points = mesh.vertices[rows]
        if len(rows) < 3:
            continue
        far = {name: np.median(tree.query(points)[0]) for name, (_, tree) in parts.items()}
        best = min(far, key=far.__getitem__) if far else SKIN
        away, near = on_skin.query(points)
        if best != SKIN and far[best] < min(_NEAR, float(np.median(away))):
            vertices, tree = parts[best]
            distance, nearest = tree.query(points, k=min(_BEND, len(vertices)))
            weights = 1.0 / np.maximum(distance, 1e-5)
            weights /= weights.sum(axis=1, keepdims=True)
            out.append(Follower(rows, vertices[nearest], weights, best))
        elif np.median(away) < _NEAR:
            leaders = skin[near][:, None]
            out.append(Follower(rows, leaders, np.ones(leaders.shape), SKIN))
    return out


def _parts(head: HeadPack, laid: np.ndarray) -> dict[str, tuple[np.ndarray, cKDTree]]:
    found = {}
    for index, name in enumerate(head.part_names):
        faces = head.quads[head.face_part == index]
        if name != SKIN and len(faces):
            vertices = np.unique(faces)
            found[name] = (vertices, cKDTree(laid[vertices]))
    return found


def moved_along(follower: Follower, points: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """(n, 3) displacement of the piece's points (n, 3). shift (M, 3): of the vertices that lead,
    in the mesh's frame."""
    own = np.einsum("nk,nkc->nc", follower.weights, shift[follower.leaders])
    return as_one_body(points, own, resize=False) if follower.rigid else own


def carried_parts(shape: np.ndarray, head: HeadPack, warp: Warp) -> np.ndarray:
    """(Vt, 3) displacements of the template's parts that are not skin (elsewhere 0), taken to the
    mesh by the map of space. shape (Vt, 3): at rest, metres."""
    out = np.zeros_like(shape, dtype=np.float64)
    others = np.unique(head.quads[head.face_part != head.part_names.index(SKIN)])
    moving = others[np.abs(shape[others]).max(axis=1) > 0.0]
    if len(moving):
        rest = head.mean[moving].astype(np.float64)
        out[moving] = warp.apply(rest + shape[moving]) - warp.apply(rest)
    return out


def as_one_body(points: np.ndarray, shift: np.ndarray, resize: bool) -> np.ndarray:
    """(n, 3) the turn and way (resize: and size) that fit displacements (n, 3) of points best."""
    if not np.abs(shift).max() > 0.0:
        return shift
    goal = points + shift
    scale, turn, _ = align_similarity(points, goal, np.ones(len(points)))
    about = points - points.mean(axis=0)
    return (scale if resize else 1.0) * about @ turn.T + goal.mean(axis=0) - points
