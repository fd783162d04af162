"""What another result of the same photo changes on a head's meshes: numbers only, no Blender data,
so that it can be worked out beside the main thread."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...engine.protocol.errors import EngineError
from ...engine.protocol.result import ResultPackage, read_mesh
from ..detail.sources import check_result
from ..rig.lids import with_closing_blinks

SAME = 1e-6
"""Metres within which a shape of two results is the same. Ours: half-floats differ by more."""


@dataclass(frozen=True, eq=False)
class Before:
    """The head as it is. folder, stamp: its result and the sha256 of its result.json; slid: what
    its identity sliders moved the neutral head by since then, (V, 3) metres or None."""

    folder: Path
    stamp: str
    slid: np.ndarray | None


@dataclass(frozen=True, eq=False)
class Change:
    """shift (V, 3) f32 metres, model space: of the neutral head; expressions: likewise what keys
    move by besides, by name."""

    shift: np.ndarray
    expressions: Mapping[str, np.ndarray]


def change_between(before: Before | None, result: ResultPackage) -> Change | None:
    """From the head as it is to a result; None when its earlier result is gone or has other
    vertices."""
    if before is None:
        return None
    try:
        check_result(before.folder, before.stamp)
        old = read_mesh(before.folder)
    except EngineError:
        return None
    new, info = result.mesh, result.manifest.mesh
    if old.neutral.shape != new.neutral.shape or old.expression.shape != new.expression.shape:
        return None
    shift = new.neutral - old.neutral
    if before.slid is not None:
        shift = shift - before.slid
    old_shapes, new_shapes = (
        with_closing_blinks(mesh, info.part_names, info.expression_names).expression
        for mesh in (old, new)
    )
    return Change(shift, _moved(old_shapes, new_shapes, info.expression_names))


def _moved(old: np.ndarray, new: np.ndarray, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    moves = ((name, b.astype(np.float32) - a) for name, a, b in zip(names, old, new, strict=True))
    return {name: move for name, move in moves if np.abs(move).max(initial=0.0) > SAME}
