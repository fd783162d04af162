"""Panels of the photo's camera and of the fit's report."""

import bpy

from ..declarations import PROPERTY, Operators, Panels
from ..match.report import parse_metrics, sentences
from ..match.views import LEGEND
from ..scene.heads import head_of
from .head import HeadPanel
from .lines import columns_of, draw_lines

LEGEND_ICONS = ("SEQUENCE_COLOR_04", "SEQUENCE_COLOR_05", "SEQUENCE_COLOR_02")
"""Green, blue and orange."""


class UVAPM_PT_camera(HeadPanel, bpy.types.Panel):
    """Compare the head with its photo."""

    bl_idname = Panels.CAMERA
    bl_label = "Camera"
    bl_parent_id = Panels.HEAD
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """Photo, wipe, differences, what the skin shows."""
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        match = getattr(head_of(context.active_object), PROPERTY).match
        layout.operator(Operators.SHOW_PHOTO, icon="CAMERA_DATA")
        layout.row().prop(match, "photo", expand=True)
        column = layout.column()
        column.enabled = match.photo != "HIDDEN"
        column.prop(match, "opacity", slider=True)
        row = layout.row(heading="Wipe")
        row.prop(match, "wipe", text="")
        line = row.row()
        line.enabled = match.wipe
        line.prop(match, "wipe_at", text="", slider=True)
        layout.prop(match, "residual")
        layout.prop(match, "view")
        if match.view == "ORIGIN":
            row = layout.row()
            for (words, _), icon in zip(LEGEND, LEGEND_ICONS, strict=True):
                row.label(text=words, icon=icon)
        if match.problem:
            draw_lines(layout, match.problem, columns_of(context), "ERROR")


class UVAPM_PT_report(HeadPanel, bpy.types.Panel):
    """How the reconstruction went."""

    bl_idname = Panels.REPORT
    bl_label = "Report"
    bl_parent_id = Panels.HEAD
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """Warnings, figures, pack, folder."""
        layout = self.layout
        head = getattr(head_of(context.active_object), PROPERTY)
        for warning in head.warnings.splitlines():
            draw_lines(layout, warning, columns_of(context), "ERROR")
        for line in sentences(parse_metrics(head.metrics)):
            draw_lines(layout, line, columns_of(context), "DOT")
        layout.label(text=f"Head pack: {head.pack}")
        for line in head.licences.splitlines():
            draw_lines(layout, line, columns_of(context), "COPY_ID")
        column = layout.column()
        column.enabled = False
        column.prop(head, "result_folder", text="")


CLASSES = (UVAPM_PT_camera, UVAPM_PT_report)
