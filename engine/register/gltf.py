"""Meshes of glTF 2.0 files."""

from pathlib import Path

import numpy as np

from ..protocol.errors import EngineError, ErrorCode


def read_gltf(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Vertices (V, 3), triangles (T, 3), UVs (V, 2) or None. Raises EngineError(BAD_INPUT)."""
    raise EngineError(
        ErrorCode.BAD_INPUT, f"{path.name}: glTF is not read yet.", "Export the mesh as OBJ."
    )
