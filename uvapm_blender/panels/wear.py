"""*Wear it*: shown while a mesh is active that is no part of a head."""

import bpy

from .. import ui_text
from ..declarations import CATEGORY, PROPERTY, Operators, Panels
from ..operators.wear import worn_head
from ..runtime import RUNTIME, WEAR
from ..scene.heads import head_of
from .lines import columns_of, draw_error, draw_lines


class UVAPM_PT_wear(bpy.types.Panel):
    """A reconstructed head on the artist's own mesh."""

    bl_idname = Panels.WEAR
    bl_label = "Wear It"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = CATEGORY

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a mesh of the artist's own."""
        item = context.active_object
        return item is not None and item.type == "MESH" and head_of(item) is None

    def draw(self, context: bpy.types.Context) -> None:
        """Which head, what of it, the button; then how it went."""
        layout, columns = self.layout, columns_of(context)
        wear = getattr(context.scene, PROPERTY).wear
        head, item = worn_head(context), context.active_object
        if head is None:
            draw_lines(layout, ui_text.NO_WORN_HEAD, columns, "INFO")
        else:
            layout.label(text=ui_text.who_wears(item.name, head.name), icon="USER")
        column = layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        column.prop(wear, "maps")
        row = column.row()
        row.enabled = wear.maps
        row.prop(wear, "size")
        column.prop(wear, "shapes")
        row = column.row()
        row.enabled = wear.shapes
        row.prop(wear, "likeness", slider=True)
        row = layout.row()
        row.scale_y = 1.3
        row.enabled = wear.maps or wear.shapes
        button = row.operator(Operators.WEAR, icon="MOD_CLOTH")
        for name in ("maps", "shapes", "likeness", "size"):
            setattr(button, name, getattr(wear, name))
        if RUNTIME.error is not None and RUNTIME.place == WEAR and not RUNTIME.session.busy:
            draw_error(layout, RUNTIME.error, RUNTIME.log, columns)
        for line in getattr(item, PROPERTY).worn.quality.splitlines():
            draw_lines(layout, line[:1].upper() + line[1:], columns, "DOT")


CLASSES = (UVAPM_PT_wear,)
