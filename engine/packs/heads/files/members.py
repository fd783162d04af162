"""Named files out of a folder or an archive as distributed, one after another, nothing unpacked.

Members are looked up by their plain names, wherever in the folder or archive they lie; paths inside
an archive are never used as paths.
"""

import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Set
from pathlib import Path

from ..source import source_error
from .limits import read_file

MOST_MEMBER = 64 << 20
MOST_TOTAL = 2 << 30
"""Bytes that one member and all of them may unpack to: an archive may claim more than it holds."""
MOST_DICTIONARY = 128 << 20
"""Bytes that unpacking an .xz may take; the strongest usual setting (9) takes 65 MB, the format
allows 4 GB."""
MOST_DEPTH = 3
"""Folders below the given one in which files are looked for."""
_XZ, _XZ_START = b"\xfd7zXZ\0", 4096
"""How such a file begins, and bytes that surely hold its first header."""
_DAMAGED = (
    *(tarfile.TarError, zipfile.BadZipFile, lzma.LZMAError, zlib.error),
    *(EOFError, OSError, ValueError, RuntimeError),
)
"""What the readers of the standard library raise for archives that are cut off or garbled."""


def read_members(path: Path, wanted: Set[str]) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each of the `wanted` files that is there, in the order they lie.

    path: a folder, a .tar (also .tar.xz, .tar.gz, .tar.bz2) or a .zip. A name that comes twice is
    refused. Raises EngineError(PACK_INVALID).
    """
    seen: set[str] = set()
    total = 0
    for name, data in _members(path, wanted):
        if name in seen:
            raise source_error(path.name, name, "one file of this name", "two")
        seen.add(name)
        total += len(data)
        if total > MOST_TOTAL:
            raise source_error(path.name, "", f"at most {MOST_TOTAL >> 20} MB unpacked", "more")
        yield name, data


def _members(path: Path, wanted: Set[str]) -> Iterator[tuple[str, bytes]]:
    if path.is_dir():
        yield from _of_folder(path, wanted)
    elif not path.is_file():
        raise source_error(path.name, "", "a folder, a .tar.xz or a .zip", "none")
    elif zipfile.is_zipfile(path):
        yield from _guarded(_of_zip(path, wanted), path)
    else:
        yield from _guarded(_of_tar(path, wanted), path)


def _of_folder(folder: Path, wanted: Set[str]) -> Iterator[tuple[str, bytes]]:
    found: list[Path] = []
    for depth in range(MOST_DEPTH + 1):
        found += folder.glob("*/" * depth + "*")
    for file in sorted(found):
        if file.name in wanted and file.is_file():
            yield file.name, read_file(file, MOST_MEMBER)[0]


def _check_dictionary(path: Path) -> None:
    """Raises LZMAError for an .xz that asks for more memory than `MOST_DICTIONARY`."""
    with open(path, "rb") as file:
        start = file.read(_XZ_START)
    if start.startswith(_XZ):
        lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MOST_DICTIONARY).decompress(start, 1)


def _of_tar(path: Path, wanted: Set[str]) -> Iterator[tuple[str, bytes]]:
    _check_dictionary(path)
    with tarfile.open(path) as archive:
        for member in archive:
            name = _plain(member.name)
            file = archive.extractfile(member) if member.isfile() and name in wanted else None
            if file is not None:
                _check_size(path, name, member.size)
                yield name, file.read(MOST_MEMBER)


def _of_zip(path: Path, wanted: Set[str]) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            name = _plain(member.filename)
            if name in wanted and not member.is_dir():
                _check_size(path, name, member.file_size)
                with archive.open(member) as file:
                    yield name, file.read(MOST_MEMBER)


def _plain(name: str) -> str:
    return name.rpartition("/")[2]


def _check_size(path: Path, name: str, size: int) -> None:
    if size > MOST_MEMBER:
        raise source_error(path.name, name, f"at most {MOST_MEMBER >> 20} MB", "a larger file")


def _guarded(members: Iterator[tuple[str, bytes]], path: Path) -> Iterator[tuple[str, bytes]]:
    """The members; what a damaged archive makes its reader raise becomes our complaint."""
    while True:
        try:
            member = next(members, None)
        except _DAMAGED as error:
            found = f"one that cannot be read ({type(error).__name__})"
            raise source_error(path.name, "", "a whole .tar.xz or .zip archive", found) from error
        if member is None:
            return
        yield member
