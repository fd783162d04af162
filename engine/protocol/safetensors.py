"""Read and write `.safetensors` files with numpy alone.

Blender's Python has no safetensors package and an add-on must not install one, so the small
format is read here, strictly. Tests compare with the reference package.
Format: 8 bytes little-endian header length, JSON header, raw little-endian data.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np

from .errors import EngineError, ErrorCode
from .plain_files import ANY_SIZE, open_plain
from .strict import shown

MAX_HEADER_BYTES = 16 * 2**20
_PIECE = 16 * 2**20
_MAX_NAME = 200
_MAX_DIMENSIONS = 8
"""Of one tensor; numpy itself has limits."""
_DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "|i1",
    "U64": "<u8",
    "U32": "<u4",
    "U16": "<u2",
    "U8": "|u1",
    "BOOL": "|b1",
}
_NAMES = {np.dtype(code): name for name, code in _DTYPES.items()}


def _fail(path: Path, why: str) -> EngineError:
    return EngineError(
        ErrorCode.PACK_INVALID, f"{path.name} is not a valid safetensors file: {why}."
    )


def _read_header(path: Path, file: BinaryIO, size: int) -> tuple[dict[str, object], int]:
    if size < 8:
        raise _fail(path, f"expected at least 8 bytes, got {size}")
    length = int.from_bytes(file.read(8), "little")
    if length > min(MAX_HEADER_BYTES, size - 8):
        raise _fail(path, f"its header claims {length} bytes, the file has {size}")
    try:
        header = json.loads(file.read(length))
    except (ValueError, RecursionError) as error:
        raise _fail(path, "its header is not JSON") from error
    if not isinstance(header, dict):
        raise _fail(path, "its header is not a JSON object")
    return header, 8 + length


def _read_entry(
    path: Path, name: str, entry: object, file: BinaryIO, body: int, size: int
) -> np.ndarray:
    if len(name) > _MAX_NAME:
        raise _fail(path, f"tensor {shown(name)} has a name of {len(name)} characters")
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise _fail(path, f"tensor {shown(name)} has no dtype, shape and data_offsets")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in _DTYPES:
        raise _fail(path, f"tensor {shown(name)} has the unknown dtype {shown(dtype)}")
    whole = isinstance(shape, list) and isinstance(offsets, list) and len(offsets) == 2
    if not whole or not all(type(n) is int and n >= 0 for n in [*shape, *offsets]):
        raise _fail(path, f"tensor {shown(name)} has a malformed shape or data_offsets")
    if len(shape) > _MAX_DIMENSIONS or max(shape, default=0) > size:
        raise _fail(path, f"tensor {shown(name)} has an impossible shape")
    start, stop = offsets
    kind = np.dtype(_DTYPES[dtype])
    count = 1
    for extent in shape:
        count *= extent
    if not start <= stop <= size - body or stop - start != count * kind.itemsize:
        raise _fail(path, f"tensor {shown(name)} does not fit its bytes ({start} to {stop})")
    file.seek(body + start)
    raw = np.empty(stop - start, np.uint8)
    if file.readinto(raw.data) != len(raw):
        raise _fail(path, f"tensor {shown(name)} ends early")
    return raw.view(kind).reshape(shape)


def read_safetensors(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """All tensors of a file, by name. Raises EngineError(PACK_INVALID) when malformed.

    Holds no more than the tensors themselves: they reach gigabytes.
    """
    path = Path(path)
    try:
        with open_plain(path, ANY_SIZE) as file:
            size = os.fstat(file.fileno()).st_size
            header, body = _read_header(path, file, size)
            tensors, room = {}, size - body
            for name, entry in header.items():
                if name == "__metadata__":
                    continue
                array = tensors[name] = _read_entry(path, name, entry, file, body, size)
                room -= array.nbytes
                if room < 0:  # a small file must not fill the memory
                    raise _fail(path, "its tensors overlap")
            return tensors
    except OSError as error:
        raise EngineError(
            ErrorCode.PACK_INVALID, f"{path.name} cannot be read: {error.strerror}."
        ) from error


def write_safetensors(
    path: str | os.PathLike[str],
    arrays: Mapping[str, np.ndarray],
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write arrays (names sorted, so that equal content gives equal bytes)."""
    header: dict[str, object] = {}
    if metadata:
        header["__metadata__"] = dict(sorted(metadata.items()))
    offset = 0
    for name in sorted(arrays):
        array = arrays[name]
        header[name] = {
            "dtype": _NAMES[array.dtype.newbyteorder("<")],
            "shape": list(array.shape),
            "data_offsets": [offset, offset + array.nbytes],
        }
        offset += array.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little"))
        file.write(text)
        for name in sorted(arrays):
            _write_raw(file, arrays[name])


def _write_raw(file: BinaryIO, array: np.ndarray) -> None:
    """In pieces and without a copy: arrays reach gigabytes, and a Ctrl-C is heard in between."""
    array = np.ascontiguousarray(array).reshape(-1)
    raw = array.astype(array.dtype.newbyteorder("<"), copy=False).view(np.uint8)
    for start in range(0, len(raw), _PIECE):
        file.write(raw[start : start + _PIECE].data)
