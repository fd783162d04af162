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

Levels = Mapping[str, Mapping[float, list[int]]]
"""Vertices of a part by group and weight."""

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


def group_levels(vertices: np.ndarray, groups: Mapping[str, np.ndarray]) -> Levels:
    """Groups that cover some of a part but not all of it. vertices: (n,) pack indices."""
    found = {}
    for name, weights in groups.items():
        levels = np.rint(np.clip(weights[vertices], 0.0, 1.0) * LEVELS).astype(int)
        if levels.any() and not (levels == LEVELS).all():
            steps = np.unique(levels[levels > 0])
            found[name] = {
                level / LEVELS: np.flatnonzero(levels == level).tolist() for level in steps
            }
    return found


def add_groups(part: bpy.types.Object, groups: Levels) -> None:
    """Give a part these groups."""
    for name, levels in groups.items():
        group = part.vertex_groups.new(name=name)
        for weight, chosen in levels.items():
            group.add(chosen, weight, "REPLACE")
