"""Scans of heads on disk: PLY and OBJ meshes, their colour, the photos beside them."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ..packs.heads.files.obj import read_obj
from ..protocol.conventions import bytes_to_unit
from ..protocol.errors import EngineError, ErrorCode
from ..register.surface import triangulate
from .photos import list_photos

CAMERAS = "cameras.json"
"""Beside a scan it says that the pictures of the folder show this very head."""
TEXTURE_SIZE = 2048

_PLY_TYPES = {
    "char": "i1",
    "int8": "i1",
    "uchar": "u1",
    "uint8": "u1",
    "short": "<i2",
    "int16": "<i2",
    "ushort": "<u2",
    "uint16": "<u2",
    "int": "<i4",
    "int32": "<i4",
    "uint": "<u4",
    "uint32": "<u4",
    "float": "<f4",
    "float32": "<f4",
    "double": "<f8",
    "float64": "<f8",
}


@dataclass(frozen=True, eq=False)
class ScanFile:
    """A scan as it lies on disk, in its own units and axes.

    vertices (V, 3) f64; triangles (T, 3) int; corner_uv (T, 3, 2), v up, and texture (S, S, 3)
    sRGB, both None for a scan without colour; photos: files that show this head.
    """

    name: str
    vertices: np.ndarray
    triangles: np.ndarray
    corner_uv: np.ndarray | None
    texture: np.ndarray | None
    photos: tuple[Path, ...]


def scan_folders(folder: Path) -> list[tuple[Path, Path]]:
    """Sub-folders that hold a mesh, with the mesh. Raises EngineError(BAD_INPUT) for none."""
    found = []
    for each in sorted(path for path in folder.iterdir() if path.is_dir()):
        meshes = sorted(p for p in each.iterdir() if p.suffix.lower() in (".obj", ".ply"))
        if meshes:
            found.append((each, meshes[0]))
    if not found:
        raise EngineError(
            ErrorCode.BAD_INPUT,
            f"There are no scans in {folder}.",
            "One folder for each scan is expected, with an .obj or .ply file.",
        )
    return found


def read_scan(folder: Path, mesh: Path) -> ScanFile:
    """Mesh, colour (map_Kd of the .mtl) and photos. Raises EngineError(BAD_INPUT)."""
    photos = tuple(list_photos(folder)) if (folder / CAMERAS).is_file() else ()
    try:
        if mesh.suffix.lower() == ".ply":
            vertices, triangles = read_ply(mesh.read_bytes())
            return ScanFile(folder.name, vertices, triangles, None, None, photos)
        obj = read_obj(mesh)
    except (ValueError, KeyError, IndexError, OSError) as error:
        raise EngineError(ErrorCode.BAD_INPUT, f"{mesh.name} is not a readable mesh.") from error
    quads = obj.faces if obj.faces.shape[1] == 4 else obj.faces[:, [0, 1, 2, 2]]
    uv_quads = obj.uv_faces if obj.faces.shape[1] == 4 else obj.uv_faces[:, [0, 1, 2, 2]]
    triangles = triangulate(quads)
    kept = triangles[:, 1] != triangles[:, 2]  # a triangle's second half has no area
    texture = _texture(folder)
    corner_uv = None
    if texture is not None and len(obj.uv):
        corner_uv = obj.uv[triangulate(uv_quads)[kept]]
    return ScanFile(folder.name, obj.vertices, triangles[kept], corner_uv, texture, photos)


def _texture(folder: Path) -> np.ndarray | None:
    """The diffuse map of the first .mtl as stored (orientation tags of scans are not to be
    trusted), at most TEXTURE_SIZE a side, sRGB."""
    for path in sorted(folder.glob("*.mtl")):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            words = line.split()
            if len(words) > 1 and words[0] == "map_Kd":
                file = folder / Path(words[-1]).name
                flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
                image = cv2.imread(str(file), flags) if file.is_file() else None
                if image is not None:
                    size = (TEXTURE_SIZE, TEXTURE_SIZE)
                    image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
                    return bytes_to_unit(np.ascontiguousarray(image[..., ::-1]))
    return None


def read_ply(data: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (V, 3) f64 and triangles (T, 3) of a binary little-endian PLY file (Turk 1994).

    Raises ValueError, KeyError or IndexError for anything else.
    """
    end = data.index(b"end_header")
    start = data.index(b"\n", end) + 1
    header = data[:end].decode("ascii").splitlines()
    if header[0].strip() != "ply" or "format binary_little_endian 1.0" not in header:
        raise ValueError("not a binary little-endian PLY file")
    elements: list[tuple[str, int, list[list[str]]]] = []
    for line in header:
        words = line.split()
        if words[:1] == ["element"]:
            elements.append((words[1], int(words[2]), []))
        elif words[:1] == ["property"]:
            elements[-1][2].append(words[1:])
    (name, count, fields), (faces, number, lists) = elements[:2]
    if name != "vertex" or faces != "face" or len(lists) != 1 or lists[0][0] != "list":
        raise ValueError("vertices and then faces are expected")
    kind = np.dtype([(word[1], _PLY_TYPES[word[0]]) for word in fields])
    table = np.frombuffer(data, kind, count, start)
    vertices = np.stack([table[axis] for axis in "xyz"], axis=1).astype(np.float64)
    size_type, index_type = (np.dtype(_PLY_TYPES[word]) for word in lists[0][1:3])
    return vertices, _fans(data, start + count * kind.itemsize, number, size_type, index_type)


def _fans(data: bytes, at: int, number: int, sizes: np.dtype, indices: np.dtype) -> np.ndarray:
    """Triangle fans of the polygons that begin at byte `at`."""
    out = []
    for _ in range(number):
        corners = int(np.frombuffer(data, sizes, 1, at)[0])
        at += sizes.itemsize
        ids = np.frombuffer(data, indices, corners, at)
        at += corners * indices.itemsize
        out += [(ids[0], ids[k], ids[k + 1]) for k in range(1, corners - 1)]
    return np.array(out, dtype=np.int64)
