"""Export of the chosen head."""

from pathlib import Path

import bpy
from bpy_extras.io_utils import ExportHelper

from ...engine.protocol.errors import EngineError
from .. import ui_text
from ..declarations import Operators
from ..export.head import Format, export_head
from ..scene.heads import head_of
from .head import poll_head

FORMAT_ITEMS = (
    ("FBX", "FBX", "For game engines and other 3D programs"),
    ("GLB", "glTF", "One .glb file, for the web and game engines"),
)


class UVAPM_OT_export_head(bpy.types.Operator, ExportHelper):
    """Write this head with its textures and expressions for other programs"""

    bl_idname = Operators.EXPORT_HEAD
    bl_label = "Export Head"

    filename_ext = ""
    check_extension = None
    filter_glob: bpy.props.StringProperty(default="*.fbx;*.glb", options={"HIDDEN"})
    format: bpy.props.EnumProperty(name="Format", items=FORMAT_ITEMS, options={"SKIP_SAVE"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a head, and Object Mode."""
        if context.mode != "OBJECT":
            cls.poll_message_set(ui_text.OBJECT_MODE)
            return False
        return poll_head(cls, context)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask for a file name; the head's name is proposed."""
        extension = Format[self.format].value
        folder = Path(bpy.data.filepath).parent if bpy.data.filepath else Path.home()
        self.filepath = str(folder / f"{head_of(context.active_object).name}{extension}")
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def check(self, context: bpy.types.Context) -> bool:
        """The file name follows the chosen format."""
        path = self._path()
        changed = str(path) != self.filepath
        self.filepath = str(path)
        return changed

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Write."""
        path = Path(bpy.path.abspath(str(self._path())))
        try:
            export_head(head_of(context.active_object), path, context)
        except EngineError as error:
            self.report({"ERROR"}, ui_text.error_text(error))
            return {"CANCELLED"}
        self.report({"INFO"}, f"{path.name} written")
        return {"FINISHED"}

    def _path(self) -> Path:
        path, extension = Path(self.filepath), Format[self.format].value
        known = path.suffix.lower() in {each.value for each in Format}
        return path.with_suffix(extension) if known else Path(f"{path}{extension}")
