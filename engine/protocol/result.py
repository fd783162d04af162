"""The result directory: a reader that trusts nothing.

Names, shapes and units of the files: `engine/DESIGN.md`. The engine writes it
(`engine/result/write.py`), Blender, tests and benchmarks read it here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .errors import EngineError
from .faces import doubled_corners
from .plain_files import read_plain, sha256_of
from .png import png_size
from .result_schema import (
    COEFFICIENTS_NAME,
    MANIFEST_NAME,
    MAX_MANIFEST_BYTES,
    MESH_NAME,
    MOST_SIZE,
    MOST_TEXELS,
    OTHER_FILES,
    REQUIRED_FILES,
    MeshInfo,
    ResultManifest,
    check_file_name,
    check_manifest,
    check_rotation,
    invalid,
)
from .safetensors import read_safetensors
from .strict import from_plain, parse_json
from .version import RESULT_SCHEMA, schema_compatible


@dataclass(frozen=True, eq=False)
class ResultMesh:
    """All parts in metres, model space.

    neutral (V, 3) f32; expression (E, V, 3) f16, delta at weight 1; quads (F, 4) i32,
    counter-clockwise from outside; corner_uv (F, 4, 2) f32, v up; face_part (F,) u8.
    """

    neutral: np.ndarray
    expression: np.ndarray
    quads: np.ndarray
    corner_uv: np.ndarray
    face_part: np.ndarray

    def posed(self, weights: np.ndarray) -> np.ndarray:
        """(V, 3) f32 vertices: neutral plus the expression deltas times `weights` (E,)."""
        delta = np.tensordot(weights.astype(np.float32), self.expression.astype(np.float32), 1)
        return self.neutral + delta


@dataclass(frozen=True, eq=False)
class ResultPackage:
    """A checked result directory.

    coefficients: identity (K,), expression (E,), rotation (3, 3), translation (3,),
    light (9, 3), albedo (3, K); detail (C, H, W) where the fit had a detail model.
    """

    folder: Path
    manifest: ResultManifest
    coefficients: Mapping[str, np.ndarray]
    mesh: ResultMesh

    def path(self, name: str) -> Path:
        """Path of a file of the result. Raises EngineError(BAD_INPUT) when it has none such."""
        if name not in self.manifest.files:
            raise invalid(f"it has no file {name!r}")
        return self.folder / name


def file_sha256(path: Path) -> str:
    """Hexadecimal sha256 of a plain file. Raises OSError."""
    return sha256_of(path)


def read_manifest(folder: Path) -> ResultManifest:
    """`result.json` alone, strictly decoded; no other file is opened. Raises BAD_INPUT."""
    plain, schema = _plain_manifest(folder)
    if not schema_compatible(schema):
        raise invalid(f"its schema is {schema!r}, this version reads {RESULT_SCHEMA}")
    manifest: ResultManifest = from_plain(ResultManifest, plain, MANIFEST_NAME, invalid)
    check_manifest(manifest)
    return manifest


def listed_files(folder: Path) -> tuple[str, ...]:
    """Names of the files of a result, also of one that an earlier version wrote and that nothing
    else reads any more: so that it can be replaced. Raises BAD_INPUT."""
    plain, schema = _plain_manifest(folder)
    files = plain.get("files")
    if not 1 <= schema <= RESULT_SCHEMA or not isinstance(files, dict):
        raise invalid(f"{MANIFEST_NAME} is not of this version or an earlier one")
    return tuple(check_file_name(name) for name in files)


def _plain_manifest(folder: Path) -> tuple[dict[str, object], int]:
    """`result.json` as it stands, and its schema."""
    path = folder / MANIFEST_NAME
    try:
        data = read_plain(path, MAX_MANIFEST_BYTES)
        plain = parse_json(data, lambda why: invalid(f"{MANIFEST_NAME}: {why}"))
    except OSError as error:
        raise invalid(f"{MANIFEST_NAME} cannot be read ({error.strerror})") from error
    schema = plain.get("schema") if isinstance(plain, dict) else None
    if type(schema) is not int:
        raise invalid(f"its schema is {schema!r}, this version reads {RESULT_SCHEMA}")
    return plain, schema


def read_result(folder: Path) -> ResultPackage:
    """A result directory, checked: schema, names, sha256 of every file, arrays.

    Raises EngineError(BAD_INPUT) that says what is wrong.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise invalid(f"{folder} is not a folder")
    manifest = read_manifest(folder)
    others = [name for name in OTHER_FILES if name in manifest.files]
    wanted = (*REQUIRED_FILES, *(OTHER_FILES if others else ()))
    missing = [name for name in wanted if name not in manifest.files]
    if missing:
        raise invalid(f"{MANIFEST_NAME} lists no {missing[0]}")
    for name, digest in manifest.files.items():
        _check_file(folder, name, digest)
    coefficients = read_coefficients(folder, manifest)
    mesh = _read_arrays(folder / MESH_NAME)
    return ResultPackage(folder, manifest, coefficients, checked_mesh(mesh, manifest.mesh))


def read_coefficients(folder: Path, manifest: ResultManifest) -> dict[str, np.ndarray]:
    """The arrays of coefficients.safetensors, checked against the manifest. Raises BAD_INPUT."""
    coefficients = _read_arrays(folder / COEFFICIENTS_NAME)
    check_coefficients(coefficients, manifest)
    return coefficients


