"""Expressions as shape keys of the artist's mesh. Keys that were there stay as they are."""

from collections.abc import Mapping
from dataclasses import dataclass

import bpy
import numpy as np

from ...engine.protocol.wear import WearPackage
from ..declarations import PROPERTY
from ..export.arrays import floats_of
from ..scene.made import Steps
from .target import Target

LIKENESS = "Likeness"
"""Name of the key that turns the artist's shape into the person's."""
STILL = 1e-6
"""Share of the mesh's size: what moves less gets no key (ours)."""


@dataclass(frozen=True, eq=False)
class Before:
    """The keys of an object before it wears a head: by their names, with the points of ours."""

    item: str
    names: tuple[str, ...]
    points: Mapping[str, np.ndarray]

    def restore(self) -> None:
        """Bring them back."""
        item = bpy.data.objects.get(self.item)
        keys = None if item is None else item.data.shape_keys
        if keys is None:
            return
        if not self.names:
            item.shape_key_clear()
            return
        for key in [each for each in keys.key_blocks if each.name not in self.names]:
            item.shape_key_remove(key)
        for name, points in self.points.items():
            keys.key_blocks[name].points.foreach_set("co", points.ravel())


def add_keys(
    item: bpy.types.Object, target: Target, package: WearPackage, likeness: float
) -> Steps[int]:
    """Give a mesh the expressions, and its likeness at a value. Keys of an earlier wearing are
    renewed in place with their values, drivers and names. Returns how many keys it has of them;
    where the steps are left off, the keys are as before."""
    if not package.manifest.expression_names:
        return 0
    ours = getattr(item, PROPERTY).worn.keys.splitlines()
    blocks = item.data.shape_keys.key_blocks if item.data.shape_keys else {}
    points = {name: floats_of(blocks[name].points, "co", 3) for name in ours if name in blocks}
    before = Before(item.name, tuple(blocks.keys()), points)
    try:
        made = yield from _write_keys(item, target, package, likeness, set(points))
    except BaseException:
        before.restore()
        raise
    for name in set(points) - set(made):
        _remove(item, name)
    getattr(item, PROPERTY).worn.keys = "\n".join(made)
    item.data.update_tag()
    return len(made)


def _write_keys(
    item: bpy.types.Object, target: Target, package: WearPackage, likeness: float, ours: set[str]
) -> Steps[list[str]]:
    """Returns the names of the keys. ours: of an earlier wearing, to be written over."""
    if item.data.shape_keys is None:
        item.shape_key_add(name="Basis", from_mix=False)
    rest = floats_of(item.data.shape_keys.reference_key.points, "co", 3)
    still = STILL * float(np.ptp(rest, axis=0).max())
    shapes = dict(zip(package.manifest.expression_names, package.expression, strict=True))
    made = []
    for name, shift in (*shapes.items(), (LIKENESS, package.likeness)):
        moves = target.moves(shift)
        if np.abs(moves).max(initial=0.0) <= still:
            continue
        if name in ours:
            key = item.data.shape_keys.key_blocks[name]
        else:
            key = item.shape_key_add(name=name, from_mix=False)
            key.slider_min, key.slider_max = 0.0, 1.0
            key.value = 0.0  # 1 from Blender 5 on
        if name == LIKENESS:
            key.value = likeness
        key.points.foreach_set("co", np.ascontiguousarray(rest + moves, np.float32).ravel())
        made.append(key.name)
        yield
    return made


def _remove(item: bpy.types.Object, name: str) -> None:
    """An earlier key that this head does not have."""
    key = item.data.shape_keys.key_blocks.get(name)
    if key is not None:
        key.driver_remove("value")
        item.shape_key_remove(key)
