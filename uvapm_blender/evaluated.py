"""Animated values as an evaluation has them, brought to the head that everybody sees.

Blender does so for the view's own evaluation only; a render of an animation has another.
"""

import bpy
import numpy as np

from .declarations import PROPERTY


def take_evaluated(root: bpy.types.Object, depsgraph: bpy.types.Depsgraph) -> None:
    """Copy the numbers of a head that `depsgraph` has animated, without their callbacks."""
    _copy(getattr(root.evaluated_get(depsgraph), PROPERTY), getattr(root, PROPERTY))


def _copy(source: bpy.types.PropertyGroup, target: bpy.types.PropertyGroup) -> None:
    for each in source.bl_rna.properties:
        name = each.identifier
        if name == "rna_type":
            continue
        if each.type == "FLOAT" and each.is_animatable and not each.is_readonly:
            _copy_number(source, target, name, each.is_array)
        elif each.type == "COLLECTION" and "value" in each.fixed_type.properties:
            _copy_values(getattr(source, name), getattr(target, name))
        elif each.type == "POINTER" and isinstance(getattr(source, name), bpy.types.PropertyGroup):
            _copy(getattr(source, name), getattr(target, name))


def _copy_number(
    source: bpy.types.PropertyGroup, target: bpy.types.PropertyGroup, name: str, array: bool
) -> None:
    value = getattr(source, name)
    if array and tuple(value) != tuple(getattr(target, name)):
        target[name] = list(value)
    elif not array and value != getattr(target, name):
        target[name] = value


def _copy_values(
    source: bpy.types.bpy_prop_collection, target: bpy.types.bpy_prop_collection
) -> None:
    if not len(source) or len(source) != len(target):
        return
    found, known = (np.empty(len(source), np.float32) for _ in range(2))
    source.foreach_get("value", found)
    target.foreach_get("value", known)
    if not np.array_equal(found, known):
        target.foreach_set("value", found)
