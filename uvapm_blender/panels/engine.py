"""The engine in the preferences, and in the sidebar while it is not there."""

import bpy

from ...engine.protocol.doctor import DoctorRow, Fix, Health
from ...engine.protocol.errors import EngineError
from .. import ui_text
from ..declarations import Operators
from ..install import runtime, words
from ..install.plan import InstallPlan, has_nvidia
from ..install.runtime import ENGINE
from ..install.session import Phase, RunStatus
from ..install.state import EngineState, Standing
from ..preferences import preferences
from .lines import columns_of, draw_lines

HEALTH_ICONS = {Health.OK: "CHECKMARK", Health.NOTE: "INFO", Health.PROBLEM: "ERROR"}
FIXES = {
    Fix.INSTALL: Operators.INSTALL_ENGINE,
    Fix.REPAIR: Operators.REPAIR_ENGINE,
    Fix.DEVICE: Operators.AUTOMATIC_DEVICE,
    Fix.PACKS: Operators.SET_ASIDE_PACKS,
}
"""Buttons of the doctor; for the others there is a page of Blender."""
GOOD = (Standing.READY, Standing.OTHER)


def draw_missing(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """In the sidebar: how to get an engine, or how far that is; nothing when there is one."""
    if ENGINE.installer.status.busy:
        _draw_progress(layout, ENGINE.installer.status)
    elif not runtime.current_state(context).usable:
        box = layout.box()
        draw_lines(box, words.NO_ENGINE, columns_of(context), "INFO")
        box.operator(Operators.INSTALL_ENGINE, text="Install Engine...", icon="IMPORT")
        box.operator(Operators.CHOOSE_ENGINE, text="More...", icon="PREFERENCES")
        if ENGINE.installer.status.phase is Phase.FAILED:
            draw_lines(box, ENGINE.note, columns_of(context), "ERROR")


def draw_engine(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """In the preferences: how it stands, buttons, what would be installed, the doctor."""
    state, columns = runtime.current_state(context), columns_of(context)
    installer = ENGINE.installer.status
    if not installer.busy:  # half an environment is no news then
        icon = "CHECKMARK" if state.standing in GOOD else "ERROR" if not state.usable else "INFO"
        draw_lines(layout, words.standing(state), columns, icon)
    if state.mark is not None and state.mark.device == "cpu" and has_nvidia():
        draw_lines(layout, words.USE_CUDA, columns, "INFO")
    if not installer.busy and (left := words.leftovers(state)):
        draw_lines(layout, left, columns, "INFO")
    _draw_buttons(layout, state)
    for run in (ENGINE.installer, ENGINE.doctor):
        if run.status.busy:
            _draw_progress(layout, run.status)
    told = state.standing is Standing.READY and installer.installed is not None
    if ENGINE.note and not (told and ENGINE.note == words.note(installer)):
        failed = Phase.FAILED in (ENGINE.installer.status.phase, ENGINE.doctor.status.phase)
        draw_lines(layout, ENGINE.note, columns, "ERROR" if failed else "NONE")
        log = ENGINE.installer.status.log or ENGINE.doctor.status.log
        if failed and log:
            layout.operator(Operators.COPY_TEXT, text="Copy Log", icon="COPYDOWN").text = log
    for row in ENGINE.doctor.status.rows:
        _draw_row(layout, row, columns)
    _draw_plan(layout, context, columns, closed=state.usable)


def _draw_buttons(layout: bpy.types.UILayout, state: EngineState) -> None:
    row = layout.row(align=True)
    if state.standing in (Standing.READY, Standing.OLD, Standing.LOST):
        text = "Repair" if state.standing is Standing.READY else "Update Engine"
        row.operator(Operators.REPAIR_ENGINE, text=text, icon="FILE_REFRESH")
    else:
        row.operator(Operators.INSTALL_ENGINE, text="Install Engine...", icon="IMPORT")
    if state.removable:
        row.operator(Operators.UNINSTALL_ENGINE, text="Uninstall", icon="TRASH")
    row.operator(Operators.DOCTOR, icon="VIEWZOOM")


def _draw_progress(layout: bpy.types.UILayout, status: RunStatus) -> None:
    row = layout.row(align=True)
    text = ui_text.CANCELLING if status.phase is Phase.CANCELLING else words.step(status.step)
    row.progress(factor=status.fraction, type="BAR", text=text)
    row.operator(Operators.CANCEL_INSTALL, text="", icon="X")


def _draw_row(layout: bpy.types.UILayout, found: DoctorRow, columns: int) -> None:
    row = layout.row()
    draw_lines(row, f"{found.name}: {found.text}", columns - 20, HEALTH_ICONS[found.health])
    if found.fix in FIXES:
        row.operator(FIXES[found.fix])
    elif found.fix is Fix.EXTENSION:
        row.operator("screen.userpref_show", text="Extensions").section = "EXTENSIONS"
        draw_lines(layout, ui_text.INSTALL_AGAIN, columns, "INFO")


def _draw_plan(
    layout: bpy.types.UILayout, context: bpy.types.Context, columns: int, closed: bool
) -> None:
    header, body = layout.panel("UVAPM_preferences_engine", default_closed=closed)
    header.label(text="What Is Installed")
    if body is None:
        return
    try:
        plan = runtime.current_plan()
    except EngineError as error:
        draw_lines(body, str(error), columns, "ERROR")
        return
    for text in words.plan_lines(plan):
        draw_lines(body, text, columns)
    if plan.download:
        draw_index(body, context, plan, columns)
        if not bpy.app.online_access:
            draw_lines(body, words.OFFLINE, columns, "ERROR")
            body.operator("extensions.userpref_allow_online", icon="INTERNET")
    _draw_packages(body, plan)


def draw_index(
    layout: bpy.types.UILayout, context: bpy.types.Context, plan: InstallPlan, columns: int
) -> None:
    """Where PyTorch's package index is named, and why."""
    chosen = preferences(context)
    if plan.unusual and not chosen.torch_index.strip():
        draw_lines(layout, words.unusual(plan), columns, "INFO")
    layout.prop(chosen, "torch_index")


def _draw_packages(layout: bpy.types.UILayout, plan: InstallPlan) -> None:
    column = layout.column(align=True)
    for wheel in plan.wheels:
        split = column.split(factor=0.35)
        split.label(text=f"{wheel.name} {wheel.version}")
        split = split.split(factor=0.2)
        split.label(text=words.size(wheel.size))
        split.label(text=wheel.licence)
