"""Vertex groups: regions that the head pack names (lips, eyelids, ears ...).

A result does not repeat them. They are read from the pack it was made with, when that is here.
"""

from collections.abc import Mapping
from pathlib import Path

import bpy
import numpy as np

from ...engine.protocol.errors import EngineError
from ...engine.protocol.pack_manifest import HEAD_FILE, file_sha256, read_manifest
from ...engine.protocol.result_schema import PackInfo
from ...engine.protocol.safetensors import read_safetensors

LEVELS = 100
"""Weights are rounded to hundredths: Blender takes one call per distinct weight."""


def pack_groups(info: PackInfo, folder: Path, count: int) -> dict[str, np.ndarray]:
    """Weights (count,) in [0, 1] by name; empty unless `folder` holds exactly that pack."""
    try:
        manifest, sha256 = read_manifest(folder)
        path = folder / HEAD_FILE
        if sha256 != info.sha256 or file_sha256(path, HEAD_FILE) != manifest.files.get(HEAD_FILE):
            return {}
        weights = read_safetensors(path).get("groups")
    except EngineError:
        return {}  # groups are a help, not a condition
    names = () if manifest.head is None else manifest.head.group_names
    if weights is None or weights.shape != (len(names), count):
        return {}
    return dict(zip(names, weights.astype(np.float32), strict=True))


def add_groups(
    part: bpy.types.Object, vertices: np.ndarray, groups: Mapping[str, np.ndarray]
) -> None:
    """Groups that cover some of a part but not all of it. vertices: (n,) pack indices."""
    for name, weights in groups.items():
        levels = np.rint(np.clip(weights[vertices], 0.0, 1.0) * LEVELS).astype(int)
        if not levels.any() or (levels == LEVELS).all():
            continue
        group = part.vertex_groups.new(name=name)
        for level in np.unique(levels[levels > 0]):
            chosen = np.flatnonzero(levels == level).tolist()
            group.add(chosen, level / LEVELS, "REPLACE")
