"""The page of the extension in Blender's preferences."""

import bpy

from ..declarations import BASE_PACKAGE
from ..preferences import Settings
from .engine import draw_engine
from .packs import draw_packs


class UVAPM_AP_preferences(Settings, bpy.types.AddonPreferences):
    """The engine and its results, then the packs."""

    bl_idname = BASE_PACKAGE

    def draw(self, context: bpy.types.Context) -> None:
        """The page."""
        layout = self.layout
        draw_engine(layout, context)
        column = layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        for name in ("engine_python", "device", "results_folder", "idle_minutes"):
            column.prop(self, name)
        draw_packs(layout, context)


CLASSES = (UVAPM_AP_preferences,)
