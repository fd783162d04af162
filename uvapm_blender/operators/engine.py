"""Install, repair, uninstall and examine the engine, each in a process of its own."""

import bpy

from ...engine.protocol.errors import EngineError
from .. import ui_text
from ..declarations import Operators
from ..install import runtime
from ..install.runtime import ENGINE, TICK, wait_for
from ..install.session import Phase, Run
from ..preferences import preferences
from ..runtime import RUNTIME, redraw


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
        ENGINE.note = ui_text.engine_note(status)
        self.report({"ERROR"} if status.phase is Phase.FAILED else {"INFO"}, ENGINE.note)
        return {"FINISHED"} if status.phase is Phase.DONE else {"CANCELLED"}


def _follow() -> float | None:
    """Timer: until all children have ended."""
    changed = False
    for run in (ENGINE.installer, ENGINE.doctor):
        busy = run.status.busy
        changed = run.pump() or changed
        if busy and not run.status.busy:
            ENGINE.note = ui_text.engine_note(run.status)
    if changed:
        redraw(bpy.context)
    return TICK if ENGINE.busy else None


def stop_following() -> None:
    """When the extension is disabled."""
    if bpy.app.timers.is_registered(_follow):
        bpy.app.timers.unregister(_follow)
    runtime.close()


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
            cls.poll_message_set(ui_text.OFFLINE)
            return False
        return True

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Say what happens, and ask."""
        return context.window_manager.invoke_props_dialog(self, width=420)

    def draw(self, context: bpy.types.Context) -> None:
        """What, how large, from where."""
        plan = runtime.current_plan()
        for text in ui_text.plan_lines(plan):
            for line in ui_text.wrapped(text, 64):
                self.layout.label(text=line)

    def start(self, context: bpy.types.Context) -> None:
        """The installer."""
        runtime.start_install(context, repair=False)


class UVAPM_OT_repair_engine(EngineOperator, bpy.types.Operator):
    """Look for damaged packages of the engine and put them in again; what is whole stays"""

    bl_idname = Operators.REPAIR_ENGINE
    bl_label = "Repair Engine"

    run = ENGINE.installer

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
        return context.window_manager.invoke_confirm(self, event)

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
    """Stop. What was fetched whole is kept for the next try"""

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
