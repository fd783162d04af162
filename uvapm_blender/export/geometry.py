"""Meshes of a head as plain arrays: what exporters get is built from these."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np


@dataclass(frozen=True, eq=False)
class PartGeometry:
    """One mesh, relative to `origin`, Blender axes, metres.

    points (n, 3); corners (l,) vertex of each face corner; sizes (f,) corners a face; uv (l, 2);
    slots (f,) index into `kinds`; kinds: kind of the material of each slot; keys: moves (n, 3) of
    each expression at weight 1; weights: the value of each; normals (n, 3), or None for the
    mesh's own smooth ones; bones: bone of each vertex as an index into `rig.BONES`, (n,).
    """

    label: str
    origin: np.ndarray
    points: np.ndarray
    corners: np.ndarray
    sizes: np.ndarray
    uv: np.ndarray
    slots: np.ndarray
    kinds: tuple[str, ...]
    keys: Mapping[str, np.ndarray] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)
    normals: np.ndarray | None = None
    bones: np.ndarray | None = None

    @property
    def triangles(self) -> int:
        """How many triangles the faces make."""
        return int((self.sizes - 2).sum())


def join(parts: Sequence[PartGeometry], label: str) -> PartGeometry:
    """All parts as one mesh around the head's origin; a slot for each kind of material.

    A part that lacks an expression does not move with it.
    """
    kinds = tuple(dict.fromkeys(kind for part in parts for kind in part.kinds))
    firsts = np.cumsum([0, *(len(part.points) for part in parts)])
    names = list(dict.fromkeys(name for part in parts for name in part.keys))
    still = [np.zeros_like(part.points) for part in parts]
    slots = [np.array([kinds.index(kind) for kind in part.kinds])[part.slots] for part in parts]
    return PartGeometry(
        label=label,
        origin=np.zeros(3, np.float32),
        points=np.concatenate([part.points + part.origin for part in parts]),
        corners=np.concatenate(
            [part.corners + first for part, first in zip(parts, firsts, strict=False)]
        ),
        sizes=np.concatenate([part.sizes for part in parts]),
        uv=np.concatenate([part.uv for part in parts]),
        slots=np.concatenate(slots),
        kinds=kinds,
        keys={
            name: np.concatenate(
                [part.keys.get(name, zero) for part, zero in zip(parts, still, strict=True)]
            )
            for name in names
        },
        weights={name: value for part in parts for name, value in part.weights.items()},
        normals=_joined([part.normals for part in parts]),
        bones=_joined([part.bones for part in parts]),
    )


def _joined(arrays: Sequence[np.ndarray | None]) -> np.ndarray | None:
    return None if any(array is None for array in arrays) else np.concatenate(arrays)


def without_small_moves(part: PartGeometry, still: float) -> PartGeometry:
    """Moves shorter than `still` metres become none, so that files store fewer numbers.

    An expression that moves nothing of the part any more is dropped, except on the skin, whose
    list stays complete.
    """
    keys = {}
    for name, moves in part.keys.items():
        far = np.linalg.norm(moves, axis=1) > still
        if far.any() or "skin" in part.kinds:
            keys[name] = np.where(far[:, None], moves, np.float32(0.0))
    return replace(part, keys=keys)


def smooth_normals(part: PartGeometry) -> np.ndarray:
    """(n, 3) unit normals: mean of the faces' normals weighted by their area (Newell 1972)."""
    starts = np.cumsum(part.sizes) - part.sizes
    following = np.arange(len(part.corners)) + 1
    following[starts + part.sizes - 1] = starts
    here, there = part.points[part.corners], part.points[part.corners[following]]
    faces = np.add.reduceat(np.cross(here, there), starts, axis=0)
    normals = np.zeros(part.points.shape, np.float64)
    np.add.at(normals, part.corners, np.repeat(faces, part.sizes, axis=0))
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    return (normals / np.where(length > 0.0, length, 1.0)).astype(np.float32)
