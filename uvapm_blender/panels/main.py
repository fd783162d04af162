"""The tab's first panel: photo, button, progress, and what went wrong."""

import bpy

from ..declarations import CATEGORY, PHOTO_EXTENSIONS, PROPERTY, Operators, Panels
from ..runtime import HEAD, RUNTIME
from .engine import draw_missing
from .lines import columns_of, draw_error, draw_progress
from .packs import draw_choice


class UVAPM_PT_main(bpy.types.Panel):
    """Photo and reconstruction."""

    bl_idname = Panels.MAIN
    bl_label = "Head from Photo"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = CATEGORY

    def draw(self, context: bpy.types.Context) -> None:
        """Photo field, main button; progress while a job runs; the last error."""
        layout = self.layout
        session = RUNTIME.session
        column = layout.column()
        column.enabled = not session.busy
        column.prop(getattr(context.window_manager, PROPERTY), "photo", text="", icon="IMAGE_DATA")
        draw_choice(column, context)
        row = layout.row(align=True)
        row.scale_y = 1.4
        row.operator(Operators.RECONSTRUCT, icon="USER")
        row.operator(Operators.RECONSTRUCT, text="", icon="RENDERLAYERS").choose = True
        draw_missing(layout, context)
        if session.busy:
            draw_progress(layout, session.status)
        elif RUNTIME.error is not None and RUNTIME.place == HEAD:
            draw_error(layout, RUNTIME.error, RUNTIME.log, columns_of(context))
        layout.operator(Operators.IMPORT_RESULT, icon="FILE_FOLDER")


class UVAPM_FH_photo(bpy.types.FileHandler):
    """A photo dropped on the viewport is reconstructed."""

    bl_idname = Panels.DROP_PHOTO
    bl_label = "Reconstruct Head"
    bl_import_operator = Operators.RECONSTRUCT
    bl_file_extensions = ";".join(PHOTO_EXTENSIONS)

    @classmethod
    def poll_drop(cls, context: bpy.types.Context) -> bool:
        """On the 3D viewport, while nothing runs."""
        area = context.area
        return area is not None and area.type == "VIEW_3D" and not RUNTIME.session.busy
