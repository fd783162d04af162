"""Schema of `result.json`: frozen dataclasses and the checks that need nothing but the manifest."""

import re
from dataclasses import dataclass

import numpy as np

from .errors import EngineError, ErrorCode
from .history import MOST_STEPS, FitStep
from .names import PACK_ID, bad_name

MANIFEST_NAME = "result.json"
COEFFICIENTS_NAME = "coefficients.safetensors"
MESH_NAME = "mesh.safetensors"
REQUIRED_FILES = (
    COEFFICIENTS_NAME,
    MESH_NAME,
    "maps/albedo_coarse.png",
    "maps/albedo_detail.png",
    "maps/photo_layer.png",
    "maps/albedo.png",
    "maps/origin.png",
    "maps/confidence.png",
    "maps/baked_light.png",
    "maps/normal.png",
    "maps/roughness.png",
    "residual.png",
)
OTHER_FILES = (
    "head.obj",
    "head_neutral.obj",
    "head.glb",
    "render.png",
    "compare.png",
)
"""For people, scripts and other programs (with head.mtl): all of them or none."""

MAX_MANIFEST_BYTES = 4 * 2**20
ROTATION_TOLERANCE = 1e-3
"""Largest entry of R R^T - I. Ours: float32 rotations are at 1e-6, a wrong matrix far above."""

MOST_TEXELS = 8192
"""Of a side of a picture of the result. Ours: maps have 4096 at most."""
MOST_SIZE = 10.0
"""Metres from the origin. Ours: a head, its shoulders and a scan's floor are far below."""
MOST_SIDE = 1_000_000
"""Pixels of a side of the photo; above what is read, see `config.PhotoLimits`."""
MOST_LIGHT = 1e4
"""Of a coefficient. Ours: fits are of the order of one."""
MOST_DISTANCE = 1e4
"""Metres to the camera, and focal lengths in picture widths. Ours: telescopes are below."""
MOST_FILES = 100
MOST_LINES = 1000
MOST_PATH = 32_767
"""Letters; the longest that Windows knows."""
MOST_FOUND_FACES = 10_000

_NAME_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_SHA256 = re.compile(r"[0-9a-f]{64}")

Rows = tuple[tuple[float, ...], ...]


def _rows(matrix: np.ndarray) -> Rows:
    return tuple(tuple(map(float, row)) for row in matrix)


@dataclass(frozen=True)
class EngineInfo:
    """Version of the engine that wrote the result."""

    version: str


@dataclass(frozen=True)
class PackInfo:
    """A pack that was used; sha256 of its pack.json."""

    id: str
    version: str
    sha256: str


@dataclass(frozen=True)
class PhotoInfo:
    """Main photo: path as given, size in pixels after EXIF orientation, face index of `faces`."""

    path: str
    width: int
    height: int
    face: int
    faces: int
    sha256: str


@dataclass(frozen=True)
class CameraInfo:
    """Pinhole camera in pixels of the photo: `pixel = K (R x + t)`, OpenCV axes, metres."""

    K: Rows
    R: Rows
    t: tuple[float, ...]
    width: int
    height: int

    @classmethod
    def from_arrays(
        cls, K: np.ndarray, R: np.ndarray, t: np.ndarray, width: int, height: int
    ) -> "CameraInfo":
        """K (3, 3), R (3, 3), t (3,) of any float type."""
        return cls(_rows(K), _rows(R), tuple(map(float, t)), width, height)


@dataclass(frozen=True)
class LightInfo:
    """sh: 9 x 3 shading coefficients, linear RGB (`conventions.sh_basis`)."""

    sh: Rows

    @classmethod
    def from_array(cls, sh: np.ndarray) -> "LightInfo":
        """sh (9, 3) of any float type."""
        return cls(_rows(sh))


@dataclass(frozen=True)
class ViewInfo:
    """One photo, its camera and light, and the weights of the person's expression in it."""

    photo: PhotoInfo
    camera: CameraInfo
    light: LightInfo
    expression: tuple[float, ...]


@dataclass(frozen=True)
class MeshInfo:
    """Names along the first axis of `expression` and of the values of `face_part`."""

    expression_names: tuple[str, ...]
    part_names: tuple[str, ...]


@dataclass(frozen=True)
class ResultManifest:
    """`result.json`. stages: seconds each. files: sha256 by name relative to the directory.

    coefficients: shape of each array in coefficients.safetensors, by name. albedo_pack: whose
    model the albedo coefficients belong to, None for the head pack's own; detail_pack: likewise
    for the detail coefficients, where there are any. others: further photos of the person. history:
    the fit and each refit that led here, where it is known.
    """

    schema: int
    engine: EngineInfo
    pack: PackInfo
    seed: int
    photo: PhotoInfo
    stages: dict[str, float]
    camera: CameraInfo
    light: LightInfo
    metrics: dict[str, float]
    warnings: tuple[str, ...]
    mesh: MeshInfo
    coefficients: dict[str, tuple[int, ...]]
    files: dict[str, str]
    albedo_pack: PackInfo | None = None
    detail_pack: PackInfo | None = None
    others: tuple[ViewInfo, ...] = ()
    history: tuple[FitStep, ...] = ()


