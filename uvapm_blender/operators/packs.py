"""Packs come and go: models that the user got from their makers become packs."""

import shutil
import time
from pathlib import Path

import bpy

from ...engine.protocol.errors import EngineError, ErrorCode
from ...engine.protocol.head_kinds import head_kind
from ...engine.protocol.mend_packs import set_aside, trouble_of
from ...engine.protocol.work import ImportJob
from .. import locations, ui_text
from ..compat import BLEND_RELATIVE
from ..declarations import Operators
from ..packs.properties import KIND_ITEMS, SHAPE_ITEMS
from ..packs.shelf import SHELF
from ..runtime import PACKS, RUNTIME, make_launch, redraw
from ..shape.cache import CACHE
from ..skin.model import MODELS

TICK = 0.1
HEADLESS_TICK = 0.02
"""Seconds between two looks at the engine."""


class UVAPM_OT_import_pack(bpy.types.Operator):
    """Make a pack of a model's files, as its makers released them"""

    bl_idname = Operators.IMPORT_PACK
    bl_label = "Import Pack"

    kind: bpy.props.EnumProperty(name="Model", description="What the files are", items=KIND_ITEMS)
    accept_licence: bpy.props.BoolProperty(
        name="I know these terms and keep to them",
        description="Nothing is read before you accept the terms of the model's makers",
        options={"SKIP_SAVE"},
    )
    expressions: bpy.props.EnumProperty(
        name="Expressions", description="Which expressions the head gets", items=SHAPE_ITEMS
    )
    pack_name: bpy.props.StringProperty(
        name="Name", description="Of the pack; empty: that of the model", options={"SKIP_SAVE"}
    )
    extra: bpy.props.StringProperty(
        name="Also",
        description="A further file or folder, where the model takes one",
        subtype="FILE_PATH",
        options={"SKIP_SAVE", *BLEND_RELATIVE},
    )
    filepath: bpy.props.StringProperty(
        subtype="FILE_PATH", options={"SKIP_SAVE", "HIDDEN", *BLEND_RELATIVE}
    )
    directory: bpy.props.StringProperty(
        subtype="DIR_PATH", options={"SKIP_SAVE", "HIDDEN", *BLEND_RELATIVE}
    )
    files: bpy.props.CollectionProperty(
        type=bpy.types.OperatorFileListElement, options={"SKIP_SAVE", "HIDDEN"}
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """One job at a time."""
        if RUNTIME.session.busy or RUNTIME.timer is not None:
            cls.poll_message_set(ui_text.BUSY)
            return False
        return True

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask for the files, or the folder."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def draw(self, context: bpy.types.Context) -> None:
        """Beside the files: what to give. The rest was asked before."""
        layout, info = self.layout, head_kind(self.kind)
        layout.label(text=info.title)
        for line in ui_text.wrapped(f"Choose {info.files}", 28):
            layout.label(text=line)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Start; wait for the end in the background, follow it from a timer otherwise, so that
        Blender stays usable and the preferences may be closed."""
        RUNTIME.forget_error()
        try:
            RUNTIME.session.start(make_launch(context), self._job())
        except EngineError as error:
            RUNTIME.keep_error(error, place=PACKS)
            self.report({"ERROR"}, ui_text.error_text(error))
            return {"CANCELLED"}
        if not bpy.app.background:
            bpy.app.timers.register(_follow, first_interval=TICK, persistent=True)
            redraw(context)
            return {"FINISHED"}
        while RUNTIME.session.busy:
            RUNTIME.session.pump()
            time.sleep(HEADLESS_TICK)
        done = finish_import()
        if RUNTIME.error is not None:
            self.report({"ERROR"}, ui_text.error_text(RUNTIME.error))
        else:
            self.report({"INFO"}, RUNTIME.note)
        return {"FINISHED"} if done else {"CANCELLED"}

    def _job(self) -> ImportJob:
        """Raises EngineError before anything is read."""
        info = head_kind(self.kind)
        if not self.accept_licence:
            raise EngineError(
                ErrorCode.BAD_SETTINGS,
                f"The terms of {info.title} were not accepted.",
                info.licence_note,
            )
        paths = self._paths()
        missing = [path for path in paths if not path.exists()]
        if missing or not paths:
            text = f"Not found: {missing[0]}" if missing else "Nothing was chosen."
            raise EngineError(ErrorCode.BAD_INPUT, text, f"Choose {info.files}.")
        return ImportJob(
            kind=info.name,
            paths=tuple(map(str, paths)),
            output=str(locations.pack_output(self.pack_name.strip() or info.name)),
            accept_licence=True,
            expressions=self.expressions,
        )

    def _paths(self) -> list[Path]:
        """The chosen files, else the folder that is open, and the extra one."""
        folder = Path(bpy.path.abspath(self.directory)) if self.directory else None
        names = [each.name for each in self.files if each.name]
        single = Path(bpy.path.abspath(self.filepath)) if self.filepath else None
        if names and folder is not None:
            paths = [folder / name for name in names]
        elif single is not None and (folder is None or single.is_file()):
            paths = [single]
        else:
            paths = [folder] if folder is not None else []
        return paths + ([Path(bpy.path.abspath(self.extra))] if self.extra.strip() else [])


def _follow() -> float | None:
    """Timer: until the import ends."""
    if RUNTIME.session.pump():
        redraw(bpy.context)
    if RUNTIME.session.busy:
        return TICK
    finish_import()
    redraw(bpy.context)
    return None


def stop_following() -> None:
    """When the extension is disabled."""
    if bpy.app.timers.is_registered(_follow):
        bpy.app.timers.unregister(_follow)


def finish_import() -> bool:
    """Take over what an import left: a pack (True), or the reason why there is none."""
    status = RUNTIME.session.status
    if status.error is not None:
        RUNTIME.keep_error(status.error, status.log, PACKS)
        return False
    if not status.result:
        RUNTIME.note = ui_text.IMPORT_CANCELLED
        return False
    RUNTIME.note = ui_text.imported(Path(status.result).name, status.warnings)
    _look_again()
    return True


def _look_again() -> None:
    """Heads whose pack was missing may have it now, or the other way round."""
    SHELF.forget()
    CACHE.clear()
    MODELS.forget_problems()


class UVAPM_OT_remove_pack(bpy.types.Operator):
    """Delete this pack from the disk. Heads that were made with it keep their meshes and textures,
    but not their sliders"""

    bl_idname = Operators.REMOVE_PACK
    bl_label = "Remove Pack"

    id: bpy.props.StringProperty(name="Pack", options={"SKIP_SAVE"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """It cannot be undone: ask."""
        return context.window_manager.invoke_confirm(self, event)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Remove it; only what lies in the user's own folder."""
        pack = SHELF.find(self.id)
        if pack is None or not pack.own or RUNTIME.session.busy:
            self.report({"ERROR"}, ui_text.BUSY if RUNTIME.session.busy else ui_text.NOT_OWN)
            return {"CANCELLED"}
        RUNTIME.session.close()  # it may hold the files open
        try:
            shutil.rmtree(pack.folder)
        except OSError as error:
            self.report({"ERROR"}, f"{pack.folder}: {error.strerror}")
            return {"CANCELLED"}
        finally:
            _look_again()
            redraw(context)
        self.report({"INFO"}, ui_text.removed(pack.id))
        return {"FINISHED"}


class UVAPM_OT_set_aside_packs(bpy.types.Operator):
    """Move imported packs that cannot be used into the folder "set aside" beside them, so that they
    can be imported again. Nothing is deleted"""

    bl_idname = Operators.SET_ASIDE_PACKS
    bl_label = "Set Aside"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Look at those in the user's own folder again, and move them."""
        if RUNTIME.session.busy:
            self.report({"ERROR"}, ui_text.BUSY)
            return {"CANCELLED"}
        RUNTIME.session.close()  # it may hold the files open
        SHELF.forget()
        moved = []
        try:
            for pack in SHELF.packs():
                if pack.own and trouble_of(pack.folder):
                    moved.append(set_aside(pack.folder))
        except EngineError as error:
            self.report({"ERROR"}, ui_text.error_text(error))
            return {"CANCELLED"}
        finally:
            _look_again()
            redraw(context)
        if not moved:
            self.report({"WARNING"}, ui_text.NONE_BAD)
            return {"CANCELLED"}
        self.report({"INFO"}, ui_text.moved_aside(moved))
        return {"FINISHED"}


CLASSES = (UVAPM_OT_import_pack, UVAPM_OT_remove_pack, UVAPM_OT_set_aside_packs)
