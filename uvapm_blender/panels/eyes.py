"""The eyes' look and colours, and the surface of the skin."""

import bpy

from ..declarations import Operators, Panels
from ..rig.fixes import eyes_of
from ..rig.look import look_constraints, target_of
from ..rig.smooth import is_smooth
from ..scene.eye_material import CONTROLS, eye_control
from ..scene.heads import head_of, parts_of
from ..scene.material import SURFACE, WET, principled_socket
from .head import HeadPanel


class UVAPM_PT_eyes(HeadPanel, bpy.types.Panel):
    """Where the eyes look, and their colours."""

    bl_idname = Panels.EYES
    bl_label = "Eyes"
    bl_parent_id = Panels.HEAD
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """The target with its influence on each eye, then the material's values."""
        root, layout = head_of(context.active_object), self.layout
        layout.use_property_split = True
        if target_of(root) is None:
            layout.operator(Operators.ADD_LOOK_TARGET, icon="HIDE_OFF")
        else:
            column = layout.column(align=True)
            for side, constraint in sorted(look_constraints(root).items()):
                column.prop(constraint, "influence", text=f"Look at target {side[0]}", slider=True)
            layout.operator(Operators.REMOVE_LOOK_TARGET, icon="X")
        eye = next(iter(eyes_of(root).values()), None)
        if eye is None:
            return
        layout.operator(Operators.CLOSE_LIDS, icon="HIDE_ON")
        column = layout.column()
        for name in CONTROLS:
            socket = eye_control(eye.active_material, name)
            if socket is not None:
                column.prop(socket, "default_value", text=name)
        wet = principled_socket(eye.active_material, WET)
        if wet is not None:
            column.prop(wet, "default_value", text="Wet", slider=True)


class UVAPM_PT_surface(HeadPanel, bpy.types.Panel):
    """How the skin takes the light: values of the material."""

    bl_idname = Panels.SURFACE
    bl_label = "Surface"
    bl_parent_id = Panels.SKIN
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """The shader's sockets, then the modifier."""
        root, layout = head_of(context.active_object), self.layout
        layout.use_property_split = True
        parts = parts_of(root)
        column = layout.column()
        for name, text in SURFACE:
            socket = principled_socket(parts[0].active_material, name) if parts else None
            if socket is not None and not socket.is_linked:
                column.prop(socket, "default_value", text=text)
        layout.operator(Operators.SMOOTH_HEAD, icon="MOD_SUBSURF", depress=is_smooth(root))


CLASSES = (UVAPM_PT_eyes, UVAPM_PT_surface)