def invalid(why: str) -> EngineError:
    """The error for a result directory that cannot be used."""
    return EngineError(
        ErrorCode.BAD_INPUT,
        f"This result directory cannot be used: {why}.",
        "Reconstruct the photo again.",
    )


def check_file_name(name: str) -> str:
    """The name, when it is a plain relative path with forward slashes. Raises BAD_INPUT."""
    if not name or not all(_NAME_PART.fullmatch(part) for part in name.split("/")):
        raise invalid(f"{name[:100]!r} is not a plain relative file name")
    return name


def check_manifest(manifest: ResultManifest) -> None:
    """Shapes and ranges inside the manifest. Raises EngineError(BAD_INPUT)."""
    _check_view("", manifest.photo, manifest.camera, manifest.light)
    for number, view in enumerate(manifest.others):
        where = f"others[{number}]."
        _check_view(where, view.photo, view.camera, view.light)
        if len(view.expression) != len(manifest.mesh.expression_names):
            raise invalid(f"{where}expression has {len(view.expression)} weights")
    for names in (manifest.mesh.expression_names, manifest.mesh.part_names):
        found = bad_name(names)
        if found is not None:
            raise invalid(f"mesh has {found}")
    for pack in (manifest.pack, manifest.albedo_pack, manifest.detail_pack):
        if pack is not None:
            _check_pack(pack)
    if max(len(manifest.warnings), len(manifest.metrics)) > MOST_LINES:
        raise invalid(f"it has more than {MOST_LINES} warnings or figures")
    if len(manifest.history) > MOST_STEPS:
        raise invalid(f"it tells of more than {MOST_STEPS} fits")
    if len(manifest.files) > MOST_FILES:
        raise invalid(f"it lists {len(manifest.files)} files, at most {MOST_FILES} are read")
    for name, digest in manifest.files.items():
        check_file_name(name)
        if not _SHA256.fullmatch(digest):
            raise invalid(f"the sha256 of {name} is malformed")


def _check_pack(pack: PackInfo) -> None:
    """An id is no path: it names a folder among the packs."""
    if not PACK_ID.fullmatch(pack.id) or not _SHA256.fullmatch(pack.sha256):
        raise invalid(f"{pack.id[:60]!a} is no pack with its sha256")
    if bad_name([pack.version]) is not None:
        raise invalid(f"the pack {pack.id} has no plain version")


def _check_view(where: str, photo: PhotoInfo, camera: CameraInfo, light: LightInfo) -> None:
    _check_rows(f"{where}camera.K", camera.K, 3, 3)
    _check_rows(f"{where}camera.R", camera.R, 3, 3)
    _check_rows(f"{where}camera.t", (camera.t,), 1, 3)
    _check_rows(f"{where}light.sh", light.sh, 9, 3)
    check_rotation(f"{where}camera.R", np.asarray(camera.R))
    focal_x, focal_y = camera.K[0][0], camera.K[1][1]
    if min(focal_x, focal_y, camera.width, camera.height) <= 0 or camera.K[2] != (0, 0, 1):
        raise invalid(
            f"{where}camera must have positive focal lengths, a size, and last row 0 0 1 in K"
        )
    if "\0" in photo.path or len(photo.path) > MOST_PATH:
        raise invalid(f"{where}photo.path is none")
    if max(camera.width, camera.height, photo.width, photo.height) > MOST_SIDE:
        raise invalid(f"{where}camera or photo is larger than {MOST_SIDE} pixels a side")
    side = max(camera.width, camera.height)
    span = [abs(value) / side for row in camera.K[:2] for value in row]
    if max(span) > MOST_DISTANCE or min(focal_x, focal_y) * MOST_DISTANCE < side:
        raise invalid(f"{where}camera.K is out of range")
    if max(map(abs, camera.t)) > MOST_DISTANCE:
        raise invalid(f"{where}camera.t is farther than {MOST_DISTANCE:g} metres")
    if max(abs(value) for row in light.sh for value in row) > MOST_LIGHT:
        raise invalid(f"{where}light.sh is larger than {MOST_LIGHT:g}")
    if not 0 <= photo.face < photo.faces <= MOST_FOUND_FACES:
        raise invalid(f"{where}photo.face is {photo.face} of {photo.faces} faces")


def _check_rows(where: str, rows: Rows, height: int, width: int) -> None:
    if [len(row) for row in rows] != [width] * height:
        raise invalid(f"{where} must be {height} x {width} numbers")


def check_rotation(where: str, rotation: np.ndarray) -> None:
    """Orthonormal with determinant +1, (3, 3). Raises EngineError(BAD_INPUT)."""
    small = np.abs(rotation).max() <= 1 + ROTATION_TOLERANCE  # also keeps the product finite
    if (
        not small
        or np.abs(rotation @ rotation.T - np.eye(3)).max() > ROTATION_TOLERANCE
        or np.linalg.det(rotation) < 0
    ):
        raise invalid(f"{where} is not a rotation")
