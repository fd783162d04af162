"""What the shape and expression sliders of a head say, as plain values."""

import bpy
import numpy as np

from ..declarations import PROPERTY
from ..scene.heads import parts_of, role_of
from ..scene.mesh import FIX


def identity_of(root: bpy.types.Object) -> np.ndarray:
    """(K,) f32 standard deviations of the identity, as the sliders are now; (0,) when unknown."""
    return values_of(root)


def values_of(root: bpy.types.Object, name: str = "value") -> np.ndarray:
    """(K,) f32 of a number that each component has: value, fitted, applied."""
    components = getattr(root, PROPERTY).shape.components
    out = np.empty(len(components), np.float32)
    components.foreach_get(name, out)
    return out


def applied_of(root: bpy.types.Object) -> np.ndarray:
    """(K,) f32 that the meshes have."""
    return values_of(root, "applied")


def locked_of(root: bpy.types.Object) -> np.ndarray:
    """(K,) bool."""
    components = getattr(root, PROPERTY).shape.components
    out = np.empty(len(components), bool)
    components.foreach_get("locked", out)
    return out


def keys_of(root: bpy.types.Object) -> dict[str, bpy.types.ShapeKey]:
    """The expression keys of a head's skin by name, also those that an artist added; not the
    corrective ones, which drivers move. For immediate use."""
    parts = parts_of(root)
    keys = parts[0].data.shape_keys if parts and role_of(parts[0]) == "SKIN" else None
    blocks = keys.key_blocks[1:] if keys else ()
    return {key.name: key for key in blocks if not key.name.startswith(FIX)}


def expression_of(root: bpy.types.Object) -> np.ndarray:
    """(E,) f32 weights as the sliders are now, in the order of the result's expressions.

    A key that is gone counts 0; a muted one keeps its value.
    """
    keys = keys_of(root)
    names = [item.name for item in getattr(root, PROPERTY).shape.expressions]
    return np.array([keys[name].value if name in keys else 0.0 for name in names], np.float32)


def heads() -> list[bpy.types.Object]:
    """Roots of all heads of this file that can be edited."""
    return [item for item in bpy.data.objects if item.library is None and role_of(item) == "ROOT"]
