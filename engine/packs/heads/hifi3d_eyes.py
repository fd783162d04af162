"""FFHQ-UV's eyeballs in the sockets of a HiFi3D head: loose meshes that are placed per head.

Each ball is laid by five of its vertices on five of the socket (the authors' pairs), then moved
along y and z until the lids lie on it, and turned until it looks straight ahead; along the
identity it follows its socket. The authors push it in small steps instead (FFHQ-UV,
Mesh_Add_EyeBall); ours ends within a millimetre of their published heads. It wears our own picture
of an eye: in theirs the pupil is hardly darker than the iris, which the fit gives other colours.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.optimize import least_squares

from ...protocol.pack_manifest import PackPart
from ..build.eyeball import eyeball_uv, rotation_between
from ..build.textures import IRIS_ANGLE
from .files.limits import read_file
from .files.obj import ObjMesh, read_obj
from .hifi3d import LICENCE, Topology
from .source import HeadSource, source_error

LEFT_FILE, RIGHT_FILE = "eyeLeft_mesh_move.obj", "eyeRight_mesh_move.obj"
VERTICES = 770
LID_CLEARANCE = 0.0002
"""Metres between ball and lids. Ours: the published heads have 0 to 0.35 mm."""
IRIS_RADIUS = 0.00585
"""Metres: half the mean horizontal iris diameter of adults, 11.7 mm."""


@dataclass(frozen=True)
class EyeTable:
    """Vertices of one side. ball and socket: the authors' five pairs; lids: the rim of the lids,
    upper ones first."""

    part: str
    file: str
    ball: tuple[int, ...]
    socket: tuple[int, ...]
    lids: tuple[int, ...]


LEFT = EyeTable(
    "eye_left",
    LEFT_FILE,
    (755, 152, 442, 160, 176),
    (8536, 8560, 1883, 8517, 8523),
    (7196, 7635, 7223, 1250, 7199, 1352, 1883, 8472, 8483, 8466, 8502, 8567, 8477)
    + (16946, 16950, 8492, 8489, 8495, 8491),
)
RIGHT = EyeTable(
    "eye_right",
    RIGHT_FILE,
    (755, 136, 458, 160, 208),
    (13640, 13663, 4428, 13618, 13625),
    (3790, 12773, 12357, 3897, 12382, 3795, 4428, 13576, 13586, 13570, 13602, 13659, 13579)
    + (13584, 13573, 13593, 13590, 13597, 13594),
)


@dataclass(frozen=True, eq=False)
class Eyeball:
    """A ball in its socket. vertices (n, 3) metres; centre (3,); uv (f, 4, 2) in our layout of
    the eye; faces (f, 4); follow (m,): vertices of the head that carry it."""

    part: str
    vertices: np.ndarray
    centre: np.ndarray
    faces: np.ndarray
    uv: np.ndarray
    follow: np.ndarray


def with_eyes(source: HeadSource, topology: Topology, files: Mapping[str, Path]) -> HeadSource:
    """The source with both eyeballs, when both their meshes are among `files`; unchanged
    otherwise. Raises EngineError(PACK_INVALID) for broken ones."""
    if LEFT_FILE not in files or RIGHT_FILE not in files:
        return source
    balls = [place_eye(source.mean, topology, side, files[side.file]) for side in (LEFT, RIGHT)]
    origin = "FFHQ-UV (CVPR 2023)"
    parts = tuple(
        PackPart(
            side.part, f"eyeball, {side.file}", LICENCE, origin, read_file(files[side.file])[1]
        )
        for side in (LEFT, RIGHT)
    )
    return _joined(replace(source, parts=source.parts + parts), balls)


def place_eye(mean: np.ndarray, topology: Topology, side: EyeTable, path: Path) -> Eyeball:
    """The ball of one side in the mean head. mean (V, 3) metres, topology of the released size.

    Raises EngineError(PACK_INVALID) for a mesh that is not that eyeball.
    """
    mesh = read_obj(path)
    if len(mesh.vertices) != VERTICES or mesh.uv_faces.min() < 0:
        found = f"{len(mesh.vertices)} vertices"
        raise source_error(path.name, "v", f"{VERTICES} vertices with UVs", found)
    head = mean.astype(np.float64)
    start, goal = mesh.vertices[list(side.ball)], head[list(side.socket)]
    start_middle, goal_middle = start.mean(axis=0), goal.mean(axis=0)
    spread = ((start - start_middle) ** 2).sum()
    scale = np.sqrt(((goal - goal_middle) ** 2).sum() / spread)
    turn = rotation_between(start, goal)
    centre, radius = sphere_of(mesh.vertices)
    middle = scale * turn @ (centre - start_middle) + goal_middle
    middle[1:] = _under_lids(middle, scale * radius, head[list(side.lids)])
    ahead = _straight(mesh, centre) @ (mesh.vertices - centre).T * scale
    vertices = ahead.T + middle
    faces = mesh.faces if mesh.faces.shape[1] == 4 else np.c_[mesh.faces, mesh.faces[:, -1]]
    uv = _eye_uv(ahead.T, scale * radius).astype(np.float32)[faces]
    follow = _socket(topology, side)
    return Eyeball(side.part, vertices, middle, faces.astype(np.int32), uv, follow)


def _eye_uv(offsets: np.ndarray, radius: float) -> np.ndarray:
    """(n, 2) UVs in our layout of offsets (n, 3) from the middle of a ball of `radius` metres.

    Our picture's iris belongs to a larger ball: the angle from the axis is scaled so that the iris
    has its size in metres on this one.
    """
    unit = offsets / np.linalg.norm(offsets, axis=1, keepdims=True)
    angle = np.arccos(np.clip(unit[:, 2], -1.0, 1.0))
    angle = np.minimum(angle * IRIS_ANGLE / np.arcsin(IRIS_RADIUS / radius), np.pi)
    flat = unit[:, :2] / np.maximum(np.hypot(unit[:, 0], unit[:, 1]), 1e-9)[:, None]
    return eyeball_uv(np.column_stack([flat * np.sin(angle)[:, None], np.cos(angle)]))


def sphere_of(points: np.ndarray) -> tuple[np.ndarray, float]:
    """Centre (3,) and radius of the sphere nearest to points (n, 3): linear least squares."""
    table = np.column_stack([2.0 * points, np.ones(len(points))])
    solved = np.linalg.lstsq(table, (points**2).sum(axis=1), rcond=None)[0]
    return solved[:3], float(np.sqrt(solved[3] + solved[:3] @ solved[:3]))


def _under_lids(middle: np.ndarray, radius: float, lids: np.ndarray) -> np.ndarray:
    """y and z of the ball's middle at which most of the lids lie on it."""

    def gaps(place: np.ndarray) -> np.ndarray:
        apart = np.linalg.norm(lids - np.array([middle[0], *place]), axis=1)
        return (apart - radius - LID_CLEARANCE) / LID_CLEARANCE

    return least_squares(gaps, middle[1:], loss="soft_l1").x


