"""The format of MATLAB files of version 5 ("MAT-File Format", MathWorks), as far as real matrices.

Ours rather than scipy's, whose reader crashes the process on some damaged files. Headers are read
first; a matrix is read only when its caller asks for it, and never more bytes than its header
claims.
"""

import struct
import zlib
from dataclasses import dataclass
from math import prod
from typing import BinaryIO

import numpy as np

_COMPRESSED, _MATRIX = 15, 14
_CLASSES = (
    *("", "cell", "struct", "object", "char", "sparse", "double", "single", "int8", "uint8"),
    *("int16", "uint16", "int32", "uint32", "int64", "uint64", "function", "opaque"),
)
_TYPES = dict(
    zip((1, 2, 3, 4, 5, 6, 7, 9, 12, 13), "i1 u1 i2 u2 i4 u4 f4 f8 i8 u8".split(), strict=True)
)
_COMPLEX = 0x0800
_FILE_HEADER, _TAG = 128, 8
_ORDERS = {b"IM": "<", b"MI": ">"}
_PEEK = 1024
"""Bytes that hold the header of a matrix: flags, up to 32 sizes, a name of up to 63 characters."""
_MOST_DIMENSIONS = 32
_CHUNK = 1 << 20


class NoMat5(Exception):
    """The bytes are no such file, or not whole; the text says what is wrong."""


@dataclass(frozen=True)
class Entry:
    """A matrix in the file. name; shape and MATLAB class as its header claims them; complex;
    order: "<" or ">"; start, size: of its bytes in the file; compressed; data: where its numbers'
    tag begins, counted from the start of the (decompressed) matrix."""

    name: str
    shape: tuple[int, ...]
    kind: str
    complex: bool
    order: str
    start: int
    size: int
    compressed: bool
    data: int


def read_entries(file: BinaryIO, most: int) -> list[Entry]:
    """Headers of all matrices, at most `most`. Raises NoMat5 and OSError."""
    header = file.read(_FILE_HEADER)
    order = _ORDERS.get(header[126:128])
    if len(header) < _FILE_HEADER or order is None:
        raise NoMat5("something else")
    length = file.seek(0, 2)
    entries, place = [], _FILE_HEADER
    while place + _TAG <= length:
        file.seek(place)
        kind, size = struct.unpack(order + "II", file.read(_TAG))
        if kind not in (_COMPRESSED, _MATRIX) or size > length - place - _TAG:
            raise NoMat5("one that is cut off or damaged")
        if len(entries) == most:
            raise NoMat5(f"more than {most} matrices")
        entries.append(_entry(file, place + _TAG, size, kind == _COMPRESSED, order))
        place += _TAG + size + (0 if kind == _COMPRESSED else -size % _TAG)
    return entries


def _entry(file: BinaryIO, start: int, size: int, compressed: bool, order: str) -> Entry:
    peeked = _bytes(file, start, size, compressed, _PEEK)
    if compressed:  # the matrix has a tag of its own inside
        peeked = peeked[_TAG:]
    place, parts = 0, []
    for _ in range(3):
        begin, count, place = _part(peeked, place, order)
        parts.append(peeked[begin : begin + count])
    flags, sizes, name = parts
    if len(flags) != 8 or len(sizes) % 4 or not 2 <= len(sizes) // 4 <= _MOST_DIMENSIONS:
        raise NoMat5("a matrix without a header")
    word = struct.unpack(order + "I", flags[:4])[0]
    kind = _CLASSES[word & 0xFF] if (word & 0xFF) < len(_CLASSES) else ""
    shape = struct.unpack(f"{order}{len(sizes) // 4}i", sizes)
    if min(shape) < 0:
        raise NoMat5("a matrix of a negative size")
    text = name.decode("latin-1")
    inner = place + (_TAG if compressed else 0)
    return Entry(text, shape, kind, bool(word & _COMPLEX), order, start, size, compressed, inner)


def read_entry(file: BinaryIO, entry: Entry) -> np.ndarray:
    """Its numbers in the type they are stored as. Raises NoMat5 and OSError."""
    head = _bytes(file, entry.start, entry.size, entry.compressed, entry.data + _TAG)
    if len(head) < entry.data + _TAG:
        raise NoMat5("one that is cut off")
    begin, count, _ = _part(head, entry.data, entry.order, whole=False)
    word = struct.unpack(entry.order + "I", head[entry.data : entry.data + 4])[0]
    code = _TYPES.get(word & 0xFFFF)
    if code is None:
        raise NoMat5("one that holds something else than numbers")
    kind = np.dtype(entry.order + code)
    if count != prod(entry.shape) * kind.itemsize:
        raise NoMat5("one with fewer or more numbers than its header says")
    raw = _bytes(file, entry.start, entry.size, entry.compressed, begin + count)
    if len(raw) != begin + count:
        raise NoMat5("one that is cut off")
    values = np.frombuffer(raw, kind, prod(entry.shape), begin)
    return values.reshape(entry.shape, order="F")


def _part(
    data: bytes | bytearray, place: int, order: str, whole: bool = True
) -> tuple[int, int, int]:
    """Where the bytes of a part begin, their number, and where the next part begins. Short parts
    (up to 4 bytes) share their tag's 8 bytes."""
    if place + _TAG > len(data):
        raise NoMat5("a matrix without a header")
    word, size = struct.unpack_from(order + "II", data, place)
    small = word >> 16
    if small:
        if small > 4:
            raise NoMat5("a matrix without a header")
        return place + 4, small, place + _TAG
    begin = place + _TAG
    if whole and begin + size > len(data):
        raise NoMat5("a matrix without a header")
    return begin, size, begin + size + -size % _TAG


def _bytes(
    file: BinaryIO, start: int, size: int, compressed: bool, count: int
) -> bytes | bytearray:
    """The first `count` bytes (or fewer) of a matrix, decompressed."""
    file.seek(start)
    if not compressed:
        return file.read(min(size, count))
    engine, out, left = zlib.decompressobj(), bytearray(), size
    try:
        while len(out) < count and left and not engine.eof:
            chunk = file.read(min(left, _CHUNK))
            if not chunk:
                break
            left -= len(chunk)
            while chunk and len(out) < count and not engine.eof:
                out += engine.decompress(chunk, count - len(out))
                chunk = engine.unconsumed_tail
    except zlib.error as error:
        raise NoMat5("one that is cut off or damaged") from error
    return out
