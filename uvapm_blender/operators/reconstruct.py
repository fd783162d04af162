"""Photo to head: starts a job, follows it, and builds the result."""

from pathlib import Path

import bpy

from ...engine.protocol.errors import EngineError, ErrorCode
from .. import ui_text
from ..compat import BLEND_RELATIVE
from ..declarations import PHOTO_EXTENSIONS, PROPERTY, Operators
from ..runtime import RUNTIME, redraw, start_job
from .job import JobOperator


class UVAPM_OT_reconstruct(JobOperator, bpy.types.Operator):
    """Make a 3D head from a photo, or from several photos of one person: shape, texture, camera and
    light"""

    bl_idname = Operators.RECONSTRUCT
    bl_label = "Reconstruct from Photo"
    bl_options = {"UNDO"}  # not REGISTER: adjusting would run the whole job again

    filepath: bpy.props.StringProperty(
        subtype="FILE_PATH", options={"SKIP_SAVE", "HIDDEN", *BLEND_RELATIVE}
    )
    directory: bpy.props.StringProperty(
        subtype="DIR_PATH", options={"SKIP_SAVE", "HIDDEN", *BLEND_RELATIVE}
    )
    files: bpy.props.CollectionProperty(
        type=bpy.types.OperatorFileListElement, options={"SKIP_SAVE", "HIDDEN"}
    )
    choose: bpy.props.BoolProperty(
        name="Choose photos",
        description="Ask for one or more photos of a person",
        options={"SKIP_SAVE", "HIDDEN"},
    )
    filter_image: bpy.props.BoolProperty(default=True, options={"SKIP_SAVE", "HIDDEN"})
    filter_folder: bpy.props.BoolProperty(default=True, options={"SKIP_SAVE", "HIDDEN"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Use the dropped photos, else the one in the sidebar, else ask."""
        if not (self.filepath or self.files or self.choose):
            self.filepath = getattr(context.window_manager, PROPERTY).photo
        if not (self.filepath or self.files):
            context.window_manager.fileselect_add(self)
            return {"RUNNING_MODAL"}
        return self.execute(context)

    def start(self, context: bpy.types.Context) -> None:
        """The photo, and others of the same person when several were chosen or dropped."""
        photos = [_checked_photo(path) for path in self._paths()]
        getattr(context.window_manager, PROPERTY).photo = str(photos[0])
        start_job(context, photos)

    def _paths(self) -> list[str]:
        names = [each.name for each in self.files if each.name]
        if not names or (len(names) == 1 and self.filepath):
            return [self.filepath]
        folder = Path(bpy.path.abspath(self.directory))
        return [str(folder / name) for name in names]


class UVAPM_OT_cancel(bpy.types.Operator):
    """Stop what the engine does; the scene stays as it is"""

    bl_idname = Operators.CANCEL
    bl_label = "Cancel"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only while a job runs."""
        if not RUNTIME.session.busy:
            cls.poll_message_set(ui_text.NOTHING_RUNS)
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Ask for the end; the running operator sees to it."""
        RUNTIME.session.cancel()
        redraw(context)
        return {"FINISHED"}


def _checked_photo(filepath: str) -> Path:
    """Absolute path of an existing photo. Raises EngineError(BAD_INPUT)."""
    if not filepath.strip():
        raise EngineError(ErrorCode.BAD_INPUT, "No photo was chosen.", "Choose a photo first.")
    path = Path(bpy.path.abspath(filepath)).resolve()
    if not path.is_file():
        raise EngineError(
            ErrorCode.BAD_INPUT, f"The photo was not found: {path}", "Choose an existing photo."
        )
    if path.suffix.lower() not in PHOTO_EXTENSIONS:
        raise EngineError(
            ErrorCode.BAD_INPUT,
            f"{path.name} is not a photo that can be read.",
            f"Use one of {', '.join(PHOTO_EXTENSIONS)}.",
        )
    return path