def read_mesh(folder: Path) -> ResultMesh:
    """The mesh of a result directory alone, checked. Raises BAD_INPUT."""
    manifest = read_manifest(folder)
    _check_file(folder, MESH_NAME, manifest.files.get(MESH_NAME, ""))
    return checked_mesh(_read_arrays(folder / MESH_NAME), manifest.mesh)


def _check_file(folder: Path, name: str, digest: str) -> None:
    path = folder / name
    try:
        if not path.resolve(strict=True).is_relative_to(folder.resolve()):
            raise invalid(f"{name} lies outside it")
        if not path.is_file():
            raise invalid(f"{name} is not a file")
        actual = file_sha256(path)
    except (OSError, RuntimeError) as error:  # the latter for links that lead to themselves
        reason = getattr(error, "strerror", None) or "a link to itself"
        raise invalid(f"{name} cannot be read ({reason})") from error
    if actual != digest:
        raise invalid(f"{name} was changed after it was written (its sha256 differs)")
    if name.endswith(".png"):
        _check_picture(name, path)


def _check_picture(name: str, path: Path) -> None:
    """That a picture is one of a size that a fit writes, before anybody makes room for it."""
    try:
        size = png_size(path)
    except EngineError as error:
        raise invalid(error.message.rstrip(".")) from error
    if not 1 <= min(size) <= max(size) <= MOST_TEXELS:
        raise invalid(f"{name} has {size[0]} x {size[1]} pixels, at most {MOST_TEXELS} a side")


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    try:
        arrays = read_safetensors(path)
    except EngineError as error:
        raise invalid(error.message.rstrip(".")) from error
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise invalid(f"{name} in {path.name} has values that are not finite")
    return arrays


def check_coefficients(arrays: Mapping[str, np.ndarray], manifest: ResultManifest) -> None:
    """Names and shapes against the manifest, and a real rotation. Raises BAD_INPUT."""
    shapes = {name: tuple(array.shape) for name, array in arrays.items()}
    if shapes != manifest.coefficients:
        raise invalid(f"{COEFFICIENTS_NAME} and {MANIFEST_NAME} disagree on names or shapes")
    expressions = len(manifest.mesh.expression_names)
    fixed = {"expression": (expressions,), "rotation": (3, 3), "translation": (3,)}
    for name, shape in {**fixed, "light": (9, 3)}.items():
        if shapes.get(name) != shape:
            raise invalid(f"coefficient {name} must have shape {shape}, got {shapes.get(name)}")
    if len(shapes.get("identity", ())) != 1:
        raise invalid("coefficient identity must be a list of numbers")
    if shapes.get("albedo", ())[:1] != (3,) or len(shapes["albedo"]) != 2:
        raise invalid("coefficient albedo must have shape (3, K)")
    if "detail" in shapes and (len(shapes["detail"]) != 3 or not all(shapes["detail"])):
        raise invalid("coefficient detail must have shape (channels, height, width)")
    if manifest.detail_pack is not None and "detail" not in shapes:
        raise invalid("it names a detail pack but has no coefficient detail")
    check_rotation("coefficient rotation", arrays["rotation"].astype(np.float64))


def checked_mesh(arrays: Mapping[str, np.ndarray], info: MeshInfo) -> ResultMesh:
    """The mesh, when shapes, kinds and index bounds are right. Raises BAD_INPUT."""
    names = ("neutral", "expression", "quads", "corner_uv", "face_part")
    missing = [name for name in names if name not in arrays]
    if missing:
        raise invalid(f"{MESH_NAME} lacks {missing[0]}")
    mesh = ResultMesh(*(arrays[name] for name in names))
    vertices, faces = mesh.neutral.shape[:1], mesh.quads.shape[:1]
    expected = {
        "neutral": ((*vertices, 3), "f"),
        "expression": ((len(info.expression_names), *vertices, 3), "f"),
        "quads": ((*faces, 4), "iu"),
        "corner_uv": ((*faces, 4, 2), "f"),
        "face_part": (faces, "iu"),
    }
    for name, (shape, kinds) in expected.items():
        array = arrays[name]
        if array.shape != shape or array.dtype.kind not in kinds:
            raise invalid(f"{name} in {MESH_NAME} must have shape {shape}, got {array.shape}")
    if not mesh.quads.size or mesh.quads.min() < 0 or mesh.quads.max() >= vertices[0]:
        raise invalid(f"quads in {MESH_NAME} point outside the {vertices[0]} vertices")
    _check_quads(mesh)
    if mesh.face_part.min() < 0 or mesh.face_part.max() >= len(info.part_names):
        raise invalid(f"face_part in {MESH_NAME} points outside the part names")
    return mesh


def _check_quads(mesh: ResultMesh) -> None:
    """No face that Blender could not hold, no vertex far away. Raises BAD_INPUT."""
    if doubled_corners(mesh.quads).any():
        raise invalid(f"a face in {MESH_NAME} has a vertex twice")
    for name in ("neutral", "expression"):
        array = getattr(mesh, name)
        if array.size and max(abs(float(array.min())), abs(float(array.max()))) > MOST_SIZE:
            raise invalid(f"{name} in {MESH_NAME} goes further than {MOST_SIZE:g} metres")
    if max(abs(float(mesh.corner_uv.min())), abs(float(mesh.corner_uv.max()))) > MOST_SIZE:
        raise invalid(f"corner_uv in {MESH_NAME} goes further than {MOST_SIZE:g} tiles")
