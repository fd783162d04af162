"""What can be done with a head that is in the scene."""

import bpy

from .. import ui_text
from ..declarations import BASE_PACKAGE, Operators
from ..scene.build import match_photo
from ..scene.heads import head_of
from ..scene.remove import remove_head


def poll_head(cls: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    """True when the active object belongs to a head; else the reason is shown."""
    if head_of(context.active_object) is None:
        cls.poll_message_set(ui_text.NO_HEAD)
        return False
    return True


def poll_still_head(cls: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    """Likewise, and only in Object Mode."""
    if context.mode != "OBJECT":
        cls.poll_message_set(ui_text.OBJECT_MODE)
        return False
    return poll_head(cls, context)


class UVAPM_OT_show_photo(bpy.types.Operator):
    """Use the camera, light, picture size and plain colours of this head's photo for the scene"""

    bl_idname = Operators.SHOW_PHOTO
    bl_label = "Match Photo"
    bl_options = {"UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a head."""
        return poll_head(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Set the scene up and look through the camera."""
        match_photo(head_of(context.active_object), context.scene)
        space = context.space_data
        if space is not None and space.type == "VIEW_3D":
            space.region_3d.view_perspective = "CAMERA"
            space.shading.use_scene_world = True  # Material Preview has a studio's light else
        return {"FINISHED"}


class UVAPM_OT_remove_head(bpy.types.Operator):
    """Delete this head with its meshes, materials, images, camera and light"""

    bl_idname = Operators.REMOVE_HEAD
    bl_label = "Remove Head"
    bl_options = {"UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a head, and Object Mode."""
        return poll_still_head(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Remove it."""
        root = head_of(context.active_object)
        name = root.name
        remove_head(root)
        self.report({"INFO"}, f"{name}: head removed")
        return {"FINISHED"}


class UVAPM_OT_choose_engine(bpy.types.Operator):
    """Open the preferences, where the engine's Python is chosen"""

    bl_idname = Operators.CHOOSE_ENGINE
    bl_label = "Choose Engine Python"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Show our page of the preferences."""
        bpy.ops.preferences.addon_show(module=BASE_PACKAGE)
        return {"FINISHED"}


class UVAPM_OT_copy_text(bpy.types.Operator):
    """Copy this text to the clipboard"""

    bl_idname = Operators.COPY_TEXT
    bl_label = "Copy"
    bl_options = {"INTERNAL"}

    text: bpy.props.StringProperty(options={"SKIP_SAVE", "HIDDEN"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Copy."""
        context.window_manager.clipboard = self.text
        self.report({"INFO"}, "Copied")
        return {"FINISHED"}
