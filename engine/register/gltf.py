"""Meshes of glTF 2.0 files (.glb, .gltf): all triangles of a scene, in the scene's space.

Read after the Khronos specification of glTF 2.0. No material, skin or animation is looked at.
"""

import base64
import binascii
import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..protocol.conventions import uv_to_pixels
from ..protocol.errors import EngineError, ErrorCode

MOST_BYTES = 1 << 30
_MAGIC, _JSON, _BIN = 0x46546C67, 0x4E4F534A, 0x004E4942
_TYPES = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTH = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}
_TRIANGLES, _STRIP, _FAN = 4, 5, 6
_DATA_URI = "base64,"
_MOST_DEPTH = 64
"""Of nodes in nodes; a chain that is longer is a ring."""

Read = tuple[np.ndarray, np.ndarray, np.ndarray | None]


class _Refused(Exception):
    """Why a file is not read; becomes an EngineError at the edge."""


@dataclass(frozen=True, eq=False)
class _Document:
    plain: dict[str, Any]
    buffers: list[bytes]


def read_gltf(path: Path) -> Read:
    """Vertices (V, 3) f64, triangles (T, 3) i32, UVs (V, 2) f32 with v up (None unless all of the
    mesh has them). Metres as the file says. Raises EngineError(BAD_INPUT)."""
    try:
        document = _open(path)
        parts = [
            _primitive(document, primitive, matrix)
            for mesh, matrix in _placed_meshes(document.plain)
            for primitive in document.plain["meshes"][mesh]["primitives"]
        ]
        return _joined([part for part in parts if part is not None])
    except _Refused as refusal:
        why = str(refusal)
    except OSError as error:
        why = error.strerror or "it cannot be opened"
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, struct.error):
        why = "it does not follow the glTF format"
    raise EngineError(
        ErrorCode.BAD_INPUT,
        f"{path.name} cannot be read as glTF: {why}.",
        "Export the mesh as GLB without compression, or as OBJ.",
    )


def _open(path: Path) -> _Document:
    if path.stat().st_size > MOST_BYTES:
        raise _Refused(f"it has more than {MOST_BYTES >> 20} MB")
    data = path.read_bytes()
    binary = None
    if data[:4] == struct.pack("<I", _MAGIC):
        chunks = _chunks(data)
        data, binary = chunks[_JSON], chunks.get(_BIN)
    plain = json.loads(data)
    used = plain.get("extensionsRequired", [])
    if used:
        raise _Refused(f"it needs the extension {', '.join(map(str, used))}")
    buffers = [
        _buffer(path.parent, buffer, binary if number == 0 else None)
        for number, buffer in enumerate(plain.get("buffers", []))
    ]
    return _Document(plain, buffers)


def _chunks(data: bytes) -> dict[int, bytes]:
    version, length = struct.unpack_from("<II", data, 4)
    if version != 2 or length > len(data):
        raise _Refused(f"expected a whole file of version 2, found version {version}")
    out: dict[int, bytes] = {}
    at = 12
    while at + 8 <= length:
        size, kind = struct.unpack_from("<II", data, at)
        if at + 8 + size > length:
            raise _Refused("a part of it is cut off")
        out.setdefault(kind, data[at + 8 : at + 8 + size])
        at += 8 + size
    return out


def _buffer(folder: Path, buffer: dict[str, Any], binary: bytes | None) -> bytes:
    uri = buffer.get("uri")
    if uri is None:
        if binary is None:
            raise _Refused("its binary part is missing")
        data = binary
    elif uri.startswith("data:"):
        start = uri.index(_DATA_URI) + len(_DATA_URI)
        try:
            data = base64.b64decode(uri[start:], validate=True)
        except binascii.Error as error:
            raise _Refused("a buffer is not base64") from error
    else:
        file = folder / uri
        if Path(uri).name != uri or file.stat().st_size > MOST_BYTES:
            raise _Refused("a buffer lies outside its folder or is too large")
        data = file.read_bytes()
    if len(data) < buffer["byteLength"]:
        raise _Refused("a buffer is shorter than it says")
    return data


