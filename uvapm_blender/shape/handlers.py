"""What changes a head without telling the sliders: undo, drivers, other tools, duplicates."""

import threading

import bpy
from bpy.app.handlers import persistent

from .. import follow
from ..scene.heads import head_of, parts_of
from ..scene.own import own_meshes
from . import mirror
from .apply import apply_identity
from .cache import CACHE, look_soon, stop_looking
from .values import heads

_ENTRY = threading.Lock()
"""Held while the handler runs."""


@persistent
def _on_update(scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph, *_: object) -> None:
    """Linked duplicates become heads of their own; values set behind our back are applied;
    pairs of expressions follow each other. Costs next to nothing where no head changed."""
    if not _ENTRY.acquire(blocking=False):
        return  # what we change is evaluated too
    try:
        if depsgraph.id_type_updated("OBJECT"):
            for root in _changed_heads(depsgraph):
                _split_duplicate(root)
                apply_identity(root)
        if depsgraph.id_type_updated("KEY") and mirror.active():
            for root in heads():
                mirror.follow_pairs(root)
    finally:
        _ENTRY.release()


def _changed_heads(depsgraph: bpy.types.Depsgraph) -> list[bpy.types.Object]:
    """Roots of the heads of which an object was evaluated again; those of this file."""
    roots = {}
    for update in depsgraph.updates:
        item = update.id.original
        if isinstance(item, bpy.types.Object):
            root = head_of(item)
            if root is not None and root.library is None:
                roots[root.session_uid] = root
    return list(roots.values())


def _split_duplicate(root: bpy.types.Object) -> None:
    """A mesh belongs to one head: a linked duplicate gets its own."""
    shared = {part.data for part in parts_of(root) if part.data.users > 1}
    if not shared:
        return
    others = [other for other in heads() if other != root]
    others = [other for other in others if shared & {part.data for part in parts_of(other)}]
    for each in (root, *others) if others else ():
        own_meshes(each)  # the last one keeps the meshes, but its drivers may read other eyes


@persistent
def _on_frame(*_: object) -> None:
    mirror.remember_all()


@persistent
def _on_undo(*_: object) -> None:
    CACHE.meshes.clear()
    mirror.restore_all()


@persistent
def _on_load(*_: object) -> None:
    """Packs may have come or gone."""
    CACHE.clear()
    mirror.remember_all()
    look_soon()


_HANDLERS = (
    ("depsgraph_update_post", _on_update),
    ("frame_change_post", _on_frame),
    ("undo_post", _on_undo),
    ("redo_post", _on_undo),
    ("load_post", _on_load),
)


def add() -> None:
    """Once, when the extension is enabled."""
    for name, handler in _HANDLERS:
        getattr(bpy.app.handlers, name).append(handler)
    follow.add(apply_identity)


def remove() -> None:
    """When the extension is disabled."""
    follow.remove(apply_identity)
    for name, handler in _HANDLERS:
        installed = getattr(bpy.app.handlers, name)
        if handler in installed:
            installed.remove(handler)
    stop_looking()
    mirror.forget()
    CACHE.clear()
