"""A mesh as a file, or as another program hands it over: a .safetensors file of arrays."""

from pathlib import Path

import numpy as np

from ..protocol.errors import EngineError, ErrorCode
from ..protocol.safetensors import read_safetensors
from .mesh import HeadMesh, check_mesh, read_mesh

TENSORS = ".safetensors"
_MESH_SHAPES = {
    "vertices": (np.float32, (3,)),
    "faces": (np.int32, (4,)),
    "corner_uv": (np.float32, (4, 2)),
}


def read_any_mesh(path: Path) -> HeadMesh:
    """A mesh file, or the .safetensors that Blender's side writes, see `WearJob`."""
    if path.suffix.lower() != TENSORS:
        return read_mesh(path)
    try:
        arrays = read_safetensors(path)
    except EngineError as error:
        raise _bad_mesh(path, error.message.rstrip(".")) from error
    for name, (kind, tail) in _MESH_SHAPES.items():
        array = arrays.get(name)
        if array is None:
            if name == "corner_uv":
                continue
            raise _bad_mesh(path, f"it lacks {name}")
        if array.dtype != kind or array.ndim != 1 + len(tail) or array.shape[1:] != tail:
            shape = ("n", *tail)
            raise _bad_mesh(path, f"{name} must be {np.dtype(kind)} of shape {shape}")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise _bad_mesh(path, f"{name} has values that are not finite")
    vertices = arrays["vertices"].astype(np.float64)
    mesh = HeadMesh(vertices, arrays["faces"], arrays.get("corner_uv"), path.stem)
    return check_mesh(mesh)


def _bad_mesh(path: Path, why: str) -> EngineError:
    return EngineError(ErrorCode.BAD_INPUT, f"The mesh {path.name} cannot be used: {why}.")
