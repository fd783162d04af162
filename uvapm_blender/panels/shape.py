"""Sliders of a head's shape and expression."""

import bpy

from .. import ui_text
from ..declarations import PROPERTY, Operators, Panels
from ..scene.heads import head_of
from ..shape.apply import is_busy
from ..shape.cache import CACHE
from ..shape.expression import GROUPS, found, group_of, short_words, split_side, words
from ..shape.properties import UVAPM_PG_expression, UVAPM_PG_shape, UVAPM_PG_shape_view
from ..shape.values import keys_of
from .head import HeadPanel
from .lines import columns_of, draw_lines

NAME_SHARE = 0.38
"""Of a line, for the name of a pair of expressions (ours: `Lower Down` fits beside two sliders)."""
NEAR = 5e-4
"""Standard deviations: a slider that shows the fitted value has no reset button."""
FIRST = 10
"""Components that are shown at once: they move the head most."""


class UVAPM_PT_shape(HeadPanel, bpy.types.Panel):
    """Components of the identity."""

    bl_idname = Panels.SHAPE
    bl_label = "Shape"
    bl_parent_id = Panels.HEAD

    def draw(self, context: bpy.types.Context) -> None:
        """What is wrong, the buttons, then the sliders."""
        root, layout = head_of(context.active_object), self.layout
        shape, view = getattr(root, PROPERTY).shape, _view(context)
        problem = CACHE.problem(root)
        if not shape.components:
            draw_lines(layout, ui_text.NO_SHAPE, columns_of(context), "INFO")
            return
        if problem is not None:
            draw_lines(layout, ui_text.error_text(problem), columns_of(context), "ERROR")
            layout.operator(Operators.LOOK_AGAIN, icon="FILE_REFRESH")
        elif is_busy(root):
            draw_lines(layout, ui_text.EDITING, columns_of(context), "INFO")
        _draw_buttons(layout, "SHAPE")
        layout.prop(view, "search", text="", icon="VIEWZOOM")
        column = layout.column(align=True)
        column.enabled = problem is None and not is_busy(root)
        shown = _chosen(shape, view)
        for item in shown:
            row = column.row(align=True)
            slider = row.row(align=True)
            slider.enabled = not item.locked
            slider.prop(item, "value", text=item.name, slider=True)
            if abs(item.value - item.fitted) > NEAR:
                reset = row.operator(Operators.RESET_SHAPE, text="", icon="LOOP_BACK", emboss=False)
                reset.kind, reset.to, reset.name = "SHAPE", "FITTED", item.name
            _draw_lock(row, item)
        if not view.search and len(shape.components) > FIRST:
            text = ui_text.show_all(view.everything, FIRST, len(shape.components))
            layout.prop(view, "everything", text=text, toggle=True)
        elif not shown:
            layout.label(text=ui_text.NOTHING_FOUND)


class UVAPM_PT_expression(HeadPanel, bpy.types.Panel):
    """The head's shape keys, by groups."""

    bl_idname = Panels.EXPRESSION
    bl_label = "Expression"
    bl_parent_id = Panels.HEAD

    def draw(self, context: bpy.types.Context) -> None:
        """The buttons, then the groups; all in one list while something is searched for."""
        root, layout = head_of(context.active_object), self.layout
        shape, view = getattr(root, PROPERTY).shape, _view(context)
        keys = keys_of(root)
        if not keys:
            draw_lines(layout, ui_text.NO_EXPRESSIONS, columns_of(context), "INFO")
            return
        _draw_buttons(layout, "EXPRESSION")
        row = layout.row(align=True)
        row.prop(view, "search_expression", text="", icon="VIEWZOOM")
        row.prop(shape, "symmetric", text="", icon="MOD_MIRROR")
        row.prop(view, "locks", text="", icon="LOCKED")
        items = {item.name: item for item in shape.expressions}
        if view.search_expression:
            self._search(layout, keys, items, view)
            return
        for group, label, _ in GROUPS:
            names = [name for name in keys if group_of(name) == group]
            if names:
                header, body = layout.panel(
                    f"{self.bl_idname}_{group}", default_closed=group not in ("eyes", "mouth")
                )
                header.label(text=label)
                if body is not None:
                    _draw_group(body.column(align=True), names, keys, items, view.locks)

    def _search(
        self,
        layout: bpy.types.UILayout,
        keys: dict[str, bpy.types.ShapeKey],
        items: dict[str, UVAPM_PG_expression],
        view: UVAPM_PG_shape_view,
    ) -> None:
        names = [name for name in keys if found(name, view.search_expression)]
        column = layout.column(align=True)
        for name in names:
            row = column.row(align=True)
            _draw_key(row, keys[name], items.get(name), words(name), view.locks)
        if not names:
            layout.label(text=ui_text.NOTHING_FOUND)


