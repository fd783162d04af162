"""The tab's first panel: photo, button, progress, and what went wrong."""

import bpy

from ...engine.protocol.errors import EngineError
from .. import ui_text
from ..declarations import CATEGORY, PHOTO_EXTENSIONS, PROPERTY, Operators, Panels
from ..engine_client.session import State, Status
from ..runtime import RUNTIME

LETTER = 6.3
"""Pixels of a letter at scale 1, for wrapping (ours, measured on Blender's default font)."""


def columns_of(context: bpy.types.Context) -> int:
    """Letters that fit in a line of this region."""
    scale = context.preferences.system.ui_scale
    return int((context.region.width / scale - 50) / LETTER)


def draw_lines(layout: bpy.types.UILayout, text: str, columns: int, icon: str = "NONE") -> None:
    """A wrapped text as labels; the icon on the first."""
    column = layout.column(align=True)
    for line in ui_text.wrapped(text, columns):
        column.label(text=line, icon=icon)
        icon = "BLANK1" if icon != "NONE" else "NONE"


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
        row = layout.row(align=True)
        row.scale_y = 1.4
        row.operator(Operators.RECONSTRUCT, icon="USER")
        row.operator(Operators.RECONSTRUCT, text="", icon="RENDERLAYERS").choose = True
        if session.busy:
            _draw_progress(layout, session.status)
        elif RUNTIME.error is not None:
            _draw_error(layout, RUNTIME.error, RUNTIME.log, columns_of(context))
        layout.operator(Operators.IMPORT_RESULT, icon="FILE_FOLDER")


def _draw_progress(layout: bpy.types.UILayout, status: Status) -> None:
    text = {State.STARTING: ui_text.STARTING, State.CANCELLING: ui_text.CANCELLING}.get(
        status.state, ui_text.stage_text(status.stage)
    )
    row = layout.row(align=True)
    row.progress(factor=status.fraction, type="BAR", text=f"{text} {status.fraction:.0%}")
    row.operator(Operators.CANCEL, text="", icon="X")


def _draw_error(layout: bpy.types.UILayout, error: EngineError, log: str, columns: int) -> None:
    """What happened, what to do, and the button that does it."""
    box = layout.box()
    draw_lines(box, error.message, columns, "ERROR")
    if error.hint:
        draw_lines(box, error.hint, columns)
    if error.code in ui_text.ENGINE_MISSING:
        box.operator(Operators.CHOOSE_ENGINE, icon="PREFERENCES")
    elif error.code in ui_text.PACK_TROUBLE:
        draw_lines(box, ui_text.PACK_ADVICE, columns)
        copy = box.operator(Operators.COPY_TEXT, text="Copy Command", icon="COPYDOWN")
        copy.text = ui_text.PACK_COMMAND
    if log:
        box.operator(Operators.COPY_TEXT, text="Copy Log", icon="COPYDOWN").text = log


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
