"""Sliders of the skin's colours."""

import bpy

from .. import ui_text
from ..declarations import PROPERTY, Operators, Panels
from ..detail import live
from ..detail.cache import CACHE
from ..detail.values import key_of
from ..scene.heads import head_of
from ..skin.model import MODELS
from ..skin.properties import CHANNELS, UVAPM_PG_skin, UVAPM_PG_skin_view
from ..skin.values import TONES, pack_key_of
from .head import HeadPanel
from .lines import columns_of, draw_lines

FIRST = 10
"""Components that are shown at once: they change the skin most."""


def draw_problem(
    layout: bpy.types.UILayout, root: bpy.types.Object, context: bpy.types.Context
) -> bool:
    """Say why the skin's sliders do not work. True when something was said."""
    key, columns = pack_key_of(root), columns_of(context)
    if key is None:
        draw_lines(layout, ui_text.NO_SKIN, columns, "INFO")
        return True
    if key in MODELS.problems:
        draw_lines(layout, ui_text.error_text(MODELS.problems[key]), columns, "ERROR")
        layout.operator(Operators.LOOK_AGAIN, icon="FILE_REFRESH")
        return True
    problem = CACHE.problems.get(key_of(root))
    if problem is not None:
        draw_lines(layout, ui_text.error_text(problem), columns, "ERROR")
        layout.operator(Operators.FIND_RESULT, icon="FILE_FOLDER")
    return problem is not None


class UVAPM_PT_skin(HeadPanel, bpy.types.Panel):
    """Tones that people have words for."""

    bl_idname = Panels.SKIN
    bl_label = "Skin"
    bl_parent_id = Panels.HEAD
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """What is wrong, the buttons, then the tones."""
        root, layout = head_of(context.active_object), self.layout
        live.prepare(root)
        problem = draw_problem(layout, root, context)
        row = layout.row(align=True)
        for to, text in (("FITTED", "As Fitted"), ("AVERAGE", "Average")):
            row.operator(Operators.RESET_SKIN, text=text).to = to
        row.operator(Operators.RANDOMISE_SKIN, text="Random")
        for action, icon in (("LOCK", "LOCKED"), ("UNLOCK", "UNLOCKED")):
            row.operator(Operators.LOCK_SKIN, text="", icon=icon).action = action
        column = layout.column(align=True)
        column.enabled = not problem
        skin = getattr(root, PROPERTY).skin
        for name in TONES:
            column.prop(skin, name, slider=True)


class UVAPM_PT_skin_components(HeadPanel, bpy.types.Panel):
    """Components and directions of the albedo model."""

    bl_idname = Panels.SKIN_COMPONENTS
    bl_label = "Components"
    bl_parent_id = Panels.SKIN
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """The channel, what to search for, then the sliders."""
        root, layout = head_of(context.active_object), self.layout
        head, view = getattr(root, PROPERTY), _view(context)
        layout.row(align=True).prop(view, "channel", expand=True)
        layout.prop(view, "search", text="", icon="VIEWZOOM")
        key = pack_key_of(root)
        column = layout.column(align=True)
        broken = key is None or key in MODELS.problems or key_of(root) in CACHE.problems
        column.enabled = not broken
        items = _of_channel(head.skin, view.channel)
        shown = _chosen(items, view)
        for item in shown:
            row = column.row(align=True)
            slider = row.row(align=True)
            slider.enabled = not item.locked
            slider.prop(item, "value", text=item.name, slider=True)
            icon = "LOCKED" if item.locked else "UNLOCKED"
            row.prop(item, "locked", text="", icon=icon, emboss=False)
        if not view.search and len(items) > FIRST:
            text = ui_text.show_all(view.everything, FIRST, len(items))
            layout.prop(view, "everything", text=text, toggle=True)
        elif not shown:
            layout.label(text=ui_text.NOTHING_FOUND)


def _view(context: bpy.types.Context) -> UVAPM_PG_skin_view:
    return getattr(context.window_manager, PROPERTY).skin


def _of_channel(skin: UVAPM_PG_skin, channel: str) -> list[bpy.types.PropertyGroup]:
    """Directions for ALL, else the components of R, G or B."""
    letters = [identifier for identifier, _, _ in CHANNELS[1:]]
    if channel not in letters:
        return list(skin.directions)
    count = len(skin.components) // len(letters)
    first = letters.index(channel) * count
    return list(skin.components)[first : first + count]


def _chosen(
    items: list[bpy.types.PropertyGroup], view: UVAPM_PG_skin_view
) -> list[bpy.types.PropertyGroup]:
    if view.search:
        wanted = view.search.lower().split()
        return [item for item in items if all(word in item.name.lower() for word in wanted)]
    return items if view.everything else items[:FIRST]


CLASSES = (UVAPM_PT_skin, UVAPM_PT_skin_components)
