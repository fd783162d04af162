"""What the session keeps about packs: the choice for the next head, and the import's fields."""

import bpy

from ...engine.protocol.head_kinds import KINDS
from .choice import choice_property

KIND_ITEMS = tuple((kind.name, kind.title, f"Give {kind.files}") for kind in KINDS)
SHAPE_ITEMS = (
    ("arkit", "ARKit", "The 52 shapes of ARKit"),
    ("both", "ARKit and Own", "The shapes of ARKit, and the model's own after them"),
)


def _forget_accepted(self: "UVAPM_PG_packs", context: bpy.types.Context) -> None:
    self.accepted = False


class UVAPM_PG_packs(bpy.types.PropertyGroup):
    """On the window manager: not saved; the choice itself is in the preferences."""

    head: choice_property("head", "Head", "Head model that the next reconstruction fits")
    albedo: choice_property("albedo", "Albedo", "Model of skin colours for the next reconstruction")
    detail: choice_property("detail", "Detail", "Model of fine detail for the next reconstruction")
    kind: bpy.props.EnumProperty(
        name="Model",
        description="What is imported",
        items=KIND_ITEMS,
        update=_forget_accepted,
        options={"SKIP_SAVE"},
    )
    accepted: bpy.props.BoolProperty(
        name="I know these terms and keep to them",
        description="Nothing is read before you accept the terms of the model's makers",
        options={"SKIP_SAVE"},
    )
    pack_name: bpy.props.StringProperty(
        name="Name",
        description="Of the pack: lower-case letters, digits, - and _. Empty: that of the model",
        options={"SKIP_SAVE"},
    )
    extra: bpy.props.StringProperty(
        name="Also",
        description="A further file or folder, where the model takes one",
        subtype="FILE_PATH",
        options={"SKIP_SAVE"},
    )
    expressions: bpy.props.EnumProperty(
        name="Expressions",
        description="Which expressions the head gets",
        items=SHAPE_ITEMS,
        options={"SKIP_SAVE"},
    )


CLASSES = (UVAPM_PG_packs,)
