"""Fit a head again from where it is, with some of it held fixed."""

from pathlib import Path

import bpy

from ...engine.protocol.errors import EngineError, ErrorCode
from ...engine.protocol.result import read_manifest
from .. import ui_text
from ..declarations import PROPERTY, Operators
from ..runtime import start_refit
from ..scene.heads import head_of
from ..scene.succeed import succeed
from .head import poll_head
from .job import JobOperator, add_head
from .present import present


class UVAPM_OT_refit(JobOperator, bpy.types.Operator):
    """Fit this head to its photos again, from where it is; what is locked stays as it is. The head
    as it was stays in the file, hidden"""

    bl_idname = Operators.REFIT
    bl_label = "Refit"
    bl_options = {"UNDO"}  # not REGISTER: adjusting would run the whole job again

    root: bpy.props.StringProperty(options={"SKIP_SAVE", "HIDDEN"})

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
        start_refit(context, photos, folder, manifest, sorted(head.locks))

    def build(self, context: bpy.types.Context, folder: Path) -> set[str]:
        """The new head takes the place of the old one, which is hidden."""
        try:
            built = add_head(self, context, folder)
        except EngineError as error:
            return self._fail(error)
        old = bpy.data.objects.get(self.root)
        if old is not None:
            succeed(old, built.root)
            context.view_layer.update()
            present(context)
            self.report({"INFO"}, ui_text.refitted(built.root.name, old.name))
        return {"FINISHED"}
