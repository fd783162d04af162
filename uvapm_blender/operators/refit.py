"""Fit a head again from where it is, with some of it held fixed."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import bpy

from ...engine.protocol.errors import EngineError, ErrorCode
from ...engine.protocol.result import (
    ResultPackage,
    read_coefficients,
    read_manifest,
    read_result,
)
from .. import ui_text
from ..declarations import PROPERTY, Operators
from ..edits import edits_of
from ..pins.values import pins_of
from ..runtime import start_refit
from ..scene.change import Before, Change, change_between
from ..scene.heads import head_of
from ..scene.made import Steps
from ..scene.plan import plan_head
from ..scene.update import before_of, fits, update_head
from .head import poll_head
from .job import JobOperator, add_head, leave_edit_mode, report_warnings


class UVAPM_OT_refit(JobOperator, bpy.types.Operator):
    """Fit this head to its photo again, from where it is. It follows the landmark pins; what is
    locked stays as it is now"""

    bl_idname = Operators.REFIT
    bl_label = "Refit"
    bl_options = {"UNDO"}  # not REGISTER: adjusting would run the whole job again

    root: bpy.props.StringProperty(options={"SKIP_SAVE", "HIDDEN"})
    given_up: bpy.props.StringProperty(options={"SKIP_SAVE", "HIDDEN"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a head with its result folder, and that nothing runs."""
        return poll_head(cls, context) and super().poll(context)

    def start(self, context: bpy.types.Context) -> None:
        """The photos of the head's result, from that result."""
        root = head_of(context.active_object)
        self.root = root.name
        head = getattr(root, PROPERTY)
        folder = Path(bpy.path.abspath(head.result_folder))
        manifest = read_manifest(folder)
        photos = [Path(manifest.photo.path), *(Path(one.photo.path) for one in manifest.others)]
        photos[0] = Path(bpy.path.abspath(head.photo)) if head.photo else photos[0]
        missing = [path for path in photos if not path.is_file()]
        if missing:
            raise EngineError(
                ErrorCode.BAD_INPUT,
                f"The photo was not found: {missing[0]}",
                "Put it back, or reconstruct another photo.",
            )
        edits = edits_of(root, read_coefficients(folder, manifest))
        locks, pins = sorted(head.locks), pins_of(root)
        self.given_up = ui_text.not_locked(edits, head.locks)
        start_refit(context, photos, folder, manifest, locks, pins, edits)

    def work(
        self, context: bpy.types.Context
    ) -> Callable[[Path], tuple[ResultPackage, Change | None]]:
        """The result, and the change to the head's meshes."""
        root = bpy.data.objects.get(self.root)
        try:
            before = None if root is None else before_of(root)
        except EngineError:
            before = None  # the head pack is gone
        return partial(_read_change, before)

    def build(
        self, context: bpy.types.Context, worked: tuple[ResultPackage, Change | None]
    ) -> Steps[None]:
        """The head takes the result over. Only a head whose meshes were remodelled, or that is
        gone, stays as it is: the result is a new head then."""
        result, change = worked
        root = bpy.data.objects.get(self.root)
        if root is None or not fits(root, result):
            known = root is not None
            built = yield from add_head(self, context, result, plan_head(result))
            if known:
                self.report({"WARNING"}, ui_text.another_model(built.root.name))
            return
        leave_edit_mode(context)
        warnings = len(result.manifest.warnings) + len(update_head(root, result, change))
        context.view_layer.update()
        report_warnings(self, ui_text.refitted(root.name, warnings) + self.given_up, warnings)


def _read_change(before: Before | None, folder: Path) -> tuple[ResultPackage, Change | None]:
    result = read_result(folder)
    return result, change_between(before, result)
