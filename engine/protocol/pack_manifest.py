"""`pack.json`: what a pack claims to be, and the checks of its files on disk."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from .errors import EngineError, ErrorCode
from .strict import from_plain, parse_json, shown

PACK_SCHEMA = 2
"""2: int8 albedo basis; packs without a head."""
PACK_JSON = "pack.json"
HEAD_FILE = "head.safetensors"
ALBEDO_FILE = "albedo.safetensors"
UV_LAYOUT = "ffhq-uv"
MAX_JSON_BYTES = 4 * 2**20
_FILE_NAME = re.compile(r"([a-z0-9_]+/)?[a-z0-9_]+\.(safetensors|json|png)")
_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class PackPart:
    """Where a part of the pack comes from. sha256: of the source file, "" when it is our own."""

    name: str
    what: str
    licence: str
    origin: str
    sha256: str


@dataclass(frozen=True)
class HeadNames:
    """Names of the rows of the head's tables."""

    expression_names: tuple[str, ...]
    part_names: tuple[str, ...]
    group_names: tuple[str, ...]
    mask_names: tuple[str, ...]


@dataclass(frozen=True)
class AlbedoInfo:
    """Size of the albedo maps in pixels and number of components per channel."""

    height: int
    width: int
    components: int


@dataclass(frozen=True)
class PackManifest:
    """pack.json. files: name relative to the folder -> sha256. recipe: hash of how it was built.

    head is None in a pack that holds an albedo model only; a pack holds at least one of the two.
    """

    schema: int
    id: str
    version: str
    uv_layout: str
    parts: tuple[PackPart, ...]
    files: dict[str, str]
    head: HeadNames | None
    albedo: AlbedoInfo | None = None
    recipe: str = ""


def pack_error(file: str, key: str, expected: str, found: str) -> EngineError:
    """The one form of complaint about a pack: file, key, expected, found."""
    where = f"{file}, {key}" if key else file
    return EngineError(
        ErrorCode.PACK_INVALID,
        f"The pack is not valid: {where}: expected {expected}, found {found}.",
        "Make that pack again (the default one: python -m engine packs build default --force).",
    )


def read_manifest(folder: Path) -> tuple[PackManifest, str]:
    """Parse and check pack.json. Returns it with its own sha256. Raises PACK_INVALID."""
    path = folder / PACK_JSON
    try:
        if path.stat().st_size > MAX_JSON_BYTES:
            raise pack_error(PACK_JSON, "", f"at most {MAX_JSON_BYTES} bytes", "a larger file")
        text = path.read_bytes()
    except OSError as error:
        raise pack_error(PACK_JSON, "", "a readable file", error.strerror or "none") from error

    def fail(why: str) -> EngineError:
        return pack_error(PACK_JSON, "", "a pack description", why)

    plain = parse_json(text, fail)
    found = plain.get("schema") if isinstance(plain, dict) else None
    if found != PACK_SCHEMA:
        raise pack_error(PACK_JSON, "schema", str(PACK_SCHEMA), shown(found))
    manifest = from_plain(PackManifest, plain, "pack", fail)
    _check_manifest(manifest)
    return manifest, hashlib.sha256(text).hexdigest()


def _check_manifest(manifest: PackManifest) -> None:
    if not _ID.fullmatch(manifest.id):
        raise pack_error(PACK_JSON, "id", "a short lower-case name", shown(manifest.id))
    if manifest.uv_layout != UV_LAYOUT:
        raise pack_error(PACK_JSON, "uv_layout", UV_LAYOUT, shown(manifest.uv_layout))
    for name, digest in manifest.files.items():
        if not _FILE_NAME.fullmatch(name):
            raise pack_error(PACK_JSON, "files", "plain names inside the pack", shown(name))
        if not _SHA256.fullmatch(digest):
            raise pack_error(PACK_JSON, f"files.{name}", "a sha256", shown(digest))
    for part in manifest.parts:
        if part.sha256 and not _SHA256.fullmatch(part.sha256):
            raise pack_error(PACK_JSON, f"parts.{part.name}", "a sha256", shown(part.sha256))
        if not (part.name and part.licence and part.origin):
            raise pack_error(PACK_JSON, "parts", "name, licence and origin", shown(part))
    _check_content(manifest)


def _check_content(manifest: PackManifest) -> None:
    """The head's and the albedo model's entries, and that their files are there."""
    head, info = manifest.head, manifest.albedo
    if head is None and info is None:
        raise pack_error(PACK_JSON, "head", "a head or an albedo model", "neither")
    for key, entry, file in (("head", head, HEAD_FILE), ("albedo", info, ALBEDO_FILE)):
        if (entry is None) == (file in manifest.files):
            raise pack_error(PACK_JSON, key, f"an entry exactly with {file}", "one alone")
    for key in ("expression_names", "part_names", "group_names", "mask_names") if head else ():
        names = getattr(head, key)
        if len(set(names)) != len(names) or not all(names):
            raise pack_error(PACK_JSON, f"head.{key}", "distinct names", shown(list(names)))
    if info is None:
        return
    if not all(0 < number <= 4096 for number in (info.height, info.width, info.components)):
        raise pack_error(PACK_JSON, "albedo", "sizes from 1 to 4096", shown(info))
    if info.height != info.width:
        raise pack_error(PACK_JSON, "albedo", "square maps", f"{info.height} x {info.width}")


def check_files(folder: Path, manifest: PackManifest) -> None:
    """Every listed file exists inside the folder and has its sha256."""
    root = folder.resolve()
    for name, digest in manifest.files.items():
        path = folder / name
        if not path.resolve().is_relative_to(root):
            raise pack_error(name, "", "a file inside the pack", "a link out of it")
        found = file_sha256(path, name)
        if found != digest:
            raise pack_error(name, "sha256", digest, found)


def file_sha256(path: Path, name: str) -> str:
    """Hex sha256 of a file. Raises PACK_INVALID when it cannot be read; `name` is for people."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise pack_error(name, "", "a readable file", error.strerror or "none") from error
