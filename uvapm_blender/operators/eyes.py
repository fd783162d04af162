"""Eyes that look at something, and a smoother surface."""

import bpy

from .. import ui_text
from ..declarations import Operators
from ..rig.fixes import eyes_of
from ..rig.look import add_target, remove_target, target_of
from ..rig.reclose import close_lids
from ..rig.smooth import is_smooth, set_smooth
from ..scene.heads import head_of
from ..scene.own import own_meshes
from .head import poll_head, poll_still_head


class UVAPM_OT_add_look_target(bpy.types.Operator):
    """Let the eyes look at an empty in front of the face: move it and eyes and lids follow"""

    bl_idname = Operators.ADD_LOOK_TARGET
    bl_label = "Add Look Target"
    bl_options = {"UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a head with eyes, and Object Mode."""
        if not poll_still_head(cls, context):
            return False
        if not eyes_of(head_of(context.active_object)):
            cls.poll_message_set(ui_text.NO_EYES)
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Add it and make it the selected object, so that G moves it."""
        root = head_of(context.active_object)
        own_meshes(root)
        target = add_target(root)
        for item in context.selected_objects:
            item.select_set(False)
        if target.name in context.view_layer.objects:
            target.select_set(True)
            context.view_layer.objects.active = target
        return {"FINISHED"}


class UVAPM_OT_remove_look_target(bpy.types.Operator):
    """Take the look target away; the eyes follow their sliders again"""

    bl_idname = Operators.REMOVE_LOOK_TARGET
    bl_label = "Remove Look Target"
    bl_options = {"UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a head with a look target."""
        if not poll_head(cls, context):
            return False
        if target_of(head_of(context.active_object)) is None:
            cls.poll_message_set(ui_text.NO_TARGET)
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Remove it; the head stays selected."""
        root = head_of(context.active_object)
        was_active = context.active_object == target_of(root)
        remove_target(root)
        if was_active:
            eye = next(iter(eyes_of(root).values()))
            eye.select_set(True)
            context.view_layer.objects.active = eye
        return {"FINISHED"}


class UVAPM_OT_smooth_head(bpy.types.Operator):
    """Add or remove a Subdivision modifier. It is off in the viewport while a slider moves"""

    bl_idname = Operators.SMOOTH_HEAD
    bl_label = "Subdivision"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a head."""
        return poll_head(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Turn it on, or off when it is on."""
        root = head_of(context.active_object)
        set_smooth(root, not is_smooth(root))
        return {"FINISHED"}


class UVAPM_OT_close_lids(bpy.types.Operator):
    """Fit the blinks to the lids as they are now, so that they close and go no further"""

    bl_idname = Operators.CLOSE_LIDS
    bl_label = "Fit Blinks"
    bl_options = {"UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a head, and Object Mode."""
        return poll_still_head(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Scale the blinks."""
        root = head_of(context.active_object)
        own_meshes(root)
        if not close_lids(root):
            self.report({"WARNING"}, ui_text.NO_LIDS)
            return {"CANCELLED"}
        return {"FINISHED"}


CLASSES = (
    UVAPM_OT_add_look_target,
    UVAPM_OT_remove_look_target,
    UVAPM_OT_close_lids,
    UVAPM_OT_smooth_head,
)
