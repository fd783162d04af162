"""ICT-FaceKit Light: 100 modes of light-stage scans and ARKit's shapes, as its makers release it.

`FaceXModel/` holds whole meshes of one topology: the neutral head, `identityNNN` (the head at one
standard deviation of a mode) and one mesh a shape. Centimetres, y up, facing z. Materials name the
parts; after its readme, face, head and neck come first and sockets and mouth bag after them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np

from ...protocol.pack_manifest import PackPart
from ...reporter import Reporter
from ..build.eyeball import eyeball_uv
from ..build.part_uv import strip_coordinates
from ..build.topology import face_pieces
from ..calibrate.ict import LANDMARKS_68
from .donors import sphere_of
from .files.limits import read_file
from .files.members import read_members
from .files.obj import ObjMesh, parse_obj
from .ict_eyes import settled_eye
from .source import HeadSource, check_source, source_error

METRES = 0.01
NEUTRAL = "generic_neutral_mesh"
PARTS = (
    *("skin", "eye_left", "eye_right", "teeth_upper", "teeth_lower", "tongue"),
    *("lashes_left", "lashes_right"),
)
MATERIALS = {
    "M_Face": "skin",
    "M_BackHead": "skin",
    "M_ScleraLeft": "eye_left",
    "M_ScleraRight": "eye_right",
    "M_Teeth": "teeth_upper",
    "M_GumsTongue": "tongue",
    "M_EyeLashes": "lashes_left",
}
"""Materials to parts, before sides are told apart. The eyeball's outer surface is drawn with our
eye; the iris behind it and the films of tears and shade over it need transparency and are left
out. Gums and tongue are one surface."""
_SIDED = (
    *("browDown", "browOuterUp", "cheekSquint", "eyeBlink", "eyeLookDown", "eyeLookIn"),
    *("eyeLookOut", "eyeLookUp", "eyeSquint", "eyeWide", "mouthDimple", "mouthFrown"),
    *("mouthLowerDown", "mouthPress", "mouthSmile", "mouthStretch", "mouthUpperUp", "noseSneer"),
)
_MIDDLE = (
    *("jawForward", "jawLeft", "jawOpen", "jawRight", "mouthClose", "mouthFunnel", "mouthLeft"),
    *("mouthPucker", "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower"),
    "mouthShrugUpper",
)
SHAPES: Mapping[str, tuple[str, ...]] = {
    **{name + side: (f"{name}_{side[0]}",) for name in _SIDED for side in ("Left", "Right")},
    **{name: (name,) for name in _MIDDLE},
    **{name: (f"{name}_L", f"{name}_R") for name in ("browInnerUp", "cheekPuff")},
    "cheekRaiser_L": ("cheekRaiser_L",),
    "cheekRaiser_R": ("cheekRaiser_R",),
}
"""Our names to the files that are added up: 51 of ARKit's 52 shapes (it has no tongueOut), then
its own. PupilDilate moves only the iris behind the eyeball's surface."""
LOWER_TEETH = 0.1
"""Of the largest motion under jawOpen: above it a tooth is a lower one; upper ones stand still."""
LIPS_MEET = 0.02
"""Of jawOpen that is taken off the neutral head, whose lips stand 0.8 mm apart with teeth between
them: no shape of the model closes them. Ours: the least that hides the teeth."""
BLINK = 1.12
"""Factor on the blinks, which leave 8 square millimetres of each eye open. Ours: the least that
closes them."""
FIT = {"depth_sigma": 0.3}
"""Ours, on scans: depth of landmarks, measured on the default head, is trusted less; 3 % better."""
EYE_RADIUS = 0.01495
"""Metres, of the eyeball that our eye's picture was drawn for; irises hardly differ in size, so on
other balls it is scaled."""


@dataclass(frozen=True)
class IctLayout:
    """Vertices of the whole mesh and of face, head and neck, which come first (its readme's
    topology table); number of identity modes; vertices of the 68 landmarks."""

    vertices: int = 26719
    surface: int = 11248
    modes: int = 100
    landmarks: tuple[int, ...] = LANDMARKS_68


def read(paths: Sequence[Path], reporter: Reporter) -> HeadSource:
    """The model from `FaceXModel/`, the folder or archive round it. Some seconds.

    Raises EngineError(PACK_INVALID) and Cancelled.
    """
    return read_layout(paths, reporter, IctLayout())


