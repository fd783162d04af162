"""Light of the selected head."""

import bpy

from .. import ui_text
from ..declarations import PROPERTY, Operators, Panels
from ..relight.environments import PHOTO, Environment, environments
from ..relight.previews import icon_of
from ..relight.run import DARKROOM
from ..relight.worlds import shows
from ..scene.environment import controls_of, picture_of
from ..scene.heads import head_of
from .head import HeadPanel

TILE = 2.8
"""Size of a tile's picture, in rows of text."""
TILE_WIDTH = 85
"""Pixels of a tile at scale 1, by eye."""


class UVAPM_PT_light(HeadPanel, bpy.types.Panel):
    """Environments as tiles, and what can be done with the present one."""

    bl_idname = Panels.LIGHT
    bl_label = "Light"
    bl_parent_id = Panels.HEAD
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """The tiles, then rotation, strength, background."""
        root, scene, layout = head_of(context.active_object), context.scene, self.layout
        columns = max(
            2, int(context.region.width / context.preferences.system.ui_scale) // TILE_WIDTH
        )
        grid = layout.grid_flow(
            row_major=True, columns=columns, even_columns=True, even_rows=True, align=True
        )
        tiles = environments()
        for tile in tiles:
            _draw_tile(grid.column(align=True), scene, root, tile)
        layout.operator(Operators.LIGHT_FILE, icon="FILE_FOLDER")
        picture = picture_of(scene.world)
        if picture is not None and not any(shows(scene, root, tile) for tile in tiles):
            layout.label(text=picture.image.name if picture.image else "", icon="IMAGE_DATA")
        layout.use_property_split = True
        column = layout.column()
        controls = controls_of(scene.world)
        if controls.rotation is not None:
            column.prop(controls.rotation, "default_value", index=2, text="Rotation")
        if controls.strength is not None:
            column.prop(controls.strength, "default_value", text="Strength")
        column = layout.column()
        column.use_property_decorate = False
        column.prop(scene.render, "film_transparent", text="Show Behind", invert_checkbox=True)
        column.prop(getattr(scene, PROPERTY), "suit_view")


def _draw_tile(
    column: bpy.types.UILayout,
    scene: bpy.types.Scene,
    root: bpy.types.Object,
    environment: Environment,
) -> None:
    column.template_icon(_icon(column, root, environment), scale=TILE)
    button = column.operator(
        Operators.LIGHT, text=environment.label, depress=shows(scene, root, environment)
    )
    button.environment = environment.id


def _icon(layout: bpy.types.UILayout, root: bpy.types.Object, environment: Environment) -> int:
    """The photo's own picture stands for its light."""
    if environment.id != PHOTO:
        return icon_of(environment.id)
    camera = getattr(root, PROPERTY).camera
    pictures = camera.data.background_images if camera is not None else ()
    image = next((each.image for each in pictures if each.image), None)
    return 0 if image is None else layout.icon(image)


class UVAPM_PT_pictures(HeadPanel, bpy.types.Panel):
    """Turntable and contact sheet."""

    bl_idname = Panels.PICTURES
    bl_label = "Pictures"
    bl_parent_id = Panels.LIGHT
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """The wishes, then the two buttons, or how far it is."""
        layout, wish = self.layout, getattr(context.scene, PROPERTY)
        run = DARKROOM.run
        if run is not None:
            row = layout.row(align=True)
            text = ui_text.taking(run.label, run.done, run.steps)
            row.progress(factor=run.done / run.steps, type="BAR", text=text)
            row.operator(Operators.STOP_PICTURES, text="", icon="X")
        layout.use_property_split = True
        layout.use_property_decorate = False
        column = layout.column()
        column.enabled = run is None
        for name in ("size", "samples", "folder"):
            column.prop(wish, name)
        column.separator()
        for name in ("turns", "output", "frames"):
            column.prop(wish, name)
        if wish.output == "VIDEO":
            column.prop(wish, "seconds")
        column.operator(Operators.TURNTABLE, icon="RENDER_ANIMATION")
        column.separator()
        column.prop(wish, "angle")
        column.operator(Operators.CONTACT_SHEET, icon="RENDERLAYERS")


CLASSES = (UVAPM_PT_light, UVAPM_PT_pictures)
