"""Panels of the selected head: the parent of all others, export."""

import bpy

from ..declarations import CATEGORY, PROPERTY, Operators, Panels
from ..export.settings import PRESETS, Format
from ..export.write import is_available
from ..operators.export_head import FORMAT_LABELS
from ..scene.heads import head_of


class HeadPanel:
    """Shown while the active object belongs to a head."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = CATEGORY

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a head."""
        return head_of(context.active_object) is not None


class UVAPM_PT_head(HeadPanel, bpy.types.Panel):
    """The selected head."""

    bl_idname = Panels.HEAD
    bl_label = "Head"

    def draw(self, context: bpy.types.Context) -> None:
        """Its name, and what is done with all of it."""
        layout = self.layout
        root = head_of(context.active_object)
        layout.label(text=root.name, icon="OUTLINER_OB_EMPTY")
        row = layout.row(align=True)
        row.operator(Operators.SHOW_PHOTO, icon="CAMERA_DATA")
        row.operator(Operators.MARK_ASSET, text="", icon="ASSET_MANAGER")
        row.operator(Operators.REMOVE_HEAD, text="", icon="TRASH")
        recipe = getattr(root, PROPERTY).recipe
        if recipe:
            layout.operator(Operators.COPY_TEXT, text="Copy Recipe", icon="COPYDOWN").text = recipe


class UVAPM_PT_export(HeadPanel, bpy.types.Panel):
    """Files for other programs."""

    bl_idname = Panels.EXPORT
    bl_label = "Export"
    bl_parent_id = Panels.HEAD

    def draw(self, context: bpy.types.Context) -> None:
        """A button a purpose, then a button a format."""
        column = self.layout.column(align=True)
        row = column.row(align=True)
        for name, preset in PRESETS.items():
            row.operator(Operators.EXPORT_HEAD, text=preset.label).preset = name
        grid = column.grid_flow(columns=3, even_columns=True, align=True, row_major=True)
        for kind in Format:
            if is_available(kind):
                label = FORMAT_LABELS[kind.name]
                grid.operator(Operators.EXPORT_HEAD, text=label).format = kind.name
