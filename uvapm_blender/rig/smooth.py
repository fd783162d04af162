"""An optional Subdivision modifier on a head's skin, out of the way while a slider is dragged."""

import time

import bpy

from ..declarations import PROPERTY
from ..scene.heads import parts_of

NAME = "UVAPM smooth"
LEVEL, RENDER_LEVEL = 1, 2
KINDS = ("skin", "eye", "teeth", "tongue")
REST = 0.4
"""Seconds without a change after which the surface is smooth again in the viewport."""

_HIDDEN: dict[int, float] = {}
"""Session id of the objects whose modifier is off for now, and when they changed last."""


def is_smooth(root: bpy.types.Object) -> bool:
    """Whether a head has the modifier."""
    return any(part.modifiers.get(NAME) for part in parts_of(root))


def set_smooth(root: bpy.types.Object, smooth: bool) -> None:
    """Give a head's solid parts the modifier, or take it away. Their own modifiers stay."""
    for part in parts_of(root):
        modifier = part.modifiers.get(NAME)
        if modifier is not None and not smooth:
            part.modifiers.remove(modifier)
        elif modifier is None and smooth and getattr(part, PROPERTY).kind in KINDS:
            modifier = part.modifiers.new(NAME, "SUBSURF")
            modifier.levels, modifier.render_levels = LEVEL, RENDER_LEVEL
            modifier.show_only_control_edges = True


def note_change(root: bpy.types.Object) -> None:
    """A slider moves the head: show it without the modifier until the slider rests.

    It costs 45 ms a change on a head; without a window nothing is drawn, so nothing is hidden.
    """
    if bpy.app.background:
        return
    for part in parts_of(root):
        modifier = part.modifiers.get(NAME)
        if modifier is not None and (modifier.show_viewport or part.session_uid in _HIDDEN):
            modifier.show_viewport = False
            _HIDDEN[part.session_uid] = time.monotonic()
    if _HIDDEN and not bpy.app.timers.is_registered(_tick):
        bpy.app.timers.register(_tick, first_interval=REST)


def _tick() -> float | None:
    """Timer: show again what rests."""
    if max(_HIDDEN.values(), default=0.0) + REST > time.monotonic():
        return REST / 2.0
    show_all()
    return None


def show_all() -> None:
    """Show every modifier that was hidden; also before saving and at the end."""
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