def _view(context: bpy.types.Context) -> UVAPM_PG_shape_view:
    return getattr(context.window_manager, PROPERTY).shape


def _chosen(shape: UVAPM_PG_shape, view: UVAPM_PG_shape_view) -> list[bpy.types.PropertyGroup]:
    items = list(shape.components)
    if view.search:
        wanted = view.search.lower().split()
        return [item for item in items if all(word in item.name.lower() for word in wanted)]
    return items if view.everything else items[:FIRST]


def _draw_buttons(layout: bpy.types.UILayout, kind: str) -> None:
    row = layout.row(align=True)
    average = "Neutral" if kind == "EXPRESSION" else "Average"
    for to, text in (("FITTED", "As Fitted"), ("AVERAGE", average)):
        reset = row.operator(Operators.RESET_SHAPE, text=text)
        reset.kind, reset.to = kind, to
    row.operator(Operators.RANDOMISE_SHAPE, text="Random").kind = kind
    for action, icon in (("LOCK", "LOCKED"), ("UNLOCK", "UNLOCKED")):
        lock = row.operator(Operators.LOCK_SHAPE, text="", icon=icon)
        lock.kind, lock.action = kind, action


def _draw_group(
    column: bpy.types.UILayout,
    names: list[str],
    keys: dict[str, bpy.types.ShapeKey],
    items: dict[str, UVAPM_PG_expression],
    locks: bool,
) -> None:
    """One line a movement: its name, then left and right beside each other."""
    if any(split_side(name)[1] for name in names):
        split = column.split(factor=NAME_SHARE, align=True)
        split.label(text="")
        heads = split.row(align=True)
        heads.label(text="Left")
        heads.label(text="Right")
    for name in names:
        base, side = split_side(name)
        pair = base + "Left" in keys and base + "Right" in keys
        if pair and side == "Right":
            continue  # drawn beside its other half
        if not pair:
            row = column.row(align=True)
            text = f"{short_words(name)} {side}".rstrip()
            _draw_key(row, keys[name], items.get(name), text, locks)
            continue
        split = column.split(factor=NAME_SHARE, align=True)
        split.label(text=short_words(name))
        row = split.row(align=True)
        for half, text in ((base + "Left", "L"), (base + "Right", "R")):
            _draw_key(row, keys[half], items.get(half), text, locks)


def _draw_key(
    row: bpy.types.UILayout,
    key: bpy.types.ShapeKey,
    item: UVAPM_PG_expression | None,
    text: str,
    locks: bool,
) -> None:
    slider = row.row(align=True)
    slider.enabled = item is None or not item.locked
    slider.prop(key, "value", text=text, slider=True)
    if item is not None and (locks or item.locked):
        _draw_lock(row, item)


def _draw_lock(row: bpy.types.UILayout, item: bpy.types.PropertyGroup) -> None:
    icon = "LOCKED" if item.locked else "UNLOCKED"
    row.prop(item, "locked", text="", icon=icon, emboss=False)


CLASSES = (UVAPM_PT_shape, UVAPM_PT_expression)
