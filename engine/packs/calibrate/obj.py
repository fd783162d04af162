"""Wavefront OBJ files of outside meshes: positions, UVs and faces, nothing else."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class ObjMesh:
    """vertices (V, 3) f64; uv (T, 2) f64, v up; faces (F, n) i32 and uv_faces (F, n) i32, where
    n is 3 or 4 (triangles of a mixed file repeat their last corner; uv -1 where absent);
    groups (F,) names of the last `g` or `o` line."""

    vertices: np.ndarray
    uv: np.ndarray
    faces: np.ndarray
    uv_faces: np.ndarray
    groups: np.ndarray


def read_obj(path: Path) -> ObjMesh:
    """Read a mesh of triangles and quads. Raises ValueError on larger polygons."""
    vertices, uv, faces, uv_faces, groups = [], [], [], [], []
    group = ""
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "v":
            vertices.append([float(x) for x in rest.split()[:3]])
        elif kind == "vt":
            uv.append([float(x) for x in rest.split()[:2]])
        elif kind in ("g", "o"):
            group = rest.strip()
        elif kind == "f":
            corner, corner_uv = _read_face(rest)
            faces.append(corner)
            uv_faces.append(corner_uv)
            groups.append(group)
    wide = max(len(face) for face in faces)
    if wide > 4:
        raise ValueError(f"{path.name} has faces of {wide} corners; triangles and quads are read.")
    return ObjMesh(
        vertices=np.array(vertices),
        uv=np.array(uv).reshape(-1, 2),
        faces=_pad(faces, wide),
        uv_faces=_pad(uv_faces, wide),
        groups=np.array(groups),
    )


def _read_face(text: str) -> tuple[list[int], list[int]]:
    corners = [word.split("/") for word in text.split()]
    position = [int(corner[0]) - 1 for corner in corners]
    texture = [int(c[1]) - 1 if len(c) > 1 and c[1] else -1 for c in corners]
    return position, texture


def _pad(rows: list[list[int]], width: int) -> np.ndarray:
    return np.array([row + [row[-1]] * (width - len(row)) for row in rows], dtype=np.int32)