def read_layout(paths: Sequence[Path], reporter: Reporter, layout: IctLayout) -> HeadSource:
    """`read` of meshes of another size, for tests. Raises as it does."""
    if len(paths) != 1:
        found = f"{len(paths)} paths"
        raise source_error("ICT-FaceKit", "", "one folder or archive, FaceXModel", found)
    path = Path(paths[0])
    meshes = _read_meshes(path, reporter, layout)
    rest = meshes.positions[NEUTRAL]
    if len(rest) != layout.vertices:
        raise source_error(path.name, NEUTRAL, f"{layout.vertices} vertices", str(len(rest)))
    modes = np.stack([meshes.positions[name] for name in _mode_names(layout)]) - rest
    shapes = np.stack(
        [sum(meshes.positions[file] - rest for file in files) for files in SHAPES.values()]
    )
    for name in ("eyeBlinkLeft", "eyeBlinkRight"):
        shapes[list(SHAPES).index(name)] *= BLINK
    closed = rest - LIPS_MEET * shapes[list(SHAPES).index("jawOpen")]
    head = _Head(meshes.neutral, closed, modes, shapes, layout)
    return check_source(_source(head, meshes.digest), path.name)


def _mode_names(layout: IctLayout) -> list[str]:
    return [f"identity{number:03d}" for number in range(layout.modes)]


@dataclass(frozen=True, eq=False)
class _Meshes:
    """The neutral mesh; positions by file (V, 3) f64 centimetres; sha256 of what was read."""

    neutral: ObjMesh
    positions: Mapping[str, np.ndarray]
    digest: str


def _read_meshes(path: Path, reporter: Reporter, layout: IctLayout) -> _Meshes:
    stems = [NEUTRAL, *_mode_names(layout), *(file for files in SHAPES.values() for file in files)]
    wanted = [f"{stem}.obj" for stem in stems]
    positions: dict[str, np.ndarray] = {}
    digests: dict[str, str] = {}
    neutral: ObjMesh | None = None
    for name, data in read_members(path, set(wanted)):
        reporter.progress(len(positions), len(wanted))
        stem = name.removesuffix(".obj")
        positions[stem] = _positions(data, name)
        digests[name] = sha256(data).hexdigest()
        if stem == NEUTRAL:
            neutral = parse_obj(data.decode("utf-8", errors="replace"), name)
    missing = [name for name in wanted if name not in digests]
    if missing or neutral is None:
        raise source_error(path.name, missing[0], "this file", f"none; {len(missing)} are missing")
    count = len(positions[NEUTRAL])
    for stem, values in positions.items():
        if len(values) != count:
            raise source_error(f"{stem}.obj", "v", f"{count} vertices", str(len(values)))
    if path.is_file():
        return _Meshes(neutral, positions, read_file(path)[1])
    listing = "".join(f"{name} {digests[name]}\n" for name in sorted(digests))
    return _Meshes(neutral, positions, sha256(listing.encode()).hexdigest())


def _positions(data: bytes, name: str) -> np.ndarray:
    """(V, 3) f64: the vertices of an OBJ file, without its faces."""
    lines = [line[2:] for line in data.splitlines() if line.startswith(b"v ")]
    if not lines:
        raise source_error(name, "v", "vertices", "none")
    try:
        values = np.loadtxt(lines, usecols=(0, 1, 2), ndmin=2, comments=None)
    except ValueError as error:
        raise source_error(name, "v", "three numbers a vertex", "something else") from error
    if not np.isfinite(values).all():
        raise source_error(name, "v", "finite numbers", "infinite or undefined ones")
    return values


@dataclass(frozen=True, eq=False)
class _Head:
    """The model in its own units: rest (V, 3), modes (K, V, 3), shapes (E, V, 3)."""

    mesh: ObjMesh
    rest: np.ndarray
    modes: np.ndarray
    shapes: np.ndarray
    layout: IctLayout


