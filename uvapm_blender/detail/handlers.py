"""Undo, loading and saving know properties and packed files, not the pixels of an image."""

import bpy
from bpy.app.handlers import persistent

from .. import follow
from ..declarations import PROPERTY
from ..scene.images import pack_changed
from . import live
from .values import heads


@persistent
def _on_undo(*_: object) -> None:
    live.refresh_touched()


@persistent
def _on_load(*_: object) -> None:
    live.refresh_loaded()


@persistent
def _on_save(*_: object) -> None:
    live.flush()
    for root in heads():
        head = getattr(root, PROPERTY)
        for image in (head.detail.albedo, head.skin.normal, head.skin.roughness):
            pack_changed(image)


@persistent
def _on_render(*_: object) -> None:
    live.flush()


_HANDLERS = (
    ("undo_post", _on_undo),
    ("redo_post", _on_undo),
    ("load_post", _on_load),
    ("save_pre", _on_save),
    ("render_init", _on_render),
)


def add() -> None:
    """Once, when the extension is enabled."""
    for name, handler in _HANDLERS:
        getattr(bpy.app.handlers, name).append(handler)
    follow.add(live.follow)


def remove() -> None:
    """When the extension is disabled. Other files' handlers stay."""
    follow.remove(live.follow)
    for name, handler in _HANDLERS:
        installed = getattr(bpy.app.handlers, name)
        if handler in installed:
            installed.remove(handler)
