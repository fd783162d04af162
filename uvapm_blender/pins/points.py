"""Where a head has the 68 points of a face: on its mesh as it is now."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import bpy
import numpy as np

from ...engine.protocol.errors import EngineError, ErrorCode
from ...engine.protocol.headpack import split_quads
from ...engine.protocol.pack_manifest import HEAD_FILE, file_sha256
from ...engine.protocol.safetensors import read_safetensors
from .. import locations
from ..declarations import PROPERTY
from ..scene.heads import parts_of
from ..scene.mesh import VERTEX_ATTRIBUTE


@dataclass(frozen=True, eq=False)
class Embedding:
    """corners (68, 3): vertices of the head pack; weights (68, 3): theirs, sum 1."""

    corners: np.ndarray
    weights: np.ndarray


@lru_cache(maxsize=2)
def read_embedding(folder: Path, digest: str) -> Embedding:
    """The 68 points in the pack of a head. Raises EngineError(PACK_MISSING) for another pack."""
    path = folder / HEAD_FILE
    if not path.is_file() or file_sha256(path, HEAD_FILE) != digest:
        raise EngineError(
            ErrorCode.PACK_MISSING,
            "The head pack of this head is not here, so its landmarks cannot be shown.",
            "Build it, or set pins by their number.",
        )
    arrays = read_safetensors(path)
    triangles = split_quads(arrays["quads"])[arrays["landmarks68_triangles"]]
    return Embedding(triangles, arrays["landmarks68_barycentric"].astype(np.float64))


def embedding_of(root: bpy.types.Object) -> Embedding:
    """The points of a head's own pack. Raises EngineError."""
    shape = getattr(root, PROPERTY).shape
    return read_embedding(locations.pack_folder(shape.pack), shape.model_sha256)


def head_points(root: bpy.types.Object, embedding: Embedding) -> tuple[np.ndarray, np.ndarray]:
    """World coordinates (68, 3) with the expression as it is, and normals (68, 3), not of unit
    length. Not a number where an artist deleted the vertices."""
    skin = parts_of(root)[0]
    vertices = np.empty(len(skin.data.vertices), np.int32)
    skin.data.attributes[VERTEX_ATTRIBUTE].data.foreach_get("value", vertices)
    wanted = embedding.corners.ravel()
    rows = np.clip(np.searchsorted(vertices, wanted), 0, len(vertices) - 1)
    places = _posed(skin.data)[rows].astype(np.float64)
    places[vertices[rows] != wanted] = np.nan
    matrix = np.array(skin.matrix_world, dtype=np.float64)
    corners = (places @ matrix[:3, :3].T + matrix[:3, 3]).reshape(-1, 3, 3)
    points = np.einsum("ncx,nc->nx", corners, embedding.weights)
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    return points, np.cross(b - a, c - a)


def _posed(mesh: bpy.types.Mesh) -> np.ndarray:
    """(n, 3) f32 vertices with all shape keys at their values."""
    size = len(mesh.vertices) * 3
    basis, points = np.empty(size, np.float32), np.empty(size, np.float32)
    if mesh.shape_keys is None:
        mesh.vertices.foreach_get("co", basis)
        return basis.reshape(-1, 3)
    first, *others = mesh.shape_keys.key_blocks
    first.points.foreach_get("co", basis)
    posed = basis.copy()
    for key in others:
        if key.value and not key.mute:
            key.points.foreach_get("co", points)
            posed += key.value * (points - basis)
    return posed.reshape(-1, 3)
