"""Binary glTF 2.0 of the head: one mesh, one primitive per part, expressions as morph targets.

Section numbers refer to the glTF 2.0 specification (Khronos Group). Our axes and units are
glTF's own (metres, Y up, the face along +Z), so points are written as they are.
"""

import json
import struct
from collections.abc import Mapping, Sequence

import numpy as np
import torch

from ..head.normals import vertex_normals
from ..protocol.conventions import uv_to_pixels
from ..protocol.headpack import split_quads
from ..protocol.result import ResultMesh
from ..protocol.version import engine_version
from .parts import part_material
from .split import SparseMove, SplitPart, split_head

MAGIC, VERSION = 0x46546C67, 2  # 4.4.2
CHUNK_JSON, CHUNK_BINARY = 0x4E4F534A, 0x004E4942  # 4.4.3.1
FLOAT, USHORT, UINT = 5126, 5123, 5125  # 3.6.2.2
VERTEX_BUFFER, INDEX_BUFFER = 34962, 34963  # 5.11, target
LARGEST_USHORT = 65534  # 65535 restarts a strip, 3.7.2.1

STILL = 1e-5
"""Metres. A vertex that an expression moves less is left out of it: 10 um cannot be seen."""


class _Buffer:
    """The binary chunk while it grows, with its views and accessors."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.views: list[dict[str, object]] = []
        self.accessors: list[dict[str, object]] = []

    def view(self, raw: bytes, target: int | None = None) -> int:
        """Append bytes, aligned to 4 (3.6.2.4). Returns the view's index."""
        self.data += bytes(-len(self.data) % 4)
        view: dict[str, object] = {
            "buffer": 0,
            "byteOffset": len(self.data),
            "byteLength": len(raw),
        }
        if target is not None:
            view["target"] = target
        self.views.append(view)
        self.data += raw
        return len(self.views) - 1

    def accessor(self, entry: dict[str, object]) -> int:
        self.accessors.append(entry)
        return len(self.accessors) - 1

    def floats(self, values: np.ndarray, kind: str, bounds: bool = False) -> int:
        """(N, 2 or 3) f32 vertex attribute."""
        values = np.ascontiguousarray(values, dtype="<f4")
        entry: dict[str, object] = {
            "bufferView": self.view(values.tobytes(), VERTEX_BUFFER),
            "componentType": FLOAT,
            "count": len(values),
            "type": kind,
        }
        return self.accessor(entry | (_bounds(values) if bounds else {}))

    def indices(self, triangles: np.ndarray) -> int:
        """(T, 3) triangle indices in the smallest type that fits."""
        kind, code = _index_type(int(triangles.max()))
        raw = np.ascontiguousarray(triangles, dtype=kind).tobytes()
        view = self.view(raw, INDEX_BUFFER)
        return self.accessor(
            {"bufferView": view, "componentType": code, "count": triangles.size, "type": "SCALAR"}
        )

    def sparse(self, count: int, moved: SparseMove) -> int:
        """Displacements of `count` vertices, only the moving ones stored (3.6.2.3)."""
        bounds = {"min": moved.low.tolist(), "max": moved.high.tolist()}
        entry = {"componentType": FLOAT, "count": count, "type": "VEC3"} | bounds
        if moved.rows.size:  # without the key all values are zero
            kind, code = _index_type(int(moved.rows.max()))
            indices = self.view(moved.rows.astype(kind).tobytes())
            values = self.view(np.ascontiguousarray(moved.move, dtype="<f4").tobytes())
            entry["sparse"] = {
                "count": int(moved.rows.size),
                "indices": {"bufferView": indices, "componentType": code},
                "values": {"bufferView": values},
            }
        return self.accessor(entry)


def _bounds(values: np.ndarray) -> dict[str, object]:
    return {"min": values.min(axis=0).tolist(), "max": values.max(axis=0).tolist()}


def _index_type(largest: int) -> tuple[str, int]:
    return ("<u2", USHORT) if largest <= LARGEST_USHORT else ("<u4", UINT)


