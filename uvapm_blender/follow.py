"""Values that an animation or a driver sets: Blender changes them without calling `update`.

A feature registers a follower once, when the extension is enabled. It is called with the root of
each animated head after every change of frame and every evaluation, so it must compare its values
with what it applied last, and return at once when they are equal.
"""

from collections.abc import Callable

import bpy
from bpy.app.handlers import persistent

from .evaluated import take_evaluated
from .scene.heads import role_of

Follower = Callable[[bpy.types.Object], None]

_FOLLOWERS: list[Follower] = []
_running: set[str] = set()
"""Not empty while followers are called."""


def add(follower: Follower) -> None:
    """Call `follower(root)` for animated heads from now on."""
    if follower not in _FOLLOWERS:
        _FOLLOWERS.append(follower)


def remove(follower: Follower) -> None:
    """No more."""
    if follower in _FOLLOWERS:
        _FOLLOWERS.remove(follower)


def animated_heads() -> list[bpy.types.Object]:
    """Roots of heads of this file whose values an action, a strip or a driver may change."""
    return [
        item
        for item in bpy.data.objects
        if item.animation_data is not None and item.library is None and role_of(item) == "ROOT"
    ]


def follow() -> None:
    """Let every follower look at every animated head. Followers may change data: the evaluation
    that this causes does not come back here."""
    if _running:
        return
    _running.add("follow")
    try:
        for root in animated_heads():
            for follower in tuple(_FOLLOWERS):
                follower(root)
    finally:
        _running.clear()


@persistent
def _on_frame(scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph, *_: object) -> None:
    for root in animated_heads():
        take_evaluated(root, depsgraph)
    follow()


@persistent
def _on_update(scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph, *_: object) -> None:
    if depsgraph.id_type_updated("OBJECT"):
        follow()


_HANDLERS = (("frame_change_post", _on_frame), ("depsgraph_update_post", _on_update))


def add_handlers() -> None:
    """Once, when the extension is enabled."""
    for name, handler in _HANDLERS:
        getattr(bpy.app.handlers, name).append(handler)


def remove_handlers() -> None:
    """When the extension is disabled."""
    for name, handler in _HANDLERS:
        installed = getattr(bpy.app.handlers, name)
        if handler in installed:
            installed.remove(handler)
    _FOLLOWERS.clear()
