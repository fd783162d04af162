"""Heads of files that an earlier version saved become heads of this one when the file is opened."""

import math
from collections.abc import Callable

import bpy
from bpy.app.handlers import persistent

from ..engine.protocol.albedo import CHANNELS
from .declarations import PROPERTY
from .properties import SCHEMA_VERSION
from .rig.fixes import add_fixes, eyes_of
from .scene.environment import renew
from .scene.eye_material import shade_old_eye
from .scene.heads import role_of
from .shape.describe import describe_from_folder as describe_shape
from .skin.describe import describe_from_folder as describe_skin
from .skin.model import DIRECTIONS


def migrate(root: bpy.types.Object) -> None:
    """Bring the properties of a head to `SCHEMA_VERSION`, step by step.

    What an earlier version did not keep is read from the result; without it the new sliders say
    so, and everything that was saved stays. A head of a later version is left as it is.
    """
    head = getattr(root, PROPERTY)
    while head.schema_version < SCHEMA_VERSION:
        _STEPS[max(head.schema_version, 1)](root)
        head.schema_version = max(head.schema_version, 1) + 1


def _from_1(root: bpy.types.Object) -> None:
    """2: shape and skin sliders, lids that close from any pose, eyes with values of their own."""
    describe_shape(root)
    add_fixes(root)
    for eye in eyes_of(root).values():
        shade_old_eye(eye.active_material)
    describe_skin(root)
    world = getattr(root, PROPERTY).world
    if world is not None:
        renew(world)


Step = Callable[[bpy.types.Object], None]
_STEPS: dict[int, Step] = {1: _from_1}
"""By the version that a step starts from."""


def mend(root: bpy.types.Object) -> None:
    """A file can hold what nobody can set in Blender: numbers that are none go back to their
    defaults, a camera that is none and a part of the skin's sliders are forgotten."""
    head = getattr(root, PROPERTY)
    _mend_numbers(head)
    skin = head.skin
    if len(skin.components) % CHANNELS or len(skin.directions) != DIRECTIONS:
        skin.components.clear()  # as a head without skin sliders
    if head.camera is not None and head.camera.type != "CAMERA":
        head.camera = None


def _mend_numbers(group: bpy.types.PropertyGroup) -> None:
    """Those of a group, and of the groups in it."""
    for kind in group.bl_rna.properties:
        if kind.type == "FLOAT":
            value = getattr(group, kind.identifier)
            if not all(map(math.isfinite, value if kind.is_array else (value,))):
                group.property_unset(kind.identifier)
        elif kind.type == "COLLECTION":
            for item in getattr(group, kind.identifier):
                _mend_numbers(item)
        elif kind.type == "POINTER" and kind.identifier != "rna_type":
            value = getattr(group, kind.identifier)
            if isinstance(value, bpy.types.PropertyGroup):
                _mend_numbers(value)


@persistent
def _on_load(*_: object) -> None:
    roots = [item for item in bpy.data.objects if item.library is None and role_of(item) == "ROOT"]
    for root in roots:
        mend(root)
    for root in roots:
        migrate(root)


def add() -> None:
    """Once, when the extension is enabled, before all that reads heads of a loaded file."""
    bpy.app.handlers.load_post.append(_on_load)


def remove() -> None:
    """When the extension is disabled."""
    if _on_load in bpy.app.handlers.load_post:
        bpy.app.handlers.load_post.remove(_on_load)
