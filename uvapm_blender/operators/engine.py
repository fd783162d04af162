"""Install, repair, uninstall and examine the engine, each in a process of its own."""

import bpy

from ...engine.protocol.errors import EngineError
from .. import ui_text
from ..declarations import Operators
from ..install import runtime, words
from ..install.runtime import ENGINE, TICK, wait_for
from ..install.session import Phase, Run
from ..install.state import Standing
from ..panels.engine import draw_index
from ..panels.lines import draw_lines
from ..preferences import preferences
from ..runtime import RUNTIME, redraw

DIALOG = 420
"""Pixels of a dialog at scale 1."""
DIALOG_COLUMNS = 62


class EngineOperator:
    """Starts a child and follows it from a timer, so that Blender stays usable and the
    preferences may be closed. Mixed into operators; they give `start` and `run`."""

    run: Run

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """One thing at a time, and no job of the engine meanwhile."""
        if ENGINE.busy:
            cls.poll_message_set(ui_text.INSTALLER_BUSY)
            return False
        if RUNTIME.session.busy or RUNTIME.timer is not None:
            cls.poll_message_set(ui_text.BUSY)
            return False
        return True

    def start(self, context: bpy.types.Context) -> None:
        """Start the child. Raises EngineError."""
        raise NotImplementedError

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Start; in the background wait for the end."""
        RUNTIME.forget_error()
        RUNTIME.session.close()  # a warm engine holds its files
        try:
            self.start(context)
        except EngineError as error:
            ENGINE.note = ui_text.error_text(error)
            self.report({"ERROR"}, ENGINE.note)
            return {"CANCELLED"}
        if not bpy.app.background:
            bpy.app.timers.register(_follow, first_interval=TICK, persistent=True)
            redraw(context)
            return {"FINISHED"}
        wait_for(self.run)
        status = self.run.status
        ENGINE.note = words.note(status)
        self.report({"ERROR"} if status.phase is Phase.FAILED else {"INFO"}, ENGINE.note)
        return {"FINISHED"} if status.phase is Phase.DONE else {"CANCELLED"}


def _follow() -> float | None:
    """Timer: until all children have ended."""
    changed = False
    for run in (ENGINE.installer, ENGINE.doctor):
        busy = run.status.busy
        changed = run.pump() or changed
        if busy and not run.status.busy:
            ENGINE.note = words.note(run.status)
    if changed:
        redraw(bpy.context)
    return TICK if ENGINE.busy else None


def stop_following() -> None:
    """When the extension is disabled."""
    if bpy.app.timers.is_registered(_follow):
        bpy.app.timers.unregister(_follow)
    runtime.close()


def ask(operator: bpy.types.Operator, context: bpy.types.Context, confirm: str) -> set[str]:
    """A dialog that says what would be done, where that is known; else why not."""
    try:
        runtime.current_plan()
    except EngineError as error:
        operator.report({"ERROR"}, ui_text.error_text(error))
        return {"CANCELLED"}
    manager = context.window_manager
    return manager.invoke_props_dialog(operator, width=DIALOG, confirm_text=confirm)


def draw_plan(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """What would be installed, how large it is, from where."""
    plan = runtime.current_plan()
    for text in words.plan_lines(plan):
        draw_lines(layout, text, DIALOG_COLUMNS)
    if plan.unusual and bpy.app.online_access:
        draw_index(layout, context, plan, DIALOG_COLUMNS)


class UVAPM_OT_install_engine(EngineOperator, bpy.types.Operator):
    """Make the engine's own Python environment, in the extension's folder. Blender's Python and
    other add-ons are not touched"""

    bl_idname = Operators.INSTALL_ENGINE
    bl_label = "Install Engine"

    run = ENGINE.installer

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Not while something runs; what lacks is fetched only where Blender may go online."""
        if not super().poll(context):
            return False
        try:
            plan = runtime.current_plan()
        except EngineError as error:
            cls.poll_message_set(ui_text.error_text(error))
            return False
        if plan.download and not bpy.app.online_access:
            cls.poll_message_set(words.OFFLINE)
            return False
        return True

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Say what happens, and ask."""
        return ask(self, context, "Install")

    def draw(self, context: bpy.types.Context) -> None:
        """What, how large, from where."""
        draw_plan(self.layout, context)

    def start(self, context: bpy.types.Context) -> None:
        """The installer."""
        runtime.start_install(context, repair=False)


class UVAPM_OT_repair_engine(EngineOperator, bpy.types.Operator):
    """Look for damaged packages of the engine and put them in again; what is whole stays"""

    bl_idname = Operators.REPAIR_ENGINE
    bl_label = "Repair Engine"

    run = ENGINE.installer

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """An update is an installation: ask as there. What is damaged is mended at once."""
        if runtime.current_state(context).standing is Standing.READY:
            return self.execute(context)
        return ask(self, context, "Update")

    def draw(self, context: bpy.types.Context) -> None:
        """What, how large, from where."""
        draw_plan(self.layout, context)

    def start(self, context: bpy.types.Context) -> None:
        """The installer."""
        runtime.start_install(context, repair=True)


class UVAPM_OT_uninstall_engine(EngineOperator, bpy.types.Operator):
    """Delete the engine's environment and all that was fetched for it. Heads, results and packs
    stay"""

    bl_idname = Operators.UNINSTALL_ENGINE
    bl_label = "Uninstall Engine"

    run = ENGINE.installer

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """It cannot be undone: ask."""
        return context.window_manager.invoke_confirm(
            self,
            event,
            title=words.UNINSTALL_TITLE,
            message=words.UNINSTALL_WORDS,
            confirm_text="Uninstall",
        )

    def start(self, context: bpy.types.Context) -> None:
        """The installer, which removes too."""
        runtime.start_removal()


class UVAPM_OT_doctor(EngineOperator, bpy.types.Operator):
    """Look at everything that the engine needs, and say what helps"""

    bl_idname = Operators.DOCTOR
    bl_label = "Doctor"

    run = ENGINE.doctor

    def start(self, context: bpy.types.Context) -> None:
        """The doctor."""
        runtime.start_doctor(context)


class UVAPM_OT_cancel_install(bpy.types.Operator):
    """Stop. What was fetched is kept, the next try goes on there"""

    bl_idname = Operators.CANCEL_INSTALL
    bl_label = "Cancel"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Ask both for the end."""
        ENGINE.installer.cancel()
        ENGINE.doctor.cancel()
        redraw(context)
        return {"FINISHED"}


class UVAPM_OT_automatic_device(bpy.types.Operator):
    """Compute on the graphics card when PyTorch finds one, else on the processor"""

    bl_idname = Operators.AUTOMATIC_DEVICE
    bl_label = "Use Automatic Device"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Change the preference."""
        preferences(context).device = "AUTO"
        return {"FINISHED"}


CLASSES = (
    UVAPM_OT_install_engine,
    UVAPM_OT_repair_engine,
    UVAPM_OT_uninstall_engine,
    UVAPM_OT_doctor,
    UVAPM_OT_cancel_install,
    UVAPM_OT_automatic_device,
)
