"""`pack.json`: what a pack claims to be, and the checks of its files on disk."""

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path

from .errors import EngineError, ErrorCode
from .names import PACK_ID, bad_name
from .plain_files import ANY_SIZE, MOST_BYTES, read_plain, sha256_of
from .png import png_size
from .strict import from_plain, parse_json, shown

PACK_SCHEMA = 2
"""2: int8 albedo basis; packs without a head."""
PACK_JSON = "pack.json"
HEAD_FILE = "head.safetensors"
ALBEDO_FILE = "albedo.safetensors"
DETAIL_FILE = "detail.safetensors"
ENCODER_FILE = "encoder.safetensors"
DETAIL_CELL = 16
"""Texels a side of a detail map for each place of the latent (UVAPM: 512 and 32)."""
UV_LAYOUT = "ffhq-uv"
MAX_JSON_BYTES = 4 * 2**20
MOST_LETTERS = 2000
"""Of a text about a part of a pack."""
MOST_TEXELS = 4096
"""Of a side of a picture in a pack, as of albedo maps."""
FIT_SETTINGS = ("landmark_sigma", "depth_sigma", "expression_sigma", "fine_identity_sigma")
"""Settings of the shape fit (`fit/settings.py`) that a pack may carry."""
_FILE_NAME = re.compile(r"([a-z0-9_]+/)?[a-z0-9_]+\.(safetensors|json|png)")
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
class DetailInfo:
    """What defines the architecture and the size of a detail model.

    size: side of the detail map in texels; latent_channels, latent_size: the latent is
    (latent_channels, latent_size, latent_size); widths: channels of the network's three levels,
    fine to coarse; blocks: residual blocks a level; directions: principal directions of the latent.
    """

    size: int
    latent_channels: int
    latent_size: int
    widths: tuple[int, ...]
    blocks: int
    directions: int


@dataclass(frozen=True)
class EncoderInfo:
    """What defines the architecture of a coarse encoder (`nets/coarse_encoder.py`).

    input: side of the picture that it sees; widths, blocks: of the residual network's stages.
    """

    input: int
    widths: tuple[int, ...]
    blocks: tuple[int, ...]


