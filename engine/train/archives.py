"""Skin maps inside zip archives, read in place: data sets are handed out as rows of archives.

A member of an archive is named by a path that goes through it: `maps/000.zip/000123.png`.
Nothing is ever unpacked to disk, so no member can name a file outside the archive.
"""

import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from ..protocol.errors import EngineError, ErrorCode

ARCHIVE_SUFFIX = ".zip"
MOST_BYTES = 512 * 2**20
"""Largest file or member that is read: a map of 8192 x 8192 without compression is smaller."""

_LOCAL_HEADER = 30
_ENCRYPTED = 1
_BROKEN = (zipfile.BadZipFile, zlib.error, NotImplementedError, ValueError, EOFError)


@dataclass(frozen=True)
class Member:
    """Where a member lies in its archive: offset of its local header, sizes, method, CRC 32."""

    offset: int
    packed: int
    size: int
    method: int
    encrypted: bool
    crc: int


def is_archive(path: Path) -> bool:
    """True for a file whose name says zip."""
    return path.suffix.lower() == ARCHIVE_SUFFIX and path.is_file()


def split_archive(path: Path) -> tuple[Path, str] | None:
    """The archive and the member's name of a path that goes through an archive, else None."""
    for parent in path.parents:
        if parent.suffix.lower() == ARCHIVE_SUFFIX and parent.is_file():
            return parent, path.relative_to(parent).as_posix()
    return None


def member_names(archive: Path) -> tuple[str, ...]:
    """Names of the files in an archive. Raises EngineError(BAD_INPUT) for a damaged archive."""
    return tuple(_members(archive))


def read_member(archive: Path, name: str) -> bytes:
    """The bytes of one member, its CRC checked. Raises EngineError(BAD_INPUT)."""
    member = _members(archive).get(name)
    if member is None:
        raise _bad(f"{archive.name} holds no file {name}.")
    if member.encrypted:
        raise _bad(f"{name} in {archive.name} is encrypted.")
    if max(member.size, member.packed) > MOST_BYTES:
        raise _bad(f"{name} in {archive.name} is larger than {MOST_BYTES >> 20} MB.")
    try:
        data = _unpack(archive, member)
    except _BROKEN as error:
        raise _bad(f"{name} in {archive.name} is damaged ({error}).") from error
    except OSError as error:
        raise _bad(f"{archive} cannot be read ({error.strerror}).") from error
    if len(data) != member.size or zlib.crc32(data) != member.crc:
        raise _bad(f"{name} in {archive.name} is damaged (its check sum is wrong).")
    return data


def _unpack(archive: Path, member: Member) -> bytes:
    with archive.open("rb") as file:
        file.seek(member.offset)
        header = file.read(_LOCAL_HEADER)
        if len(header) < _LOCAL_HEADER:
            raise EOFError("it ends early")
        skip = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
        file.seek(skip, 1)
        packed = file.read(member.packed)
    if member.method == zipfile.ZIP_STORED:
        return packed
    if member.method == zipfile.ZIP_DEFLATED:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, member.size + 1)
    raise NotImplementedError("its kind of compression is not read")


def _members(archive: Path) -> Mapping[str, Member]:
    try:
        state = archive.stat()
    except OSError as error:
        raise _bad(f"{archive} cannot be read ({error.strerror}).") from error
    return _table(archive, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=1024)  # the directory of an archive is read once, not once a map
def _table(archive: Path, modified: int, size: int) -> Mapping[str, Member]:
    table: dict[str, Member] = {}
    try:
        with zipfile.ZipFile(archive) as file:
            for info in file.infolist():
                name = _plain_name(info.filename)
                if info.is_dir() or not name:
                    continue
                if name in table:
                    raise _bad(f"{archive.name} holds the name {name} twice.")
                table[name] = Member(
                    info.header_offset,
                    info.compress_size,
                    info.file_size,
                    info.compress_type,
                    bool(info.flag_bits & _ENCRYPTED),
                    info.CRC,
                )
    except (OSError, *_BROKEN) as error:
        raise _bad(f"{archive.name} is no readable zip archive ({error}).") from error
    return MappingProxyType(table)


def file_state(file: Path) -> bytes:
    """A line that changes when a map's file (or the archive it is in) changes: for hashes of what
    a training depends on."""
    inside = split_archive(file) if not file.is_file() else None
    state = (inside[0] if inside else file).stat()
    return f"{file.as_posix()} {state.st_size} {state.st_mtime_ns}\n".encode()


def _plain_name(name: str) -> str:
    """A relative name without steps upwards, drives or roots, so that it can end a path."""
    parts = PurePosixPath(name.replace("\\", "/").replace(":", "_")).parts
    return "/".join(part for part in parts if part not in ("/", "//", ".", ".."))


def _bad(message: str) -> EngineError:
    return EngineError(ErrorCode.BAD_INPUT, message, "Fetch or make the file again.")