def glb_bytes(
    mesh: ResultMesh,
    weights: np.ndarray,
    expression_names: Sequence[str],
    part_names: Sequence[str],
    textures: Mapping[str, bytes],
) -> bytes:
    """The whole file.

    weights (E,): expression as fitted; the base shape is the neutral one, so that every
    expression stays editable. textures: PNG bytes by map name; parts whose map is absent are
    plain.
    """
    buffer = _Buffer()
    present = [index for index in range(len(part_names)) if (mesh.face_part == index).any()]
    normals = _normals(mesh)
    primitives = [
        _primitive(buffer, mesh, normals, *split_head(mesh, part, STILL), material)
        for material, part in enumerate(present)
    ]
    used = {name for part in present for name in part_material(part_names[part]).maps}
    images = [name for name in textures if name in used]
    document = {
        "asset": {"version": "2.0", "generator": f"UVAPM {engine_version()}"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "name": "head"}],
        "meshes": [
            {
                "name": "head",
                "primitives": primitives,
                "weights": np.asarray(weights, dtype=np.float32).tolist(),
                "extras": {"targetNames": list(expression_names)},
            }
        ],
        "materials": [_material(part_names[part], images) for part in present],
    }
    if images:
        document["images"] = [
            {"name": name, "mimeType": "image/png", "bufferView": buffer.view(textures[name])}
            for name in images
        ]
        document["textures"] = [{"source": index, "sampler": 0} for index in range(len(images))]
        document["samplers"] = [{}]
    document["bufferViews"] = buffer.views
    document["accessors"] = buffer.accessors
    document["buffers"] = [{"byteLength": len(buffer.data)}]
    return _container(document, bytes(buffer.data))


def _normals(mesh: ResultMesh) -> np.ndarray:
    """(V, 3) f32 of the neutral shape; a vertex without area points to the front."""
    triangles = torch.from_numpy(split_quads(mesh.quads.astype(np.int64)))
    neutral = torch.from_numpy(mesh.neutral.astype(np.float64))
    normals = vertex_normals(neutral, triangles).numpy()
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    front = np.broadcast_to(np.array([0.0, 0.0, 1.0]), normals.shape)
    return np.where(length > 0.5, normals, front).astype(np.float32)


def _primitive(
    buffer: _Buffer,
    mesh: ResultMesh,
    normals: np.ndarray,
    part: SplitPart,
    moves: Sequence[SparseMove],
    material: int,
) -> dict[str, object]:
    attributes = {
        "POSITION": buffer.floats(mesh.neutral[part.vertices], "VEC3", bounds=True),
        "NORMAL": buffer.floats(normals[part.vertices], "VEC3"),
        "TEXCOORD_0": buffer.floats(uv_to_pixels(part.uv, 1, 1), "VEC2"),  # v down, 3.8.2
    }
    primitive: dict[str, object] = {
        "attributes": attributes,
        "indices": buffer.indices(part.triangles),
        "material": material,
    }
    targets = [{"POSITION": buffer.sparse(len(part.vertices), move)} for move in moves]
    return primitive | ({"targets": targets} if targets else {})


def _material(part: str, images: Sequence[str]) -> dict[str, object]:
    look = part_material(part)
    surface: dict[str, object] = {"metallicFactor": 0.0, "roughnessFactor": look.roughness}
    material: dict[str, object] = {"name": part, "pbrMetallicRoughness": surface}
    if look.texture in images:
        surface["baseColorTexture"] = {"index": images.index(look.texture)}
        if look.transparent:
            material |= {"alphaMode": "BLEND", "doubleSided": True}
    else:
        surface["baseColorFactor"] = [*look.colour, 1.0]
    if look.roughness_map in images:  # grey: roughness is the green channel, metal stays at 0
        surface["roughnessFactor"] = 1.0
        surface["metallicRoughnessTexture"] = {"index": images.index(look.roughness_map)}
    if look.normal_map in images:  # no tangents are stored: programs make MikkTSpace ones, 3.7.2.1
        material["normalTexture"] = {"index": images.index(look.normal_map)}
    return material


def _container(document: dict[str, object], binary: bytes) -> bytes:
    """Header and two chunks, padded with spaces and zeros (4.4.3)."""
    text = json.dumps(document, separators=(",", ":"), allow_nan=False).encode("ascii")
    text += b" " * (-len(text) % 4)
    binary += bytes(-len(binary) % 4)
    chunks = struct.pack("<II", len(text), CHUNK_JSON) + text
    chunks += struct.pack("<II", len(binary), CHUNK_BINARY) + binary
    return struct.pack("<III", MAGIC, VERSION, 12 + len(chunks)) + chunks
