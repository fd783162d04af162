"""What sliders of a head's coefficients have in common: shape, expression, skin, detail."""

import bpy
import numpy as np

from ..engine.protocol.errors import EngineError
from ..engine.protocol.pack_manifest import read_manifest
from ..engine.protocol.result_schema import PackInfo
from . import locations

SOFT_VALUE = 3.0
"""Standard deviations that a slider reaches by dragging: 99.7 % of people lie within."""

LOCKS = (
    ("LOCK", "Lock All", "All sliders stay as they are"),
    ("UNLOCK", "Unlock All", "All sliders may change"),
    ("INVERT", "Invert Locks", "What was locked is free, and the other way round"),
)
"""What an operator can do with all locks of a group."""


def lock_property() -> bpy.types.Property:
    """The lock of a slider."""
    return bpy.props.BoolProperty(
        name="Lock", description="Stays as it is when sliders are reset or chosen at random"
    )


def set_locks(items: bpy.types.bpy_prop_collection, action: str) -> None:
    """Do one of `LOCKS` with the lock of each item."""
    for item in items:
        free = action == "UNLOCK" or (action == "INVERT" and item.locked)
        item.locked = not free


def amount_property(description: str) -> bpy.types.Property:
    """How far a random choice goes, [0, 1]."""
    return bpy.props.FloatProperty(
        name="Amount", description=description, default=0.5, min=0.0, max=1.0, subtype="FACTOR"
    )


def name_property() -> bpy.types.Property:
    """The one slider that a reset is for."""
    return bpy.props.StringProperty(
        name="Only", description="One slider by its name; empty: all", options={"SKIP_SAVE"}
    )


def another_seed() -> int:
    """A seed for a click on a button."""
    return int(np.random.default_rng().integers(2**31 - 1))


def resize(items: bpy.types.bpy_prop_collection, count: int) -> None:
    """Give a collection so many items; those that stay keep their values."""
    while len(items) > count:
        items.remove(len(items) - 1)
    while len(items) < count:
        items.add()


def model_sha256(info: PackInfo, file: str) -> str:
    """sha256 of a file of a result's pack, "" when that very pack is not here."""
    try:
        manifest, sha256 = read_manifest(locations.pack_folder(info.id))
    except EngineError:
        return ""
    return manifest.files.get(file, "") if sha256 == info.sha256 else ""