def _source(head: _Head, digest: str) -> HeadSource:
    """The model in metres: its parts found, eyes that turn, vertices that nothing uses left out."""
    part = _parts(head)
    kept = np.flatnonzero(part >= 0)
    faces, part = head.mesh.faces[kept], part[kept]
    stacked = np.concatenate([head.rest[None], head.modes, head.shapes])
    for number, side in enumerate(("Left", "Right"), start=1):
        eye = np.unique(faces[part == number])
        stacked[:, eye] = settled_eye(stacked[:, eye], 1 + len(head.modes), tuple(SHAPES), side)
    used = np.unique(faces)
    place = np.zeros(len(head.rest), dtype=np.int32)
    place[used] = np.arange(len(used))
    metres = np.ascontiguousarray(stacked[:, used] * METRES, dtype=np.float32)
    expression = metres[1 + len(head.modes) :]
    about = (
        f"ICT-FaceKit Light: mean head, {len(head.modes)} identity modes, {len(expression)} shapes "
        "of light-stage scans (copyright 2020 USC Institute for Creative Technologies)"
    )
    uv = _part_uv(head, kept, part, stacked[0])
    return HeadSource(
        id="ict",
        version="1.0.0",
        parts=(PackPart("geometry and expressions", about, "MIT", "ICT-FaceKit", digest),),
        mean=metres[0],
        identity=metres[1 : 1 + len(head.modes)],
        expression=expression,
        expression_names=tuple(SHAPES),
        faces=place[faces],
        face_part=part.astype(np.uint8),
        part_names=PARTS,
        part_uv=uv.astype(np.float32),
        inner=(faces >= head.layout.surface).any(axis=1) & (part == 0),
        landmarks68=place[np.array(head.layout.landmarks)],
        fit=FIT,
    )


def _parts(head: _Head) -> np.ndarray:
    """(F,) part of each face, -1 for what is left out. Sides are the subject's: left is +x."""
    materials = head.mesh.materials
    found = set(materials.tolist())
    for name in MATERIALS:
        if name not in found:
            listed = ", ".join(sorted(found)) or "no materials"
            raise source_error(f"{NEUTRAL}.obj", "usemtl", name, listed)
    part = np.full(len(materials), -1)
    for name, title in MATERIALS.items():
        part[materials == name] = PARTS.index(title)
    centre = head.rest[head.mesh.faces].mean(axis=1)
    lashes = part == PARTS.index("lashes_left")
    part[lashes & (centre[:, 0] < 0.0)] = PARTS.index("lashes_right")
    motion = np.linalg.norm(head.shapes[list(SHAPES).index("jawOpen")], axis=1)
    motion = motion[head.mesh.faces].mean(axis=1)
    teeth = part == PARTS.index("teeth_upper")
    part[teeth & (motion > LOWER_TEETH * motion[teeth].max())] = PARTS.index("teeth_lower")
    return part


def _part_uv(head: _Head, kept: np.ndarray, part: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """(F, 4, 2): eyes and lashes in the layout of our textures, all else in the model's own tiles.
    rest (V, 3): with the eyes settled."""
    faces, index = head.mesh.faces[kept], head.mesh.uv_faces[kept]
    uv = np.zeros((*faces.shape, 2))
    if len(head.mesh.uv):
        uv = np.where(index[..., None] >= 0, head.mesh.uv[index], 0.0) % 1.0
    for eye, lashes in ((1, PARTS.index("lashes_left")), (2, PARTS.index("lashes_right"))):
        corners = faces[part == eye]
        middle, radius = sphere_of(rest[np.unique(corners)])
        offset = (rest[corners] - middle).reshape(-1, 3)
        larger = radius * METRES / EYE_RADIUS
        spread = 0.5 + larger * (eyeball_uv(offset) - 0.5)
        uv[part == eye] = np.clip(spread, 0.0, 1.0).reshape(-1, 4, 2)
        uv[part == lashes] = _lash_uv(faces[part == lashes], rest, middle)
    return uv


def _lash_uv(strips: np.ndarray, rest: np.ndarray, eye: np.ndarray) -> np.ndarray:
    """(n, 4, 2) of an eye's cards: along the lid, and from root to tip; the upper lid's in the
    upper half of the tile (`build/part_uv.py`)."""
    uv = np.zeros((*strips.shape, 2))
    piece = face_pieces(strips, [])
    for label in np.unique(piece):
        card = strips[piece == label]
        across, along = strip_coordinates(card, rest, eye)
        upper = 0.5 if rest[card, 1].mean() > eye[1] else 0.0
        uv[piece == label] = np.stack([across, 0.5 * along + upper], axis=-1)
    return uv
