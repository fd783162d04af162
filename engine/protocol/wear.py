"""The directory of a `WearJob`: a result on somebody's own head mesh, and its strict reader.

wear.json: `WearManifest`. shapes.safetensors: expression (E, V, 3) f32 and likeness (V, 3) f32,
displacements in the mesh's own coordinates and vertex order; covered (F,) u8, 1 for faces that
wear the maps. maps/NAME.png in the mesh's own UVs: albedo, albedo_coarse (sRGB), normal (tangent
space, +y up, stored signed), roughness, coverage (1 the person's, 0 filled with tones of skin).
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .errors import EngineError, ErrorCode
from .names import bad_name
from .plain_files import read_plain
from .result import file_sha256
from .result_schema import PackInfo
from .safetensors import read_safetensors
from .strict import from_plain, parse_json

WEAR_SCHEMA = 1
WEAR_JSON = "wear.json"
SHAPES_NAME = "shapes.safetensors"
MAP_NAMES = ("albedo", "albedo_coarse", "normal", "roughness", "coverage")
WEAR_FILES = frozenset({SHAPES_NAME, *(f"maps/{name}.png" for name in MAP_NAMES)})
MAX_MANIFEST_BYTES = 2**20

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class WearManifest:
    """`wear.json`. result: sha256 of the result.json that is worn. pack: of that result's head.

    vertices, faces: of the mesh. expression_names: along the first axis of `expression`, none
    when shapes were not asked for. metrics: figures of the registration and the transfer, metres
    and shares. quality: how well the mesh corresponds, in words. files: sha256 by name.
    """

    schema: int
    engine: str
    mesh: str
    result: str
    pack: PackInfo
    vertices: int
    faces: int
    size: int
    expression_names: tuple[str, ...]
    metrics: dict[str, float]
    quality: tuple[str, ...]
    warnings: tuple[str, ...]
    files: dict[str, str]


@dataclass(frozen=True, eq=False)
class WearPackage:
    """A checked directory. expression (E, V, 3) f32: displacement at weight 1. likeness (V, 3)
    f32: from the artist's shape to the person's. Both in the mesh's own coordinates, zeros when
    shapes were not asked for. covered (F,) bool: faces that wear the maps."""

    folder: Path
    manifest: WearManifest
    expression: np.ndarray
    likeness: np.ndarray
    covered: np.ndarray

    def path(self, name: str) -> Path:
        """Path of a file. Raises EngineError(BAD_INPUT) when the directory has none such."""
        if name not in self.manifest.files:
            raise invalid_wear(f"it has no file {name!r}")
        return self.folder / name


def invalid_wear(why: str) -> EngineError:
    """The error for a directory that cannot be used."""
    return EngineError(
        ErrorCode.BAD_INPUT,
        f"What the head should wear cannot be used: {why}.",
        "Let it wear the result again.",
    )


def read_wear_manifest(folder: Path) -> WearManifest:
    """`wear.json` alone, strictly. Raises EngineError(BAD_INPUT)."""
    path = Path(folder) / WEAR_JSON
    try:
        data = read_plain(path, MAX_MANIFEST_BYTES)
        plain = parse_json(data, lambda why: invalid_wear(f"{WEAR_JSON}: {why}"))
    except OSError as error:
        raise invalid_wear(f"{WEAR_JSON} cannot be read ({error.strerror})") from error
    schema = plain.get("schema") if isinstance(plain, dict) else None
    if schema != WEAR_SCHEMA:
        raise invalid_wear(f"its schema is {schema!r}, this version reads {WEAR_SCHEMA}")
    manifest: WearManifest = from_plain(WearManifest, plain, WEAR_JSON, invalid_wear)
    check_wear_manifest(manifest)
    return manifest


def check_wear_manifest(manifest: WearManifest) -> None:
    """Names and sums inside the manifest. Raises EngineError(BAD_INPUT)."""
    names = manifest.expression_names
    found = bad_name(names)
    if found is not None:
        raise invalid_wear(f"expression_names has {found}")
    if SHAPES_NAME not in manifest.files:
        raise invalid_wear(f"{WEAR_JSON} lists no {SHAPES_NAME}")
    for name, digest in manifest.files.items():
        if name not in WEAR_FILES:
            raise invalid_wear(f"{name[:100]!r} is not one of its files")
        if not _SHA256.fullmatch(digest):
            raise invalid_wear(f"the sha256 of {name} is malformed")


def read_wear(folder: Path) -> WearPackage:
    """A whole directory, checked: schema, sha256 of every file, arrays.

    Raises EngineError(BAD_INPUT) that says what is wrong.
    """
    folder = Path(folder)
    manifest = read_wear_manifest(folder)
    for name, digest in manifest.files.items():
        try:
            actual = file_sha256(folder / name)
        except OSError as error:
            raise invalid_wear(f"{name} cannot be read ({error.strerror})") from error
        if actual != digest:
            raise invalid_wear(f"{name} was changed after it was written (its sha256 differs)")
    try:
        arrays = read_safetensors(folder / SHAPES_NAME)
    except EngineError as error:
        raise invalid_wear(error.message.rstrip(".")) from error
    check_shapes(arrays, manifest)
    covered = arrays["covered"] > 0
    return WearPackage(folder, manifest, arrays["expression"], arrays["likeness"], covered)


def check_shapes(arrays: dict[str, np.ndarray], manifest: WearManifest) -> None:
    """Names, kinds and shapes of shapes.safetensors. Raises EngineError(BAD_INPUT)."""
    expected = {
        "expression": ((len(manifest.expression_names), manifest.vertices, 3), np.float32),
        "likeness": ((manifest.vertices, 3), np.float32),
        "covered": ((manifest.faces,), np.uint8),
    }
    if set(arrays) != set(expected):
        raise invalid_wear(f"{SHAPES_NAME} must hold {', '.join(expected)}")
    for name, (shape, kind) in expected.items():
        array = arrays[name]
        if array.shape != shape or array.dtype != kind:
            raise invalid_wear(f"{name} must have shape {shape}, got {array.shape}")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise invalid_wear(f"{name} has values that are not finite")
