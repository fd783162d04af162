"""Panels of the selected head: the parent of all others, refit, export."""

import bpy

from ..declarations import CATEGORY, PROPERTY, Operators, Panels
from ..properties import LOCK_ITEMS
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
        row.operator(Operators.REMOVE_HEAD, text="", icon="TRASH")


class UVAPM_PT_refit(HeadPanel, bpy.types.Panel):
    """Fit again with parts locked."""

    bl_idname = Panels.REFIT
    bl_label = "Refit"
    bl_parent_id = Panels.HEAD
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """A lock for each part, then the button."""
        layout = self.layout
        head = getattr(head_of(context.active_object), PROPERTY)
        grid = layout.grid_flow(columns=2, even_columns=True, align=True)
        for name, label, _ in LOCK_ITEMS:
            icon = "LOCKED" if name in head.locks else "UNLOCKED"
            grid.prop_enum(head, "locks", name, text=label, icon=icon)
        layout.operator(Operators.REFIT, icon="FILE_REFRESH")


class UVAPM_PT_export(HeadPanel, bpy.types.Panel):
    """Files for other programs."""

    bl_idname = Panels.EXPORT
    bl_label = "Export"
    bl_parent_id = Panels.HEAD

    def draw(self, context: bpy.types.Context) -> None:
        """One button a format."""
        row = self.layout.row(align=True)
        row.operator(Operators.EXPORT_HEAD, text="FBX").format = "FBX"
        row.operator(Operators.EXPORT_HEAD, text="glTF").format = "GLB"
