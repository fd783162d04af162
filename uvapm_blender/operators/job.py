"""What operators that run a job of the engine have in common."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import bpy

from ...engine.protocol.errors import EngineError
from ...engine.protocol.result import ResultPackage, read_result
from .. import ui_text
from ..building import Building
from ..engine_client.session import State
from ..reading import Reading
from ..runtime import HEAD, RUNTIME, redraw, stop_job, unwatch, watch
from ..scene.build import BuiltHead, build_steps
from ..scene.made import Steps
from ..scene.plan import HeadPlan, plan_head
from .present import present

TICK = 0.1
"""Seconds between two looks at the engine while the interface stays responsive."""
HEADLESS_TICK = 0.02
BUILD_TICK = 0.01
BUILD_SECONDS = 0.02
"""Seconds between two spells of building, and how long one lasts, plus its last step."""
UNHEEDED = {"MOUSEMOVE", "INBETWEEN_MOUSEMOVE", "WINDOW_DEACTIVATE", "TIMER0", "TIMER1", "TIMER2"}
"""Events that change nothing of a scene by themselves."""


class JobOperator:
    """Starts a job, follows it, and builds its result. Mixed into operators; they give `start`
    and may change `build`. place: part of the interface that shows errors; hint: in the status
    line; cancelled: the report of that."""

    place = HEAD
    hint = ui_text.RUNNING_HINT
    cancelled = ui_text.CANCELLED

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
        watch(context, TICK, self.hint)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Advance the job on timer events; Esc cancels; Blender stays usable until it is built."""
        if RUNTIME.building is not None:
            return self._go_on(context, event)
        if event.type == "ESC" and event.value == "PRESS":
            RUNTIME.session.cancel()
            redraw(context)
            return {"RUNNING_MODAL"}
        if event.type == "TIMER":
            if RUNTIME.session.pump():
                redraw(context)
            if not RUNTIME.session.busy and self._is_read(context):
                return self._begin(context)
        return {"PASS_THROUGH"}

    def _is_read(self, context: bpy.types.Context) -> bool:
        """True when there is no result, or when the second thread has read it: checking its files
        would keep the window still for a while."""
        if RUNTIME.session.status.state is not State.DONE:
            return True
        if RUNTIME.reading is None:
            RUNTIME.reading = self._read(context)
        return RUNTIME.reading.done

    def _read(self, context: bpy.types.Context) -> Reading[object]:
        return Reading(partial(self.work(context), Path(RUNTIME.session.status.result)))

    def _begin(self, context: bpy.types.Context) -> set[str]:
        """The engine is done: build in small steps, or say how it ended."""
        reading, RUNTIME.reading = RUNTIME.reading, None
        unwatch()
        if reading is None:
            return self._end(context, self._told())
        try:
            worked = reading.result()
        except EngineError as error:
            return self._end(context, self._fail(error))
        RUNTIME.building = Building(lambda: self.build(context, worked))
        watch(context, BUILD_TICK, ui_text.BUILDING_HINT)
        return {"RUNNING_MODAL"}

    def _go_on(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """A little of the building. What is clicked or typed meanwhile, a blink of an eye, is
        dropped: undo would take half a head away."""
        if event.type == "ESC" and event.value == "PRESS":
            RUNTIME.building.drop()
            self.report({"INFO"}, self.cancelled)
            return self._end(context, {"CANCELLED"})
        if event.type != "TIMER":
            return {"PASS_THROUGH"} if event.type in UNHEEDED else {"RUNNING_MODAL"}
        try:
            if not RUNTIME.building.advance(BUILD_SECONDS):
                return {"RUNNING_MODAL"}
        except EngineError as error:
            return self._end(context, self._fail(error))
        except BaseException:
            self._end(context, {"CANCELLED"})
            raise
        return self._end(context, {"FINISHED"})

    def _end(self, context: bpy.types.Context, how: set[str]) -> set[str]:
        """Free the interface and leave."""
        RUNTIME.building = None
        unwatch()
        redraw(context)
        return how

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender ends the operator from outside (a file is loaded, the window closes)."""
        stop_job()

    def _wait(self, context: bpy.types.Context) -> set[str]:
        """The same without an interface; Ctrl-C cancels."""
        try:
            while RUNTIME.session.busy:
                RUNTIME.session.pump()
                time.sleep(HEADLESS_TICK)
        except KeyboardInterrupt:
            RUNTIME.session.close()
        if RUNTIME.session.status.state is not State.DONE:
            return self._told()
        try:
            worked = self._read(context).result()
            Building(lambda: self.build(context, worked)).advance(float("inf"))
        except EngineError as error:
            return self._fail(error)
        return {"FINISHED"}

    def _told(self) -> set[str]:
        """How a job ended that gave no result."""
        status = RUNTIME.session.status
        if status.error is not None:
            return self._fail(status.error, status.log)
        self.report({"INFO"}, self.cancelled)
        return {"CANCELLED"}

    def work(self, context: bpy.types.Context) -> Callable[[Path], object]:
        """What reads the job's folder and works out what to build, beside the main thread: it may
        touch no data of Blender. It raises EngineError."""
        return read_head

    def build(self, context: bpy.types.Context, worked: object) -> Steps[object]:
        """Add a result to the scene. worked: what `work` made of it. Raises EngineError."""
        return add_head(self, context, *worked)

    def _fail(self, error: EngineError, log: str = "") -> set[str]:
        RUNTIME.keep_error(error, log, self.place)
        self.report({"ERROR"}, ui_text.error_text(error))
        return {"CANCELLED"}


def read_head(folder: Path) -> tuple[ResultPackage, HeadPlan]:
    """A result and what its head is made of. Raises EngineError."""
    result = read_result(folder)
    return result, plan_head(result)


def add_head(
    operator: bpy.types.Operator,
    context: bpy.types.Context,
    result: ResultPackage,
    plan: HeadPlan,
) -> Steps[BuiltHead]:
    """Build a result in the scene, show it and report it. Raises EngineError."""
    leave_edit_mode(context)
    yield
    built = yield from build_steps(result, context, plan)
    warnings = len(result.manifest.warnings) + len(built.warnings)
    yield
    present(context)
    report_warnings(operator, ui_text.built(built.collection.name, warnings), warnings)
    return built


def leave_edit_mode(context: bpy.types.Context) -> None:
    """Go to Object Mode: undo would only cover the edited mesh."""
    if context.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")


def report_warnings(operator: bpy.types.Operator, text: str, warnings: int) -> None:
    """A report that is yellow when there are warnings."""
    operator.report({"WARNING"} if warnings else {"INFO"}, text)
