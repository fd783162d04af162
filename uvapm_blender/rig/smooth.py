"""An optional Subdivision modifier on a head's solid parts; `rest.py` hides it during a drag."""

import bpy

from ..declarations import PROPERTY
from ..scene.heads import parts_of

NAME = "UVAPM smooth"
LEVEL, RENDER_LEVEL = 1, 2
KINDS = ("skin", "eye", "teeth", "tongue")


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
