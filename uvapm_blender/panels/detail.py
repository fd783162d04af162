"""Sliders of a head's detail."""

import bpy

from ...engine.protocol.detail_layers import BANDS
from ...engine.protocol.detail_regions import REGIONS
from ...engine.protocol.messages import SLIDER_DIRECTIONS
from .. import ui_text
from ..declarations import PROPERTY, Operators, Panels
from ..detail import live
from ..detail.cache import CACHE
from ..detail.values import key_of
from ..runtime import RUNTIME
from ..scene.heads import head_of, parts_of
from ..scene.material import SKIN_RELIEF, skin_relief_socket
from .head import HeadPanel
from .lines import columns_of, draw_lines


class _DetailPanel(HeadPanel):
    """Sliders that are grey while the head's result is not at hand."""

    bl_options = {"DEFAULT_CLOSED"}
    reset_group = "ALL"

    def draw_header_preset(self, context: bpy.types.Context) -> None:
        """The reset button."""
        reset = self.layout.operator(
            Operators.RESET_DETAIL, text="", icon="LOOP_BACK", emboss=False
        )
        reset.group = self.reset_group

    def column(self, context: bpy.types.Context, own: bool = True) -> bpy.types.UILayout:
        """A column for sliders. own: they need a detail that was fitted."""
        root = head_of(context.active_object)
        self.layout.use_property_split = True
        self.layout.use_property_decorate = False
        column = self.layout.column()
        usable = getattr(root, PROPERTY).detail.fitted or not own
        column.enabled = usable and key_of(root) not in CACHE.problems
        return column

    def sliders(self, context: bpy.types.Context, names: tuple[str, ...], own: bool = True) -> None:
        """One slider a name."""
        detail = getattr(head_of(context.active_object), PROPERTY).detail
        column = self.column(context, own)
        for name in names:
            column.prop(detail, name, slider=True)


class UVAPM_PT_detail(_DetailPanel, bpy.types.Panel):
    """Strength of all detail, and of the photo's own."""

    bl_idname = Panels.DETAIL
    bl_label = "Detail"
    bl_parent_id = Panels.HEAD

    def draw(self, context: bpy.types.Context) -> None:
        """What is wrong, then the sliders."""
        root = head_of(context.active_object)
        live.prepare(root)
        problem = CACHE.problems.get(key_of(root))
        if problem is not None:
            draw_lines(self.layout, ui_text.error_text(problem), columns_of(context), "ERROR")
            self.layout.operator(Operators.FIND_RESULT, icon="FILE_FOLDER")
        elif not getattr(root, PROPERTY).detail.fitted:
            draw_lines(self.layout, ui_text.NO_DETAIL, columns_of(context), "INFO")
        self.sliders(context, ("strength",))
        self.sliders(context, ("photo",), own=False)
        relief = skin_relief_socket(parts_of(root)[0].active_material)
        if relief is not None:  # a value of the material: it needs no result at hand
            column = self.layout.column()
            column.prop(relief, "default_value", text=SKIN_RELIEF)


class UVAPM_PT_bands(_DetailPanel, bpy.types.Panel):
    """Kinds of detail."""

    bl_idname = Panels.BANDS
    bl_label = "Kinds"
    bl_parent_id = Panels.DETAIL
    reset_group = "BANDS"

    def draw(self, context: bpy.types.Context) -> None:
        """The sliders."""
        self.sliders(context, BANDS)


class UVAPM_PT_regions(_DetailPanel, bpy.types.Panel):
    """Detail by regions."""

    bl_idname = Panels.REGIONS
    bl_label = "Regions"
    bl_parent_id = Panels.DETAIL
    reset_group = "REGIONS"

    def draw(self, context: bpy.types.Context) -> None:
        """The sliders."""
        self.sliders(context, REGIONS)


class UVAPM_PT_directions(_DetailPanel, bpy.types.Panel):
    """Other people's detail."""

    bl_idname = Panels.DIRECTIONS
    bl_label = "Directions"
    bl_parent_id = Panels.DETAIL
    reset_group = "DIRECTIONS"

    def draw(self, context: bpy.types.Context) -> None:
        """What the engine does, then the sliders."""
        root = head_of(context.active_object)
        session = RUNTIME.session
        if session.decoding.active:
            self.layout.label(text=ui_text.decoding(session.ready, session.busy), icon="SORTTIME")
        elif CACHE.error is not None:
            draw_lines(self.layout, ui_text.error_text(CACHE.error), columns_of(context), "ERROR")
            if CACHE.error.code in ui_text.ENGINE_MISSING:
                self.layout.operator(Operators.CHOOSE_ENGINE, icon="PREFERENCES")
        column = self.column(context)
        detail = getattr(root, PROPERTY).detail
        for index in range(SLIDER_DIRECTIONS):
            column.prop(
                detail, "directions", index=index, text=f"Direction {index + 1}", slider=True
            )
