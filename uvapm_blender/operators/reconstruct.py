"""Photo to head: starts a job, follows it, and builds the result."""

import time
from pathlib import Path

import bpy

from ...engine.protocol.errors import EngineError, ErrorCode
from ...engine.protocol.result import read_result
from .. import ui_text
from ..compat import BLEND_RELATIVE
from ..declarations import PHOTO_EXTENSIONS, PROPERTY, Operators
from ..engine_client.session import State
from ..runtime import RUNTIME, redraw, start_job, unwatch, watch
from ..scene.build import build_scene
from .present import present

TICK = 0.1
"""Seconds between two looks at the engine while the interface stays responsive."""
HEADLESS_TICK = 0.02


class UVAPM_OT_reconstruct(bpy.types.Operator):
    """Make a 3D head from the photo: shape, texture, camera and light"""

    bl_idname = Operators.RECONSTRUCT
    bl_label = "Reconstruct from Photo"
    bl_options = {"UNDO"}  # not REGISTER: adjusting would run the whole job again

    filepath: bpy.props.StringProperty(
        subtype="FILE_PATH", options={"SKIP_SAVE", "HIDDEN", *BLEND_RELATIVE}
    )
    filter_image: bpy.props.BoolProperty(default=True, options={"SKIP_SAVE", "HIDDEN"})
    filter_folder: bpy.props.BoolProperty(default=True, options={"SKIP_SAVE", "HIDDEN"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """One job at a time."""
        if RUNTIME.session.busy:
            cls.poll_message_set(ui_text.BUSY)
            return False
        return True

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Use the dropped photo, else the one in the sidebar, else ask for one."""
        self.filepath = self.filepath or getattr(context.window_manager, PROPERTY).photo
        if not self.filepath:
            context.window_manager.fileselect_add(self)
            return {"RUNNING_MODAL"}
        return self.execute(context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Start the job; wait for it in the background, follow it from a timer otherwise."""
        RUNTIME.forget_error()
        try:
            photo = _checked_photo(self.filepath)
            getattr(context.window_manager, PROPERTY).photo = str(photo)
            start_job(context, photo)
        except EngineError as error:
            return self._fail(error)
        if bpy.app.background:
            return self._wait(context)
        watch(context, TICK, ui_text.RUNNING_HINT)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Advance the session on timer events; Esc cancels; Blender stays usable."""
        if event.type == "ESC" and event.value == "PRESS":
            RUNTIME.session.cancel()
            redraw(context)
            return {"RUNNING_MODAL"}
        if event.type == "TIMER":
            if RUNTIME.session.pump():
                redraw(context)
            if not RUNTIME.session.busy:
                unwatch()
                redraw(context)
                return self._finish(context)
        return {"PASS_THROUGH"}

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender ends the operator from outside (a file is loaded, the window closes)."""
        unwatch()
        RUNTIME.session.close()

    def _wait(self, context: bpy.types.Context) -> set[str]:
        """The same loop without an interface; Ctrl-C cancels."""
        try:
            while RUNTIME.session.busy:
                RUNTIME.session.pump()
                time.sleep(HEADLESS_TICK)
        except KeyboardInterrupt:
            RUNTIME.session.close()
        return self._finish(context)

    def _finish(self, context: bpy.types.Context) -> set[str]:
        status = RUNTIME.session.status
        if status.state is State.CANCELLED:
            self.report({"INFO"}, ui_text.CANCELLED)
            return {"CANCELLED"}
        if status.error is not None:
            return self._fail(status.error, status.log)
        return self.build(context, Path(status.result))

    def build(self, context: bpy.types.Context, folder: Path) -> set[str]:
        """Read a result and add it to the scene."""
        try:
            return add_head(self, context, folder)
        except EngineError as error:
            return self._fail(error)

    def _fail(self, error: EngineError, log: str = "") -> set[str]:
        RUNTIME.keep_error(error, log)
        self.report({"ERROR"}, ui_text.error_text(error))
        return {"CANCELLED"}


class UVAPM_OT_cancel(bpy.types.Operator):
    """Stop the running reconstruction; the scene stays as it is"""

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


def add_head(operator: bpy.types.Operator, context: bpy.types.Context, folder: Path) -> set[str]:
    """Read the result in `folder`, build it, report it. Raises EngineError."""
    result = read_result(folder)
    if context.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")  # else undo would only cover the edited mesh
    built = build_scene(result, context)
    present(context)
    warnings = len(result.manifest.warnings) + len(built.warnings)
    level = {"WARNING"} if warnings else {"INFO"}
    operator.report(level, ui_text.built(built.collection.name, warnings))
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
