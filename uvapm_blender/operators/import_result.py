"""A result directory that exists already becomes a head."""

from pathlib import Path

import bpy

from ...engine.protocol.errors import EngineError
from .. import ui_text
from ..building import Building
from ..compat import BLEND_RELATIVE
from ..declarations import Operators
from ..runtime import RUNTIME
from .job import add_head, read_head


class UVAPM_OT_import_result(bpy.types.Operator):
    """Add the head of a result folder, written by an earlier reconstruction or the command line"""

    bl_idname = Operators.IMPORT_RESULT
    bl_label = "Import Result"
    bl_options = {"UNDO"}

    directory: bpy.props.StringProperty(
        subtype="DIR_PATH", options={"SKIP_SAVE", "HIDDEN", *BLEND_RELATIVE}
    )
    filter_folder: bpy.props.BoolProperty(default=True, options={"SKIP_SAVE", "HIDDEN"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask for the folder."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Read and build."""
        RUNTIME.forget_error()
        try:
            worked = read_head(Path(bpy.path.abspath(self.directory)))
            Building(lambda: add_head(self, context, *worked)).advance(float("inf"))
            return {"FINISHED"}
        except EngineError as error:
            RUNTIME.keep_error(error)
            self.report({"ERROR"}, ui_text.error_text(error))
            return {"CANCELLED"}
