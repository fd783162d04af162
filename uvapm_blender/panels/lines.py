"""What panels draw alike: wrapped lines, the job's progress, an error with what helps."""

import bpy

from ...engine.protocol.errors import EngineError
from .. import ui_text
from ..declarations import Operators
from ..engine_client.session import State, Status

LETTER = 6.3
"""Pixels of a letter at scale 1, for wrapping (ours, measured on Blender's default font)."""


def columns_of(context: bpy.types.Context) -> int:
    """Letters that fit in a line of this region."""
    scale = context.preferences.system.ui_scale
    return int((context.region.width / scale - 50) / LETTER)


def draw_lines(layout: bpy.types.UILayout, text: str, columns: int, icon: str = "NONE") -> None:
    """A wrapped text as labels; the icon on the first."""
    column = layout.column(align=True)
    for line in ui_text.wrapped(text, columns):
        column.label(text=line, icon=icon)
        icon = "BLANK1" if icon != "NONE" else "NONE"


def draw_progress(layout: bpy.types.UILayout, status: Status) -> None:
    """How far the job is, and the button that stops it."""
    text = {State.STARTING: ui_text.STARTING, State.CANCELLING: ui_text.CANCELLING}.get(
        status.state, ui_text.stage_text(status.stage)
    )
    row = layout.row(align=True)
    row.progress(factor=status.fraction, type="BAR", text=f"{text} {status.fraction:.0%}")
    row.operator(Operators.CANCEL, text="", icon="X")


def draw_error(layout: bpy.types.UILayout, error: EngineError, log: str, columns: int) -> None:
    """What happened, what to do, and the button that does it."""
    box = layout.box()
    draw_lines(box, error.message, columns, "ERROR")
    if error.hint:
        draw_lines(box, error.hint, columns)
    if error.code in ui_text.ENGINE_MISSING:
        box.operator(Operators.INSTALL_ENGINE, text="Install Engine...", icon="IMPORT")
        box.operator(Operators.CHOOSE_ENGINE, icon="PREFERENCES")
    elif error.code in ui_text.PACK_TROUBLE:
        draw_lines(box, ui_text.PACK_ADVICE, columns)
        copy = box.operator(Operators.COPY_TEXT, text="Copy Command", icon="COPYDOWN")
        copy.text = ui_text.PACK_COMMAND
    if log:
        box.operator(Operators.COPY_TEXT, text="Copy Log", icon="COPYDOWN").text = log
