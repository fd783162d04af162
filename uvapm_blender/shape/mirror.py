"""Left and right expressions move together while a head's Symmetric toggle is on.

The sliders are Blender's own shape keys, which tell nobody that they were moved: after each
evaluation the values are compared with the last known ones.
"""

from collections.abc import Collection

import bpy

from ..declarations import PROPERTY
from .expression import partner_of
from .values import heads, keys_of

_LAST: dict[int, dict[str, float]] = {}
"""Values of the keys of heads with the toggle on, by session_uid of the root."""

_DONE: set[tuple[int, str, float, float]] = set()
"""What was mirrored: root, key that was moved, its value, the partner's value before. Blender
takes the undo step of a drag before its last move is evaluated: the step lacks that mirroring."""
MOST_DONE = 10_000


def remember(root: bpy.types.Object) -> None:
    """Take the keys as they are for known: what differs from now on was moved."""
    if getattr(root, PROPERTY).shape.symmetric:
        _LAST[root.session_uid] = {name: key.value for name, key in keys_of(root).items()}
    else:
        _LAST.pop(root.session_uid, None)


def remember_all() -> None:
    """After loading and a change of frame."""
    _LAST.clear()
    for root in heads():
        remember(root)


def restore_all() -> None:
    """After undo and redo: a step that was taken too early gets its last mirroring again."""
    for root in heads() if _DONE else ():
        if getattr(root, PROPERTY).shape.symmetric:
            keys = keys_of(root)
            for name, other in pairs_of(keys):
                value, before = keys[name].value, keys[other].value
                if (root.session_uid, name, value, before) in _DONE:
                    keys[other].value = value
    remember_all()


def pairs_of(names: Collection[str]) -> list[tuple[str, str]]:
    """Each expression that has a partner, with it."""
    return [(name, partner_of(name)) for name in names if partner_of(name) in names]


def active() -> bool:
    """True when a head may have its toggle on."""
    return bool(_LAST)


def forget() -> None:
    """When the extension is disabled."""
    _LAST.clear()
    _DONE.clear()


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
    for name, other in pairs_of(values):
        value, before = values[name], values[other]
        if other in locked or last.get(name, value) == value:
            continue
        if last.get(other, before) == before != value:
            keys[other].value = value
            _note(root, name, value, before)
    remember(root)


def _note(root: bpy.types.Object, name: str, value: float, before: float) -> None:
    if len(_DONE) >= MOST_DONE:
        _DONE.clear()
    _DONE.add((root.session_uid, name, value, before))
