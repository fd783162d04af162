"""Preferences of the extension."""

import bpy

from ..engine.protocol.job import DEVICES
from . import ui_text
from .compat import BLEND_RELATIVE
from .declarations import BASE_PACKAGE

DEVICE_ITEMS = tuple((name.upper(), *ui_text.DEVICES[name]) for name in DEVICES)


class UVAPM_AP_preferences(bpy.types.AddonPreferences):
    """Where the engine runs and where results go."""

    bl_idname = BASE_PACKAGE

    engine_python: bpy.props.StringProperty(
        name="Engine Python",
        description="Python interpreter with PyTorch that runs the reconstruction. "
        "Empty: the extension's own environment",
        subtype="FILE_PATH",
        options=BLEND_RELATIVE,
    )
    device: bpy.props.EnumProperty(
        name="Device", description="What the engine computes on", items=DEVICE_ITEMS
    )
    results_folder: bpy.props.StringProperty(
        name="Results",
        description="Folder for results. Empty: a folder uvapm beside the saved .blend file",
        subtype="DIR_PATH",
        options=BLEND_RELATIVE,
    )
    idle_minutes: bpy.props.IntProperty(
        name="Close idle engine after",
        description="Minutes without a job after which the engine gives its memory back",
        default=10,
        min=1,
        soft_max=120,
    )

    def draw(self, context: bpy.types.Context) -> None:
        """The preferences' page."""
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        for name in ("engine_python", "device", "results_folder", "idle_minutes"):
            layout.prop(self, name)


def preferences(context: bpy.types.Context) -> UVAPM_AP_preferences:
    """The preferences of the enabled extension."""
    return context.preferences.addons[BASE_PACKAGE].preferences