def _straight(mesh: ObjMesh, centre: np.ndarray) -> np.ndarray:
    """(3, 3) the shortest rotation that makes the ball look along +z: the middle of its picture
    is the pole."""
    apart = np.linalg.norm(mesh.uv[mesh.uv_faces] - 0.5, axis=-1)
    pole = mesh.vertices[mesh.faces.ravel()[np.argmin(apart)]] - centre
    pole = pole / np.linalg.norm(pole)
    axis, cosine = np.array([pole[1], -pole[0], 0.0]), pole[2]
    cross = np.array([[0, 0, axis[1]], [0, 0, -axis[0]], [-axis[1], axis[0], 0]])
    return np.eye(3) + cross + cross @ cross / (1.0 + cosine)


def _socket(topology: Topology, side: EyeTable) -> np.ndarray:
    """Vertices of the socket: of the UV island, other than the skin, that holds most pairs."""
    held = np.isin(topology.faces, side.socket).sum(axis=1) * topology.inner
    island = np.argmax(np.bincount(topology.island, held))
    return np.unique(topology.faces[(topology.island == island) & topology.inner])


def carried(ball: Eyeball, head: np.ndarray, modes: np.ndarray) -> np.ndarray:
    """(K, n, 3) f32: how the ball moves with modes (K, V, 3) of its head (V, 3): with the middle
    of its socket, and in size (to first order; no turning)."""
    offsets = head[ball.follow] - head[ball.follow].mean(axis=0)
    moves = modes[:, ball.follow]
    shift = moves.mean(axis=1, keepdims=True)
    growth = np.einsum("kvx,vx->k", moves - shift, offsets) / (offsets**2).sum()
    reach = head[ball.follow].mean(axis=0) - ball.centre
    own = ball.vertices - ball.centre
    return (shift + growth[:, None, None] * (own - reach)).astype(np.float32)


def _joined(source: HeadSource, balls: list[Eyeball]) -> HeadSource:
    """All arrays of the head with the balls behind."""
    mean, identity, expression = [source.mean], [source.identity], [source.expression]
    faces, uv, part, names = [source.faces], [source.corner_uv], [source.face_part], []
    for ball in balls:
        first = sum(map(len, mean))
        mean.append(ball.vertices.astype(np.float32))
        identity.append(carried(ball, source.mean, source.identity))
        still = (len(source.expression), len(ball.vertices), 3)
        expression.append(np.zeros(still, np.float32))
        faces.append(ball.faces + np.int32(first))
        uv.append(ball.uv)
        part.append(np.full(len(ball.faces), len(source.part_names) + len(names), np.uint8))
        names.append(ball.part)
    own = np.concatenate([np.zeros_like(source.corner_uv), *uv[1:]])
    extra = sum(len(ball.faces) for ball in balls)
    return replace(
        source,
        mean=np.concatenate(mean),
        identity=np.concatenate(identity, axis=1),
        expression=np.concatenate(expression, axis=1),
        faces=np.concatenate(faces),
        corner_uv=np.concatenate(uv),
        part_uv=own,
        face_part=np.concatenate(part),
        part_names=(*source.part_names, *names),
        inner=np.concatenate([source.inner, np.zeros(extra, bool)]),
    )