@dataclass(frozen=True)
class PackManifest:
    """pack.json. files: name relative to the folder -> sha256. recipe: hash of how it was built.

    head is None in a pack that holds an albedo model or a detail model only; a pack holds at least
    one of the three. A coarse encoder comes only with the albedo model that decodes for it.
    fit: settings of the shape fit that suit this head better than the engine's own.
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
    detail: DetailInfo | None = None
    encoder: EncoderInfo | None = None
    fit: dict[str, float] = field(default_factory=dict)


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
        text = read_plain(path, MAX_JSON_BYTES)
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
    if not PACK_ID.fullmatch(manifest.id):
        raise pack_error(PACK_JSON, "id", "a short lower-case name", shown(manifest.id))
    if not _is_line(manifest.version):
        raise pack_error(PACK_JSON, "version", "a printable line", ascii(manifest.version)[:60])
    if manifest.uv_layout != UV_LAYOUT:
        raise pack_error(PACK_JSON, "uv_layout", UV_LAYOUT, shown(manifest.uv_layout))
    for name, digest in manifest.files.items():
        if not _FILE_NAME.fullmatch(name):
            raise pack_error(PACK_JSON, "files", "plain names inside the pack", shown(name))
        if not _SHA256.fullmatch(digest):
            raise pack_error(PACK_JSON, f"files.{name}", "a sha256", shown(digest))
    for name, value in manifest.fit.items():
        if name not in FIT_SETTINGS or not 0.0 < value <= 100.0:
            expected = f"{', '.join(FIT_SETTINGS)}: above 0, at most 100"
            raise pack_error(PACK_JSON, "fit", expected, f"{name} {value:g}")
    for part in manifest.parts:
        if part.sha256 and not _SHA256.fullmatch(part.sha256):
            raise pack_error(PACK_JSON, f"parts.{part.name}", "a sha256", shown(part.sha256))
        if not (part.name and part.licence and part.origin):
            raise pack_error(PACK_JSON, "parts", "name, licence and origin", shown(part))
        if not all(map(_is_line, (part.name, part.what, part.licence, part.origin))):
            raise pack_error(PACK_JSON, "parts", "printable lines", ascii(part.name)[:60])
    _check_content(manifest)


def _is_line(text: str) -> bool:
    """Whether Blender can show it."""
    return text.isprintable() and len(text) <= MOST_LETTERS


def _check_content(manifest: PackManifest) -> None:
    """The entries of the head and the models, and that their files are there."""
    entries = {
        "head": (manifest.head, HEAD_FILE),
        "albedo": (manifest.albedo, ALBEDO_FILE),
        "detail": (manifest.detail, DETAIL_FILE),
        "encoder": (manifest.encoder, ENCODER_FILE),
    }
    if all(entry is None for entry, _ in entries.values()):
        raise pack_error(PACK_JSON, "head", "a head, an albedo model or a detail model", "none")
    for key, (entry, file) in entries.items():
        if (entry is None) == (file in manifest.files):
            raise pack_error(PACK_JSON, key, f"an entry exactly with {file}", "one alone")
    if manifest.head is not None:
        _check_head_names(manifest.head)
    if manifest.albedo is not None:
        _check_albedo_info(manifest.albedo)
    if manifest.detail is not None:
        check_detail_info(manifest.detail)
    if manifest.encoder is not None:
        if manifest.albedo is None:
            raise pack_error(PACK_JSON, "encoder", "an albedo model beside it", "none")
        check_encoder_info(manifest.encoder)


def _check_head_names(head: HeadNames) -> None:
    for key in ("expression_names", "part_names", "group_names", "mask_names"):
        found = bad_name(getattr(head, key))
        if found is not None:
            raise pack_error(PACK_JSON, f"head.{key}", "distinct plain names", found)


def _check_albedo_info(info: AlbedoInfo) -> None:
    if not all(0 < number <= 4096 for number in (info.height, info.width, info.components)):
        raise pack_error(PACK_JSON, "albedo", "sizes from 1 to 4096", shown(info))
    if info.height != info.width:
        raise pack_error(PACK_JSON, "albedo", "square maps", f"{info.height} x {info.width}")


def check_detail_info(info: DetailInfo) -> None:
    """Sizes that a detail model can have, so that nobody makes room for absurd ones.

    Raises EngineError(PACK_INVALID).
    """
    limits = {
        "size": (1, 4096),
        "latent_channels": (1, 64),
        "latent_size": (1, 256),
        "blocks": (0, 16),
        "directions": (1, 1024),
    }
    for key, (low, high) in limits.items():
        found = getattr(info, key)
        if not low <= found <= high:
            raise pack_error(PACK_JSON, f"detail.{key}", f"{low} to {high}", shown(found))
    if len(info.widths) != 3 or not all(1 <= width <= 1024 for width in info.widths):
        expected = "three widths from 1 to 1024"
        raise pack_error(PACK_JSON, "detail.widths", expected, shown(info.widths))
    if info.size != DETAIL_CELL * info.latent_size:
        expected = f"{DETAIL_CELL} times latent_size, {DETAIL_CELL * info.latent_size}"
        raise pack_error(PACK_JSON, "detail.size", expected, shown(info.size))


def check_encoder_info(info: EncoderInfo) -> None:
    """Sizes that a coarse encoder can have, so that nobody makes room for absurd ones.

    Raises EngineError(PACK_INVALID).
    """
    if not 32 <= info.input <= 1024:
        raise pack_error(PACK_JSON, "encoder.input", "32 to 1024", shown(info.input))
    for key, numbers, most in (("widths", info.widths, 1024), ("blocks", info.blocks, 64)):
        if not 1 <= len(numbers) <= 8 or not all(1 <= number <= most for number in numbers):
            expected = f"1 to 8 numbers from 1 to {most}"
            raise pack_error(PACK_JSON, f"encoder.{key}", expected, shown(numbers))
    if len(info.widths) != len(info.blocks):
        raise pack_error(PACK_JSON, "encoder.blocks", "one for each width", shown(info.blocks))


def check_files(folder: Path, manifest: PackManifest) -> None:
    """Every listed file exists inside the folder and has its sha256."""
    root = folder.resolve()
    for name, digest in manifest.files.items():
        path = folder / name
        try:
            inside = path.resolve().is_relative_to(root)
        except (OSError, RuntimeError):  # a link that leads to itself
            inside = False
        if not inside:
            raise pack_error(name, "", "a file inside the pack", "a link out of it")
        found = file_sha256(path, name, MOST_BYTES)
        if found != digest:
            raise pack_error(name, "sha256", digest, found)
        if name.endswith(".png"):
            _check_picture(path, name)


def _check_picture(path: Path, name: str) -> None:
    """That it is a picture of bounded size, before anybody makes room for it."""
    try:
        size = png_size(path)
    except EngineError as error:
        raise pack_error(name, "", "a PNG picture", "something else") from error
    if not 1 <= min(size) <= max(size) <= MOST_TEXELS:
        expected = f"1 to {MOST_TEXELS} pixels a side"
        raise pack_error(name, "", expected, f"{size[0]} x {size[1]}")


def file_sha256(path: Path, name: str, most: int = ANY_SIZE) -> str:
    """Hex sha256 of a file. Raises PACK_INVALID when it cannot be read; `name` is for people."""
    try:
        return sha256_of(path, most)
    except OSError as error:
        raise pack_error(name, "", "a readable file", error.strerror or "none") from error
