"""Finding heads and their parts again: by what is saved on the objects, never by name."""

import bpy

from ..declarations import PROPERTY

MESH_ROLES = ("SKIN", "PART")


def role_of(item: bpy.types.Object) -> str:
    """NONE, ROOT, SKIN, PART or CAMERA."""
    return getattr(item, PROPERTY).role


def head_of(item: bpy.types.Object | None) -> bpy.types.Object | None:
    """Root of the head that an object belongs to, None for other objects."""
    while item is not None and role_of(item) != "ROOT":
        item = item.parent
    return item


def parts_of(root: bpy.types.Object) -> list[bpy.types.Object]:
    """The head's own meshes, the skin first (it has the sliders)."""
    children = (item for item in root.children_recursive if item.type == "MESH")
    parts = [item for item in children if role_of(item) in MESH_ROLES]
    return sorted(parts, key=lambda part: role_of(part) != "SKIN")
