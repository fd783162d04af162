"""One head takes the place of another."""

import bpy

from ..declarations import PROPERTY
from ..detail.properties import DIRECTIONS
from ..detail.values import STRENGTHS
from .heads import parts_of


def succeed(old: bpy.types.Object, new: bpy.types.Object) -> None:
    """Put `new` where `old` stands, with its locks and sliders, and hide `old`. Both are roots.

    Expression keys go along where the expression is locked, directions of the detail where the
    detail is: elsewhere the new fit has its own.
    """
    new.parent = old.parent
    new.matrix_parent_inverse = old.matrix_parent_inverse
    new.matrix_world = old.matrix_world
    before, after = getattr(old, PROPERTY), getattr(new, PROPERTY)
    after.locks = before.locks
    names = ("photo", *STRENGTHS, *(DIRECTIONS if "detail" in before.locks else ()))
    for name in names:
        setattr(after.detail, name, getattr(before.detail, name))
    if "expression" in before.locks:
        _copy_keys(parts_of(old)[0], parts_of(new)[0])
    for item in (old, *old.children_recursive):
        item.hide_viewport = item.hide_render = True


def _copy_keys(old: bpy.types.Object, new: bpy.types.Object) -> None:
    if old.data.shape_keys is None or new.data.shape_keys is None:
        return
    values = {key.name: key.value for key in old.data.shape_keys.key_blocks}
    for key in new.data.shape_keys.key_blocks:
        key.value = values.get(key.name, key.value)
