"""Numeric arrays and texts of a .npz file, bounded; nothing in it is unpickled.

A .npz is a zip of .npy files (NumPy Enhancement Proposal 1). The header of each says how many bytes
must follow; what holds another number is refused before room is made for it.
"""

import io
import lzma
import tokenize
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from math import prod
from pathlib import Path

import numpy as np

from ..source import source_error
from .limits import read_file

MOST_BYTES = 1 << 30
MOST_ARRAY = 1 << 30
"""Bytes of one array: FLAME's largest has 48 MB, GNM's 82 MB."""
_KINDS = "fiubU"
_NO_HEADER = (tokenize.TokenError, SyntaxError, MemoryError)
"""What Python's parser raises for a damaged header, of 10,000 letters at most: the last one where
its stack is full."""
_DAMAGED = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError),
    *(RuntimeError, NotImplementedError),
)


def read_npz(
    path: Path, required: Sequence[str], optional: Sequence[str] = ()
) -> tuple[Mapping[str, np.ndarray], str]:
    """The named arrays and the file's sha256. Optional ones that are missing, or are no plain
    arrays, are left out. Raises EngineError(PACK_INVALID)."""
    data, digest = read_file(path, MOST_BYTES)
    return parse_npz(data, path.name, required, optional), digest


def parse_npz(
    data: bytes, name: str, required: Sequence[str], optional: Sequence[str] = ()
) -> Mapping[str, np.ndarray]:
    """`read_npz` of bytes; name: of the file, for people."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except _DAMAGED as error:
        raise source_error(name, "", "a .npz file", "no whole zip archive") from error
    with archive:
        members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
        for key in required:
            if key not in members:
                held = ", ".join(sorted(members))[:200] or "nothing"
                raise source_error(name, key, "this array", f"none; the file holds {held}")
        found = {key: _read_array(archive, members[key], name, key) for key in required}
        for key in optional:
            array = None
            if key in members and _is_plain(archive, members[key]):
                array = _read_array(archive, members[key], name, key)
            if array is not None:
                found[key] = array
    return found


def _header(file: io.BufferedIOBase) -> tuple[tuple[int, ...], bool, np.dtype]:
    version = np.lib.format.read_magic(file)
    try:
        if version == (1, 0):
            return np.lib.format.read_array_header_1_0(file)
        return np.lib.format.read_array_header_2_0(file)
    except _NO_HEADER as error:
        raise ValueError("it has no header") from error


def _is_plain(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bool:
    try:
        with archive.open(info) as file:
            return _header(file)[2].kind in _KINDS
    except _DAMAGED:
        return False


def _read_array(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, key: str) -> np.ndarray:
    try:
        with archive.open(info) as file:
            shape, fortran, dtype = _header(file)
            if dtype.kind not in _KINDS or dtype.hasobject:
                raise source_error(name, key, "numbers or texts", f"an array of type {dtype}")
            size = prod(shape) * dtype.itemsize
            if not 0 <= size <= MOST_ARRAY or size > info.file_size:
                found = f"a claim of {size} bytes"
                raise source_error(name, key, "an array that the file holds", found)
            raw = file.read(size + 1)
    except _DAMAGED as error:
        found = f"a damaged entry ({type(error).__name__})"
        raise source_error(name, key, "an array of numpy", found) from error
    if len(raw) != size:
        raise source_error(name, key, f"{size} bytes of values", f"{len(raw)} or more")
    return np.frombuffer(raw, dtype).reshape(shape, order="F" if fortran else "C")
