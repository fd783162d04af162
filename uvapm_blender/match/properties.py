"""What is compared with the photo, saved on a head's root."""

import bpy

from . import overlay, views, wipe

PHOTO_ITEMS = (
    ("BEHIND", "Behind", "The photo behind the head"),
    ("FRONT", "In front", "The photo in front of the head"),
    ("HIDDEN", "Hidden", "No photo"),
)


def _overlay_changed(self: "UVAPM_PG_match", context: bpy.types.Context) -> None:
    overlay.refresh(self.id_data)


def _view_changed(self: "UVAPM_PG_match", context: bpy.types.Context) -> None:
    views.refresh(self.id_data)


def _wipe_changed(self: "UVAPM_PG_match", context: bpy.types.Context) -> None:
    wipe.redraw_views(context)


class UVAPM_PG_match(bpy.types.PropertyGroup):
    """problem: why a picture cannot be shown, for the panel."""

    photo: bpy.props.EnumProperty(
        name="Photo",
        description="Where the photo lies when you look through the photo's camera",
        items=PHOTO_ITEMS,
        default="BEHIND",
        update=_overlay_changed,
    )
    opacity: bpy.props.FloatProperty(
        name="Opacity",
        description="Opacity of the photo",
        default=0.5,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
        update=_overlay_changed,
    )
    residual: bpy.props.BoolProperty(
        name="Differences",
        description="Heat map over the face, through the photo's camera: dark where the head looks "
        "like the photo, bright where it does not",
        update=_overlay_changed,
    )
    wipe: bpy.props.BoolProperty(
        name="Wipe",
        description="Through the photo's camera, show the photo on the left and the head on the "
        "right of a line",
        update=_wipe_changed,
    )
    wipe_at: bpy.props.FloatProperty(
        name="Line",
        description="Where the line between photo and head lies, in widths of the picture",
        default=0.5,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
        update=_wipe_changed,
    )
    view: bpy.props.EnumProperty(
        name="Show",
        description="What the skin shows",
        items=views.VIEW_ITEMS,
        default="SKIN",
        update=_view_changed,
    )
    problem: bpy.props.StringProperty(options={"HIDDEN"})
