"""What operators that run a job of the engine have in common."""

import time
from collections.abc import Callable
from pathlib import Path

import bpy

from ...engine.protocol.errors import EngineError
from ...engine.protocol.result import ResultPackage
from .. import ui_text
from ..engine_client.session import State
from ..reading import Reading
from ..runtime import RUNTIME, redraw, unwatch, watch
from ..scene.build import BuiltHead, build_scene
from ..scene.plan import HeadPlan, plan_head
from .present import present

TICK = 0.1
"""Seconds between two looks at the engine while the interface stays responsive."""
HEADLESS_TICK = 0.02


class JobOperator:
    """Starts a job, follows it, and builds its result. Mixed into operators; they give `start`
    and may change `build`."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """One job at a time."""
        if RUNTIME.session.busy or RUNTIME.timer is not None:
            cls.poll_message_set(ui_text.BUSY)
            return False
        return True

    def start(self, context: bpy.types.Context) -> None:
        """Send the job. Raises EngineError."""
        raise NotImplementedError

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Start the job; wait for it in the background, follow it from a timer otherwise."""
        RUNTIME.forget_error()
        try:
            self.start(context)
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
            if not RUNTIME.session.busy and self._is_read(context):
                unwatch()
                redraw(context)
                return self._finish(context)
        return {"PASS_THROUGH"}

    def _is_read(self, context: bpy.types.Context) -> bool:
        """True when there is no result, or when the second thread has read it: checking its files
        would keep the window still for a while."""
        result = RUNTIME.session.status.result
        if RUNTIME.session.status.state is not State.DONE:
            return True
        if RUNTIME.reading is None:
            RUNTIME.reading = Reading(Path(result), self.work(context))
        return RUNTIME.reading.done

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender ends the operator from outside (a file is loaded, the window closes)."""
        unwatch()
        RUNTIME.reading = None
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
        status, reading = RUNTIME.session.status, RUNTIME.reading
        RUNTIME.reading = None
        if status.state is State.CANCELLED:
            self.report({"INFO"}, ui_text.CANCELLED)
            return {"CANCELLED"}
        if status.error is not None:
            return self._fail(status.error, status.log)
        try:
            reading = reading or Reading(Path(status.result), self.work(context))
            self.build(context, *reading.result())
        except EngineError as error:
            return self._fail(error)
        return {"FINISHED"}

    def work(self, context: bpy.types.Context) -> Callable[[ResultPackage], object]:
        """What else is worked out beside the main thread: a function of plain values."""
        return plan_head

    def build(self, context: bpy.types.Context, result: ResultPackage, worked: HeadPlan) -> None:
        """Add a result to the scene. worked: what `work` made of it. Raises EngineError."""
        add_head(self, context, result, worked)

    def _fail(self, error: EngineError, log: str = "") -> set[str]:
        RUNTIME.keep_error(error, log)
        self.report({"ERROR"}, ui_text.error_text(error))
        return {"CANCELLED"}


def add_head(
    operator: bpy.types.Operator,
    context: bpy.types.Context,
    result: ResultPackage,
    plan: HeadPlan | None = None,
) -> BuiltHead:
    """Build a result in the scene and report it; plan: see `build_scene`. Raises EngineError."""
    leave_edit_mode(context)
    built = build_scene(result, context, plan)
    present(context)
    warnings = len(result.manifest.warnings) + len(built.warnings)
    report_warnings(operator, ui_text.built(built.collection.name, warnings), warnings)
    return built


def leave_edit_mode(context: bpy.types.Context) -> None:
    """Go to Object Mode: undo would only cover the edited mesh."""
    if context.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")


def report_warnings(operator: bpy.types.Operator, text: str, warnings: int) -> None:
    """A report that is yellow when there are warnings."""
    operator.report({"WARNING"} if warnings else {"INFO"}, text)
