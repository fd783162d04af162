"""Wavefront OBJ files of outside meshes: positions, UVs and faces, nothing else."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..source import source_error
from .limits import read_file

MOST_BYTES = 512 << 20
MOST_INDEX = 2**31 - 1
"""What an i32 holds; how many vertices there are is known at the end."""


@dataclass(frozen=True)
class ObjMesh:
    """vertices (V, 3) f64; uv (T, 2) f64, v up; faces (F, n) i32 and uv_faces (F, n) i32, where
    n is 3 or 4 (triangles of a mixed file repeat their last corner; uv -1 where absent);
    groups (F,) names of the last `g` or `o` line, materials (F,) of the last `usemtl` line."""

    vertices: np.ndarray
    uv: np.ndarray
    faces: np.ndarray
    uv_faces: np.ndarray
    groups: np.ndarray
    materials: np.ndarray


def read_obj(path: Path) -> ObjMesh:
    """Read a mesh of triangles and quads. Raises EngineError(PACK_INVALID)."""
    data, _ = read_file(Path(path), MOST_BYTES)
    return parse_obj(data.decode("utf-8", errors="replace"), Path(path).name)


def parse_obj(text: str, name: str) -> ObjMesh:
    """A mesh of the text of an OBJ file; `name` is for people. Raises EngineError(PACK_INVALID)."""
    vertices, uv, faces, uv_faces, groups, materials = [], [], [], [], [], []
    group = material = ""
    for number, line in enumerate(text.splitlines(), start=1):
        kind, _, rest = line.partition(" ")
        try:
            if kind == "v":
                vertices.append(_numbers(rest, 3))
            elif kind == "vt":
                uv.append(_numbers(rest, 2))
            elif kind in ("g", "o"):
                group = rest.strip()
            elif kind == "usemtl":
                material = rest.strip()
            elif kind == "f":
                corner, corner_uv = _read_face(rest, len(vertices), len(uv))
                faces.append(corner)
                uv_faces.append(corner_uv)
                groups.append(group)
                materials.append(material)
        except ValueError as error:
            raise source_error(name, f"line {number}", "an OBJ line", line[:60]) from error
    if not faces:
        raise source_error(name, "", "faces", "none")
    wide = max(len(face) for face in faces)
    if min(len(face) for face in faces) < 3 or wide > 4:
        raise source_error(name, "f", "triangles and quads", f"a face of {wide} corners")
    mesh = ObjMesh(
        vertices=np.array(vertices).reshape(-1, 3),
        uv=np.array(uv).reshape(-1, 2),
        faces=_pad(faces, wide),
        uv_faces=_pad(uv_faces, wide),
        groups=np.array(groups),
        materials=np.array(materials),
    )
    _check(mesh, name)
    return mesh


def _numbers(text: str, count: int) -> list[float]:
    words = text.split()[:count]
    if len(words) < count:
        raise ValueError(text)
    return [float(word) for word in words]


def _read_face(text: str, vertices: int, uvs: int) -> tuple[list[int], list[int]]:
    """0-based vertices and UVs of a face; negative numbers count back from the last one read."""
    corners = [word.split("/") for word in text.split()]
    position = [_index(corner[0], vertices) for corner in corners]
    texture = [_index(c[1], uvs) if len(c) > 1 and c[1] else -1 for c in corners]
    return position, texture


def _index(word: str, count: int) -> int:
    number = int(word)
    if number == 0 or not -count <= number <= MOST_INDEX:
        raise ValueError(word)
    return number - 1 if number > 0 else count + number


def _pad(rows: list[list[int]], width: int) -> np.ndarray:
    return np.array([row + [row[-1]] * (width - len(row)) for row in rows], dtype=np.int32)


def _check(mesh: ObjMesh, name: str) -> None:
    if not (np.isfinite(mesh.vertices).all() and np.isfinite(mesh.uv).all()):
        raise source_error(name, "v", "finite numbers", "infinite or undefined ones")
    for key, index, count in (
        ("f", mesh.faces, len(mesh.vertices)),
        ("f, vt", mesh.uv_faces, len(mesh.uv)),
    ):
        if index.max() >= count:
            raise source_error(name, key, f"numbers up to {count}", str(index.max() + 1))
