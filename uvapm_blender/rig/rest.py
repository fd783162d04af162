"""What a head does once its shape rests: blinks close again, the subdivided surface comes back."""

import time

import bpy

from ..scene.heads import parts_of, role_of
from .reclose import close_lids
from .smooth import NAME

REST = 0.4
"""Seconds without a change."""

_CHANGED: dict[int, float] = {}
"""Session id of the roots whose shape changed, and when last."""
_HIDDEN: set[int] = set()
"""Session id of the objects whose modifier is off for now."""


def note_change(root: bpy.types.Object) -> None:
    """A slider moves the head. The subdivided surface, 45 ms a change, waits until it rests.

    Without a window there are no timers: scripts close the lids by the operator.
    """
    if bpy.app.background:
        return
    _CHANGED[root.session_uid] = time.monotonic()
    for part in parts_of(root):
        modifier = part.modifiers.get(NAME)
        if modifier is not None and modifier.show_viewport:
            modifier.show_viewport = False
            _HIDDEN.add(part.session_uid)
    if not bpy.app.timers.is_registered(_tick):
        bpy.app.timers.register(_tick, first_interval=REST)


def _tick() -> float | None:
    """Timer: one head a call, so that no call takes long."""
    now = time.monotonic()
    resting = [uid for uid, changed in _CHANGED.items() if changed + REST <= now]
    for root in (item for item in bpy.data.objects if item.session_uid in resting[:1]):
        if role_of(root) == "ROOT" and root.library is None:
            close_lids(root)
    for uid in resting[:1]:
        del _CHANGED[uid]
    if _CHANGED:
        return REST / 4.0
    show_all()
    return None


def show_all() -> None:
    """Show every modifier that was hidden."""
    for item in bpy.data.objects:
        modifier = item.modifiers.get(NAME) if item.session_uid in _HIDDEN else None
        if modifier is not None:
            modifier.show_viewport = True
    _HIDDEN.clear()


def close() -> None:
    """When the extension is disabled."""
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
    show_all()
    _CHANGED.clear()
