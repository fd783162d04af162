"""Blender's collections as arrays."""

import bpy
import numpy as np


def floats_of(items: bpy.types.bpy_prop_collection, name: str, width: int) -> np.ndarray:
    """(n, width) f32 of a vector property."""
    values = np.empty(len(items) * width, np.float32)
    items.foreach_get(name, values)
    return values.reshape(-1, width)


def integers_of(items: bpy.types.bpy_prop_collection, name: str) -> np.ndarray:
    """(n,) i32 of a property."""
    values = np.empty(len(items), np.int32)
    items.foreach_get(name, values)
    return values
