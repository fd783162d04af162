"""Detail sliders back to where the fit left them, and a result that was moved."""

from pathlib import Path

import bpy

from ...engine.protocol.errors import EngineError
from .. import ui_text
from ..compat import BLEND_RELATIVE
from ..declarations import PROPERTY, Operators
from ..detail import live
from ..detail.properties import GROUPS
from ..detail.sources import check_result
from ..runtime import redraw
from ..scene.heads import head_of
from .head import poll_head

ITEMS = (
    ("ALL", "All", "All detail sliders"),
    ("STRENGTHS", "Strength", "Detail strength and photo detail"),
    ("BANDS", "Kinds", "Wrinkles, pores and stubble"),
    ("REGIONS", "Regions", "Forehead, eyes, cheeks, mouth and beard"),
    ("DIRECTIONS", "Directions", "All directions to 0"),
)


class UVAPM_OT_reset_detail(bpy.types.Operator):
    """Set detail sliders back to where the fit left them"""

    bl_idname = Operators.RESET_DETAIL
    bl_label = "Reset Detail"
    bl_options = {"UNDO"}

    group: bpy.props.EnumProperty(name="Group", items=ITEMS, options={"SKIP_SAVE"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a head."""
        return poll_head(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Reset, then compose once."""
        root = head_of(context.active_object)
        detail = getattr(root, PROPERTY).detail
        groups = GROUPS.values() if self.group == "ALL" else (GROUPS[self.group],)
        for name in (name for names in groups for name in names):
            detail.property_unset(name)  # unlike an assignment this composes nothing
        live.refresh(root)
        return {"FINISHED"}


class UVAPM_OT_find_result(bpy.types.Operator):
    """Show where this head's result folder is now"""

    bl_idname = Operators.FIND_RESULT
    bl_label = "Find Result Folder"
    bl_options = {"UNDO"}

    directory: bpy.props.StringProperty(
        subtype="DIR_PATH", options={"SKIP_SAVE", "HIDDEN", *BLEND_RELATIVE}
    )
    filter_folder: bpy.props.BoolProperty(default=True, options={"SKIP_SAVE", "HIDDEN"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a head."""
        return poll_head(cls, context)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask for the folder."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Take the folder when it holds this very result."""
        root = head_of(context.active_object)
        head = getattr(root, PROPERTY)
        try:
            check_result(Path(bpy.path.abspath(self.directory)), head.detail.stamp)
        except EngineError as error:
            self.report({"ERROR"}, ui_text.error_text(error))
            return {"CANCELLED"}
        head.result_folder = self.directory
        live.refresh(root)
        redraw(context)
        return {"FINISHED"}
