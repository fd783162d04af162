"""Find the face of a mesh whose units and axes nobody knows, and put it into model space."""

import math
from dataclasses import dataclass

import numpy as np
import torch

from ..head.camera import Camera
from ..head.numerics import align_similarity
from ..nets.bundle import Nets
from ..nets.face_mesh import FaceMesh
from ..protocol.errors import EngineError, ErrorCode
from ..render.render import orbit_camera
from ..reporter import Reporter
from .look import Dots, Shown, lift, show
from .mesh import HeadMesh
from .registration import Similarity

AXES = (
    ((0, 0, 1), (0, 1, 0)),
    ((0, -1, 0), (0, 0, 1)),
    ((0, 0, -1), (0, 1, 0)),
    ((0, 1, 0), (0, 0, 1)),
    ((1, 0, 0), (0, 1, 0)),
    ((-1, 0, 0), (0, 1, 0)),
    ((1, 0, 0), (0, 0, 1)),
    ((-1, 0, 0), (0, 0, 1)),
    ((0, 0, 1), (0, -1, 0)),
    ((0, -1, 0), (0, 0, -1)),
    ((0, 1, 0), (0, 0, -1)),
    ((0, 0, -1), (0, -1, 0)),
)
"""Where the face may look, and what may be up: usual axes first. The detector turns pictures by
quarters itself, so the rest are turns of these."""
SLANTED = 6
"""Directions between the axes that are tried last, each in two pitches."""
SIZE, BODY_SIZE = 448, 1024
"""Pixels a side of a picture; of one of a tall mesh, where the face is an eighth of it."""
TALL = 2.5
"""Longest side against the shortest, from which a mesh is taken for a body."""
CLOSE_SIDE = 2.2
"""Of the second look: side of the picture in lengths of the face's box."""
MOST_PARTS, LEAST_PART = 3, 0.05
"""Pieces that are also looked at alone, and their least share of the triangles."""
LEAST_PRESENCE = 0.8
MOST_DEVIATION = 0.008
"""Metres (median) by which landmarks on a head may miss those of the mean head after a
similarity. Ours: 2 to 6 mm on heads, also on cartoon ones; 15 and more on what is none."""
LEAST_FOUND = 150
"""Landmarks that must lie on the mesh."""


@dataclass(frozen=True, eq=False)
class FoundFace:
    """to_model: own coordinates to model space. piece (T,) bool: the triangles of the connected
    piece that carries the face. deviation: metres, see MOST_DEVIATION."""

    to_model: Similarity
    piece: np.ndarray
    deviation: float


def find_face(
    mesh: HeadMesh, mean: np.ndarray, weight: np.ndarray, nets: Nets, reporter: Reporter
) -> FoundFace:
    """The first direction from which a face is seen whose landmarks have a face's form.

    mean (468, 3) metres, weight (468,): the default head's landmarks. Raises EngineError(NO_FACE).
    """
    best: FoundFace | None = None
    views, parts = _views(), _parts(mesh)
    for number, rotation in enumerate(views):
        reporter.progress(number, len(views))
        for part in parts:
            found = _look_from(mesh, part, rotation, mean, weight, nets)
            if found is not None and (best is None or found.deviation < best.deviation):
                best = found
            if best is not None and best.deviation < MOST_DEVIATION:
                return best
    why = (
        f"No face was found on {mesh.name}, looking from all sides."
        if best is None
        else f"What looks like a face on {mesh.name} has not the form of one."
    )
    hint = "A human head with eyes, nose and mouth is needed, without hair or a mask before them."
    if inside_out(mesh):
        hint = "Its faces look inwards: recalculate its normals, so that they look outside."
    raise EngineError(ErrorCode.NO_FACE, why, hint)


def inside_out(mesh: HeadMesh) -> bool:
    """Whether the largest piece has a negative volume (about its middle, so that open edges
    matter little)."""
    piece = mesh.triangles[mesh.component == np.bincount(mesh.component).argmax()]
    corners = mesh.vertices[piece] - mesh.vertices[np.unique(piece)].mean(axis=0)
    return float(np.linalg.det(corners).sum()) < 0.0


def _views() -> list[np.ndarray]:
    """Rotations (3, 3) of the mesh that bring the direction looked at to +z and up to +y."""
    out = [_turn(np.array(ahead, float), np.array(up, float)) for ahead, up in AXES]
    for up in ((0.0, 1.0, 0.0), (0.0, 0.0, 1.0)):
        for step in range(SLANTED):
            angle = 2.0 * math.pi * (step + 0.5) / SLANTED
            flat = _turn(np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0]))
            if up[2]:
                flat = _turn(np.array([0.0, -1.0, 0.0]), np.array(up))
            cosine, sine = math.cos(angle), math.sin(angle)
            about = np.array([[cosine, 0.0, sine], [0.0, 1.0, 0.0], [-sine, 0.0, cosine]])
            out.append(about @ flat)
    return out


