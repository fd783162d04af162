"""Operators that change the light of a head."""

from pathlib import Path

import bpy

from ...engine.protocol.errors import EngineError
from .. import ui_text
from ..declarations import PROPERTY, Operators
from ..relight.environments import EXTENSIONS, Environment, environment_of, environments
from ..relight.worlds import light, suit
from ..scene.heads import head_of
from .head import poll_head

_ITEMS: list[tuple[str, str, str, int]] = []
"""Blender needs the strings of a dynamic list to live on."""


def _items(
    operator: bpy.types.Operator, context: bpy.types.Context
) -> list[tuple[str, str, str, int]]:
    """One item an environment: its id, label, tooltip."""
    _ITEMS[:] = [
        (each.id, each.label, f"Light the scene with: {each.label}", number)
        for number, each in enumerate(environments())
    ]
    return _ITEMS


class _LightOperator:
    """Lights the scene and shows it. Mixed into operators."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a head."""
        return poll_head(cls, context)

    def _light(self, context: bpy.types.Context, environment: Environment) -> set[str]:
        root, scene = head_of(context.active_object), context.scene
        try:
            light(scene, root, environment)
        except EngineError as error:
            self.report({"ERROR"}, ui_text.error_text(error))
            return {"CANCELLED"}
        if getattr(scene, PROPERTY).suit_view:
            suit(scene, environment.view)
        _show(context)
        return {"FINISHED"}


class UVAPM_OT_light(_LightOperator, bpy.types.Operator):
    """Light the scene with this environment. Its strength and rotation stay as they were when it
    was used last"""

    bl_idname = Operators.LIGHT
    bl_label = "Light With"
    bl_options = {"UNDO"}
    bl_property = "environment"

    environment: bpy.props.EnumProperty(
        name="Environment",
        description="What lights the head",
        items=_items,
        options={"SKIP_SAVE"},
    )

    @classmethod
    def description(
        cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties
    ) -> str:
        """Says which."""
        return ui_text.light_with(environment_of(properties.environment).label)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """From a menu or key: ask which."""
        if self.properties.is_property_set("environment"):
            return self.execute(context)
        context.window_manager.invoke_search_popup(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Light the scene."""
        return self._light(context, environment_of(self.environment))


class UVAPM_OT_light_file(_LightOperator, bpy.types.Operator):
    """Light the scene with a picture of all around, .hdr or .exr"""

    bl_idname = Operators.LIGHT_FILE
    bl_label = "Open HDRI"
    bl_options = {"UNDO"}

    filepath: bpy.props.StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_glob: bpy.props.StringProperty(
        default=";".join(f"*{each}" for each in EXTENSIONS), options={"HIDDEN"}
    )
    filter_image: bpy.props.BoolProperty(default=True, options={"HIDDEN"})
    filter_folder: bpy.props.BoolProperty(default=True, options={"HIDDEN"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask for the file."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Light the scene."""
        path = Path(bpy.path.abspath(self.filepath))
        if path.suffix.lower() not in EXTENSIONS:
            self.report({"ERROR"}, ui_text.NO_HDRI)
            return {"CANCELLED"}
        return self._light(context, environment_of(str(path)))


def _show(context: bpy.types.Context) -> None:
    """Let the viewport of the click show the scene's light. Not undone by undo."""
    space = context.space_data
    if space is None or space.type != "VIEW_3D":
        return
    if space.shading.type in {"SOLID", "WIREFRAME"}:
        space.shading.type = "MATERIAL"
    space.shading.use_scene_world = True
    space.shading.use_scene_world_render = True


CLASSES = (UVAPM_OT_light, UVAPM_OT_light_file)
