"""Turntable and contact sheet."""

import re
from pathlib import Path

import bpy
from bpy.app.handlers import persistent

from ...engine.protocol.errors import EngineError
from .. import locations, ui_text
from ..declarations import PROPERTY, Operators
from ..preferences import preferences
from ..relight.run import DARKROOM
from ..relight.studio import close_studio
from ..runtime import redraw
from ..scene.heads import head_of
from .head import poll_head

TICK = 0.05
"""Seconds between two looks at the render."""
MAX_NAME = 60

_timers: list[bpy.types.Timer] = []
"""The timer of the run, for whoever ends it."""


class _PictureOperator:
    """Takes pictures one by one. Mixed into operators; they give `open` and `ending`."""

    ending = ""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a head, and that no pictures are taken yet."""
        if DARKROOM.run is not None:
            cls.poll_message_set(ui_text.TAKING_PICTURES)
            return False
        return poll_head(cls, context)

    def open(self, context: bpy.types.Context, root: bpy.types.Object, folder: Path) -> None:
        """Get ready. Raises EngineError."""
        raise NotImplementedError

    def execute(self, context: bpy.types.Context) -> set[str]:
        """In the background all at once, else beside the user's work."""
        root = head_of(context.active_object)
        try:
            self.open(context, root, _folder(context))
            if bpy.app.background:
                while DARKROOM.advance("EXEC_DEFAULT"):
                    pass
                return self._finish()
        except EngineError as error:
            return self._fail(error)
        _timers.append(context.window_manager.event_timer_add(TICK, window=context.window))
        context.workspace.status_text_set(ui_text.PICTURES_HINT)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Start the next picture when the last is done; Esc ends; Blender stays usable."""
        run = DARKROOM.run
        if run is not None and event.type == "ESC" and event.value == "PRESS":
            run.stop = True
        if event.type != "TIMER" or bpy.app.is_job_running("RENDER"):
            return {"PASS_THROUGH"}
        try:
            if run is not None and DARKROOM.advance("INVOKE_DEFAULT"):
                redraw(context)
                return {"PASS_THROUGH"}
            result = self._finish()
        except EngineError as error:
            result = self._fail(error)
        end_timer()
        redraw(context)
        return result

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender ends the operator from outside (a file is loaded, the window closes)."""
        end_timer()
        DARKROOM.close()

    def _finish(self) -> set[str]:
        run = DARKROOM.run
        target = DARKROOM.finish()
        if target is None:
            self.report({"INFO"}, ui_text.PICTURES_STOPPED)
            return {"CANCELLED"}
        self.report({"INFO"}, ui_text.pictures_done(run.label, target))
        return {"FINISHED"}

    def _fail(self, error: EngineError) -> set[str]:
        DARKROOM.close()
        self.report({"ERROR"}, ui_text.error_text(error))
        return {"CANCELLED"}


class UVAPM_OT_turntable(_PictureOperator, bpy.types.Operator):
    """Render one full turn of this head in the scene's light, with the scene's render engine. Only
    the head and what is parented to it is seen; the scene stays as it is"""

    bl_idname = Operators.TURNTABLE
    bl_label = "Render Turntable"

    def open(self, context: bpy.types.Context, root: bpy.types.Object, folder: Path) -> None:
        """Get ready to turn."""
        film = getattr(context.scene, PROPERTY).output == "VIDEO"
        target = _free(folder, f"{root.name} turntable", ".mp4" if film else "")
        DARKROOM.open_turntable(context.scene, root, target)


class UVAPM_OT_contact_sheet(_PictureOperator, bpy.types.Operator):
    """Render this head under every environment, as one labelled picture, with the scene's render
    engine. The scene stays as it is"""

    bl_idname = Operators.CONTACT_SHEET
    bl_label = "Render Contact Sheet"

    def open(self, context: bpy.types.Context, root: bpy.types.Object, folder: Path) -> None:
        """Get ready for one picture an environment."""
        DARKROOM.open_sheet(context.scene, root, _free(folder, f"{root.name} lights", ".png"))


class UVAPM_OT_stop_pictures(bpy.types.Operator):
    """Stop after the picture that is being rendered; Esc stops at once. Nothing is kept"""

    bl_idname = Operators.STOP_PICTURES
    bl_label = "Stop Pictures"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only while pictures are taken."""
        if DARKROOM.run is None:
            cls.poll_message_set(ui_text.NO_PICTURES)
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Ask for the end."""
        DARKROOM.run.stop = True
        return {"FINISHED"}


def end_timer() -> None:
    """Take timer and hint away. Works without the operator: disabling the extension drops it."""
    while _timers:
        timer = _timers.pop()
        for manager in bpy.data.window_managers:
            manager.event_timer_remove(timer)
        for workspace in bpy.data.workspaces:
            workspace.status_text_set(None)


@persistent
def _on_load(*_: object) -> None:
    """A file that was saved while pictures were taken holds a studio that nobody needs."""
    DARKROOM.close()


@persistent
def _on_undo(*_: object) -> None:
    """So does a step of undo from that time."""
    if DARKROOM.run is None:
        close_studio()


_HANDLERS = (("load_post", _on_load), ("undo_post", _on_undo), ("redo_post", _on_undo))


def add() -> None:
    """Once, when the extension is enabled."""
    for name, handler in _HANDLERS:
        getattr(bpy.app.handlers, name).append(handler)


def remove() -> None:
    """When the extension is disabled: a run ends."""
    for name, handler in _HANDLERS:
        installed = getattr(bpy.app.handlers, name)
        if handler in installed:
            installed.remove(handler)
    end_timer()
    DARKROOM.close()


def _folder(context: bpy.types.Context) -> Path:
    chosen = getattr(context.scene, PROPERTY).folder.strip()
    if chosen:
        return Path(bpy.path.abspath(chosen))
    kept = locations.new_result_folder(Path("pictures"), preferences(context).results_folder)
    return kept.parent


def _free(folder: Path, name: str, ending: str) -> Path:
    """A path that is not there yet."""
    stem = re.sub(r"[^\w.-]+", "_", name)[:MAX_NAME].strip("._") or "head"
    path, number = folder / f"{stem}{ending}", 1
    while path.exists():
        number += 1
        path = folder / f"{stem}-{number}{ending}"
    return path


CLASSES = (UVAPM_OT_turntable, UVAPM_OT_contact_sheet, UVAPM_OT_stop_pictures)
