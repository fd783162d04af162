"""A reconstructed head on the artist's own mesh."""

from collections.abc import Callable
from pathlib import Path

import bpy

from ...engine.protocol.errors import EngineError, ErrorCode
from ...engine.protocol.result import read_manifest
from ...engine.protocol.wear import WearPackage, read_wear
from ...engine.protocol.work import WearJob
from .. import locations, ui_text
from ..declarations import PROPERTY, Operators
from ..preferences import preferences
from ..runtime import RUNTIME, WEAR, make_launch
from ..scene.heads import head_of
from ..scene.made import Steps
from ..shape.values import heads
from ..wear.keys import add_keys
from ..wear.pictures import write_present
from ..wear.properties import DEFAULT_SIZE, SIZE_ITEMS
from ..wear.surface import assign_surface, new_surface
from ..wear.target import read_target
from .job import JobOperator, leave_edit_mode, report_warnings


def worn_head(context: bpy.types.Context) -> bpy.types.Object | None:
    """Root of the head to wear: of the one that is selected too, else of the only one here."""
    chosen = {head_of(item) for item in context.selected_objects} - {None}
    if not chosen:
        chosen = {root for root in heads() if root.name in context.scene.objects}
    return chosen.pop() if len(chosen) == 1 else None


class UVAPM_OT_wear(JobOperator, bpy.types.Operator):
    """Put a reconstructed head's textures and expressions onto the active mesh, a human head of any
    topology. Several heads: select the head, then shift-click the mesh"""

    bl_idname = Operators.WEAR
    bl_label = "Wear It"
    bl_options = {"UNDO"}  # not REGISTER: adjusting would run the whole job again

    place = WEAR
    hint = ui_text.WEARING_HINT
    cancelled = ui_text.WEARING_CANCELLED

    maps: bpy.props.BoolProperty(name="Textures", default=True)
    shapes: bpy.props.BoolProperty(name="Expressions", default=True)
    likeness: bpy.props.FloatProperty(name="Likeness", default=0.0, min=0.0, max=1.0)
    size: bpy.props.EnumProperty(name="Size", items=SIZE_ITEMS, default=DEFAULT_SIZE)
    target: bpy.props.StringProperty(options={"SKIP_SAVE", "HIDDEN"})
    head: bpy.props.StringProperty(options={"SKIP_SAVE", "HIDDEN"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a mesh that is no part of a head, one head to wear, and that nothing runs."""
        item = context.active_object
        reason = ""
        if item is None or item.type != "MESH" or head_of(item) is not None:
            reason = ui_text.NO_WEARER
        elif context.mode != "OBJECT":
            reason = ui_text.OBJECT_MODE
        elif worn_head(context) is None:
            reason = ui_text.NO_WORN_HEAD
        if reason:
            cls.poll_message_set(reason)
            return False
        return super().poll(context)

    def start(self, context: bpy.types.Context) -> None:
        """The mesh as a file, and the head's result."""
        root, item = worn_head(context), context.active_object
        result = Path(bpy.path.abspath(getattr(root, PROPERTY).result_folder))
        read_manifest(result)
        self._arrays = read_target(item)
        self.target, self.head = item.name, root.name
        if self.maps and self._arrays.corner_uv is None:
            raise EngineError(
                ErrorCode.BAD_INPUT,
                f"{item.name} has no UV map to bake textures to.",
                "Unwrap it, or turn Textures off.",
            )
        scratch = RUNTIME.scratch_folder()
        textures = write_present(root, scratch) if self.maps else None
        mesh = _mesh_file(scratch, item.name)
        self._arrays.write(mesh)
        name = Path(f"{root.name} on {item.name}")
        job = WearJob(
            result=str(result),
            mesh=str(mesh),
            output=str(locations.new_result_folder(name, preferences(context).results_folder)),
            size=int(self.size),
            textures=None if textures is None else str(textures),
            maps=self.maps,
            shapes=self.shapes,
        )
        RUNTIME.session.start(make_launch(context), job)

    def work(self, context: bpy.types.Context) -> Callable[[Path], WearPackage]:
        """What the engine wrote."""
        return read_wear

    def build(self, context: bpy.types.Context, worked: WearPackage) -> Steps[None]:
        """Material, then shape keys."""
        item = bpy.data.objects.get(self.target)
        if item is None or item.type != "MESH" or not self._arrays.fits(item):
            raise EngineError(
                ErrorCode.BAD_INPUT,
                f"{self.target} was changed or removed while the engine worked.",
                "Let it wear the head again.",
            )
        leave_edit_mode(context)
        yield
        material = yield from new_surface(item, self._arrays, worked, f"{item.name} skin")
        keys = yield from add_keys(item, self._arrays, worked, self.likeness)
        if material is not None:
            assign_surface(item, material, self._arrays.covered(worked.covered))
        worn, manifest = getattr(item, PROPERTY).worn, worked.manifest
        worn.head = self.head
        worn.quality = "\n".join((*manifest.quality, *manifest.warnings))
        text = ui_text.wears(item.name, self.head, keys, self.maps)
        report_warnings(self, text, len(manifest.warnings))


def _mesh_file(scratch: Path, name: str) -> Path:
    """Where a mesh goes for the engine, which calls it by the file's name; the last one is gone."""
    folder = scratch / "mesh"
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    return folder / f"{locations.file_safe(name) or 'mesh'}.safetensors"


CLASSES = (UVAPM_OT_wear,)
