"""Fit a head again: what stays, and where its points are in the photo."""

import bpy

from ...engine.protocol.landmarks68 import LANDMARK_NAMES
from .. import ui_text
from ..declarations import PROPERTY, Operators, Panels
from ..pins.draw import EDITING
from ..properties import LOCK_ITEMS
from ..scene.heads import head_of
from .head import HeadPanel
from .lines import columns_of, draw_lines

MOST_PINS = 8
"""Pins that are listed; the others are only counted."""


class UVAPM_PT_refit(HeadPanel, bpy.types.Panel):
    """Fit again with parts locked."""

    bl_idname = Panels.REFIT
    bl_label = "Refit"
    bl_parent_id = Panels.HEAD
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """Landmarks, a lock for each part, then the button."""
        layout = self.layout
        head = getattr(head_of(context.active_object), PROPERTY)
        row = layout.row()
        row.enabled = EDITING.handle is None
        row.operator(Operators.EDIT_LANDMARKS, icon="EMPTY_AXIS")
        if EDITING.handle is not None:
            draw_lines(layout, ui_text.PINS_HINT, columns_of(context), "MOUSE_LMB_DRAG")
        layout.label(text=ui_text.KEEP)
        grid = layout.grid_flow(columns=2, even_columns=True, align=True)
        for name, label, _ in LOCK_ITEMS:
            icon = "LOCKED" if name in head.locks else "UNLOCKED"
            grid.prop_enum(head, "locks", name, text=label, icon=icon)
        row = layout.row()
        row.scale_y = 1.3
        row.operator(Operators.REFIT, icon="FILE_REFRESH")


class UVAPM_PT_pins(HeadPanel, bpy.types.Panel):
    """The pins of the selected head."""

    bl_idname = Panels.PINS
    bl_label = "Landmark Pins"
    bl_parent_id = Panels.REFIT
    bl_options = {"DEFAULT_CLOSED"}

    def draw_header_preset(self, context: bpy.types.Context) -> None:
        """Remove all."""
        self.layout.operator(Operators.REMOVE_PIN, text="", icon="LOOP_BACK", emboss=False)

    def draw(self, context: bpy.types.Context) -> None:
        """One line a pin."""
        pins = getattr(head_of(context.active_object), PROPERTY).pins
        if not pins:
            self.layout.label(text=ui_text.NO_PINS)
        column = self.layout.column(align=True)
        for pin in pins[:MOST_PINS]:
            row = column.row(align=True)
            row.label(text=LANDMARK_NAMES[pin.index])
            row.prop(pin, "x", text="")
            row.prop(pin, "y", text="")
            row.operator(Operators.REMOVE_PIN, text="", icon="X").index = pin.index
        if len(pins) > MOST_PINS:
            column.label(text=ui_text.more(len(pins) - MOST_PINS))


CLASSES = (UVAPM_PT_refit, UVAPM_PT_pins)
