"""A result directory that exists already becomes a head."""

from pathlib import Path

import bpy

from ...engine.protocol.errors import EngineError
from ...engine.protocol.result import read_result
from .. import ui_text
from ..compat import BLEND_RELATIVE
from ..declarations import Operators
from ..runtime import RUNTIME
from .job import add_head


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
            add_head(self, context, read_result(Path(bpy.path.abspath(self.directory))))
            return {"FINISHED"}
        except EngineError as error:
            RUNTIME.keep_error(error)
            self.report({"ERROR"}, ui_text.error_text(error))
            return {"CANCELLED"}