def _placed_meshes(plain: dict[str, Any]) -> list[tuple[int, np.ndarray]]:
    """Meshes of the scene with their (4, 4) matrices; all meshes where there is no scene."""
    nodes = plain.get("nodes", [])
    scenes = plain.get("scenes", [])
    if not scenes or not nodes:
        return [(number, np.eye(4)) for number in range(len(plain["meshes"]))]
    out: list[tuple[int, np.ndarray]] = []
    waiting = [(k, np.eye(4), 0) for k in scenes[plain.get("scene", 0)].get("nodes", [])]
    while waiting:
        number, above, depth = waiting.pop(0)
        if depth > _MOST_DEPTH:
            raise _Refused("its nodes lie in a ring")
        node = nodes[number]
        matrix = above @ _matrix(node)
        if "mesh" in node:
            out.append((node["mesh"], matrix))
        waiting += [(k, matrix, depth + 1) for k in node.get("children", [])]
    return out


def _matrix(node: dict[str, Any]) -> np.ndarray:
    if "matrix" in node:
        return np.array(node["matrix"], dtype=np.float64).reshape(4, 4).T
    x, y, z, w = node.get("rotation", (0.0, 0.0, 0.0, 1.0))
    rotation = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
    out = np.eye(4)
    out[:3, :3] = rotation * np.array(node.get("scale", (1.0, 1.0, 1.0)))
    out[:3, 3] = node.get("translation", (0.0, 0.0, 0.0))
    return out


def _primitive(document: _Document, primitive: dict[str, Any], matrix: np.ndarray) -> Read | None:
    mode = primitive.get("mode", _TRIANGLES)
    if mode not in (_TRIANGLES, _STRIP, _FAN):
        return None
    attributes = primitive["attributes"]
    points = _accessor(document, attributes["POSITION"]).astype(np.float64)
    if "indices" in primitive:
        index = _accessor(document, primitive["indices"]).reshape(-1).astype(np.int64)
    else:
        index = np.arange(len(points))
    if mode == _TRIANGLES:
        triangles = index[: len(index) // 3 * 3].reshape(-1, 3)
    else:
        number = np.arange(len(index) - 2)
        odd = number % 2
        first = number + odd if mode == _STRIP else np.zeros_like(number)
        second = number + 1 - odd if mode == _STRIP else number + 1
        triangles = index[np.stack([first, second, number + 2], axis=1)]
    if len(triangles) and triangles.max() >= len(points):
        raise _Refused("faces name vertices that are not there")
    uv = None
    if "TEXCOORD_0" in attributes:
        uv = _accessor(document, attributes["TEXCOORD_0"]).astype(np.float32)
        uv = uv_to_pixels(uv, 1, 1)  # v points down (3.8.2); this turns it both ways
    if np.linalg.det(matrix[:3, :3]) < 0.0:
        triangles = triangles[:, ::-1]
    return points @ matrix[:3, :3].T + matrix[:3, 3], triangles, uv


def _accessor(document: _Document, number: int) -> np.ndarray:
    """(n, width) values, normalised integers as floats."""
    entry = document.plain["accessors"][number]
    if "sparse" in entry or "bufferView" not in entry:
        raise _Refused("it has sparse or empty accessors")
    view = document.plain["bufferViews"][entry["bufferView"]]
    kind = np.dtype(_TYPES[entry["componentType"]])
    width, count = _WIDTH[entry["type"]], entry["count"]
    start = view.get("byteOffset", 0) + entry.get("byteOffset", 0)
    row = width * kind.itemsize
    stride = view.get("byteStride", row)
    data = document.buffers[view["buffer"]]
    if min(start, count - 1, stride - row) < 0 or start + (count - 1) * stride + row > len(data):
        raise _Refused("an accessor reaches beyond its buffer")
    values = np.ndarray((count, width), kind, data, start, (stride, kind.itemsize))
    if entry.get("normalized", False):
        return values / np.float32(np.iinfo(kind).max)
    return values.copy()


def _joined(parts: list[Read]) -> Read:
    if not parts:
        raise _Refused("it holds no triangles")
    start = np.cumsum([0, *(len(points) for points, _, _ in parts)])
    triangles = [index + start[k] for k, (_, index, _) in enumerate(parts)]
    uvs = [uv for _, _, uv in parts if uv is not None]
    return (
        np.concatenate([points for points, _, _ in parts]),
        np.concatenate(triangles).astype(np.int32),
        np.concatenate(uvs) if len(uvs) == len(parts) else None,
    )