def _parts(mesh: HeadMesh) -> list[np.ndarray]:
    """(T,) bool masks of what is looked at: all of the mesh, then its largest pieces alone, since
    hair, clothes or helpers of a base mesh may hide the face."""
    everything = np.ones(len(mesh.triangles), dtype=bool)
    count = np.bincount(mesh.component)
    large = [k for k in np.argsort(-count)[:MOST_PARTS] if count[k] > LEAST_PART * count.sum()]
    if len(np.flatnonzero(count)) == 1:
        return [everything]
    return [everything, *(mesh.component == k for k in large)]


def _turn(ahead: np.ndarray, up: np.ndarray) -> np.ndarray:
    return np.stack([np.cross(up, ahead), up, ahead])


def _look_from(
    mesh: HeadMesh,
    part: np.ndarray,
    rotation: np.ndarray,
    mean: np.ndarray,
    weight: np.ndarray,
    nets: Nets,
) -> FoundFace | None:
    vertices = mesh.vertices @ rotation.T
    triangles = mesh.triangles[part]
    used = vertices[np.unique(triangles)]
    low, high = used.min(axis=0), used.max(axis=0)
    vertices = (vertices - (low + high) / 2.0) / (high - low).max()
    sides = np.sort(high - low)
    size = BODY_SIZE if sides[2] > TALL * sides[0] else SIZE
    framed = vertices[np.unique(triangles)]
    camera = orbit_camera(torch.from_numpy(framed.astype(np.float32)), 0.0, 0.0, size)
    seen = _marks(vertices, triangles, camera, nets)
    if seen is None:
        return None
    face, _, dots = seen
    box = face.points[:, :2].max(axis=0) - face.points[:, :2].min(axis=0)
    if box.max() < size / CLOSE_SIDE / 2.0:
        middle = face.points[:, :2].mean(axis=0)
        camera = _zoomed(camera, middle, CLOSE_SIDE * float(box.max()))
        seen = _marks(vertices, triangles, camera, nets)
        if seen is None:
            return None
        _, _, dots = seen
    rows = np.append(np.flatnonzero(part), -1)
    return _placed(mesh, rows[dots.triangle], dots.barycentric, mean, weight)


def _zoomed(camera: Camera, middle: np.ndarray, side: float) -> Camera:
    """The camera of a square of that picture, enlarged to SIZE pixels."""
    factor = SIZE / side
    shift = np.diag([factor, factor, 1.0])
    shift[:2, 2] = SIZE / 2.0 - factor * middle
    intrinsics = torch.from_numpy((shift @ camera.intrinsics.numpy()).astype(np.float32))
    return Camera(intrinsics, camera.rotation, camera.translation, SIZE, SIZE)


def _marks(
    vertices: np.ndarray, triangles: np.ndarray, camera: Camera, nets: Nets
) -> tuple[FaceMesh, Shown, Dots] | None:
    shown = show(vertices, triangles, camera)
    faces = nets.detect_faces(shown.picture)
    if not faces:
        return None
    face = nets.face_mesh(shown.picture, faces[0])
    if face.presence < LEAST_PRESENCE:
        return None
    usable = np.ones(len(triangles), dtype=bool)
    return face, shown, lift(face, shown, vertices, triangles, usable)


def _placed(
    mesh: HeadMesh,
    triangle: np.ndarray,
    barycentric: np.ndarray,
    mean: np.ndarray,
    weight: np.ndarray,
) -> FoundFace | None:
    """The similarity from the mesh's own coordinates, robustly of landmarks on one piece."""
    hit = triangle >= 0
    if hit.sum() < LEAST_FOUND:
        return None
    pieces = mesh.component[triangle]
    piece = np.bincount(pieces[hit]).argmax()
    hit &= pieces == piece
    if hit.sum() < LEAST_FOUND:
        return None
    corners = mesh.triangles[triangle[hit]]
    own = np.einsum("lk,lkc->lc", barycentric[hit], mesh.vertices[corners])
    goal, share = mean[hit], weight[hit].astype(np.float64)
    for _ in range(4):
        similarity = Similarity(*align_similarity(own, goal, share))
        miss = np.linalg.norm(similarity.apply(own) - goal, axis=1)
        # Cauchy weights at the deviation of a plausible head (ours).
        share = weight[hit] / (1.0 + (miss / MOST_DEVIATION) ** 2)
    deviation = float(np.median(miss))
    return FoundFace(similarity, mesh.component == piece, deviation)
