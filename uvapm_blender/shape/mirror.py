"""Left and right expressions move together while a head's Symmetric toggle is on.

The sliders are Blender's own shape keys, which tell nobody that they were moved: after each
evaluation the values are compared with the last known ones.
"""

import bpy

from ..declarations import PROPERTY
from .expression import partner_of
from .values import heads, keys_of

_LAST: dict[int, dict[str, float]] = {}
"""Values of the keys of heads with the toggle on, by session_uid of the root."""


def remember(root: bpy.types.Object) -> None:
    """Take the keys as they are for known: what differs from now on was moved."""
    if getattr(root, PROPERTY).shape.symmetric:
        _LAST[root.session_uid] = {name: key.value for name, key in keys_of(root).items()}
    else:
        _LAST.pop(root.session_uid, None)


def remember_all() -> None:
    """After undo, loading and a change of frame."""
    _LAST.clear()
    for root in heads():
        remember(root)


def active() -> bool:
    """True when a head may have its toggle on."""
    return bool(_LAST)


def forget() -> None:
    """When the extension is disabled."""
    _LAST.clear()


def follow_pairs(root: bpy.types.Object) -> None:
    """Where one key of a pair was moved, its partner follows, unless that is locked.

    A pair of which both were moved is left alone: an animation or another tool did it.
    """
    shape = getattr(root, PROPERTY).shape
    if not shape.symmetric:
        return
    last = _LAST.get(root.session_uid, {})
    locked = {item.name for item in shape.expressions if item.locked}
    keys = keys_of(root)
    values = {name: key.value for name, key in keys.items()}
    for name, value in values.items():
        other = partner_of(name)
        if other not in values or other in locked or last.get(name, value) == value:
            continue
        if last.get(other, values[other]) == values[other] != value:
            keys[other].value = value
    remember(root)
