"""The skin's sliders, saved on a head's root."""

import bpy

from ...engine.protocol.edits import MAX_SIGMAS
from ..detail import live
from ..sliders import SOFT_VALUE, lock_property

MAX_TONE, SOFT_LIGHT, SOFT_TINT = 60.0, 20.0, 6.0
"""CIELAB units. Twice the deviation among people, which is 10 of L* and 3 of a* and b* in the
default model."""
CHANNELS = (
    ("ALL", "All", "Whole colours: directions in which people's skins differ"),
    ("R", "R", "Components of the red channel"),
    ("G", "G", "Components of the green channel"),
    ("B", "B", "Components of the blue channel"),
)


def _changed(self: bpy.types.PropertyGroup, context: bpy.types.Context) -> None:
    live.refresh(self.id_data)


def _tone(name: str, description: str, soft: float) -> bpy.types.Property:
    return bpy.props.FloatProperty(
        name=name,
        description=description,
        min=-MAX_TONE,
        max=MAX_TONE,
        soft_min=-soft,
        soft_max=soft,
        precision=1,
        update=_changed,
    )


class UVAPM_PG_albedo_value(bpy.types.PropertyGroup):
    """A component of one channel. fitted: as the photo has it."""

    value: bpy.props.FloatProperty(
        name="Value",
        description="Standard deviations from the average skin. 95 % of people lie within 2",
        min=-MAX_SIGMAS,
        max=MAX_SIGMAS,
        soft_min=-SOFT_VALUE,
        soft_max=SOFT_VALUE,
        update=_changed,
    )
    fitted: bpy.props.FloatProperty(options={"HIDDEN"})
    locked: lock_property()


class UVAPM_PG_albedo_direction(bpy.types.PropertyGroup):
    """A direction of whole colours, beside the components."""

    value: bpy.props.FloatProperty(
        name="Value",
        description="Standard deviations away from the fitted skin, in all channels at once",
        min=-MAX_SIGMAS,
        max=MAX_SIGMAS,
        soft_min=-SOFT_VALUE,
        soft_max=SOFT_VALUE,
        update=_changed,
    )
    locked: lock_property()


class UVAPM_PG_skin(bpy.types.PropertyGroup):
    """components: of R, then G, then B. normal, roughness: images that the detail sliders write.

    pack, pack_sha256: of the albedo model's pack; model_sha256: of its file, "" when unknown.
    """

    lighter: _tone(
        "Lighter", "L* of the skin colour: the skin as lighter or darker people have it", SOFT_LIGHT
    )
    redder: _tone("Redder", "a* of the skin colour: more blood, or less", SOFT_TINT)
    yellower: _tone("Yellower", "b* of the skin colour: warmer or cooler", SOFT_TINT)
    even: bpy.props.FloatProperty(
        name="Even out",
        description="Takes away what is uneven in the coarse colours: at 1 they are those that "
        "people of this skin colour have on average. Detail and photo detail stay",
        min=0.0,
        max=1.0,
        subtype="FACTOR",
        update=_changed,
    )
    components: bpy.props.CollectionProperty(type=UVAPM_PG_albedo_value)
    directions: bpy.props.CollectionProperty(type=UVAPM_PG_albedo_direction)
    normal: bpy.props.PointerProperty(name="Normal", type=bpy.types.Image)
    roughness: bpy.props.PointerProperty(name="Roughness", type=bpy.types.Image)
    pack: bpy.props.StringProperty(options={"HIDDEN"})
    pack_sha256: bpy.props.StringProperty(options={"HIDDEN"})
    model_sha256: bpy.props.StringProperty(options={"HIDDEN"})


class UVAPM_PG_skin_view(bpy.types.PropertyGroup):
    """What the panel shows, for the session."""

    channel: bpy.props.EnumProperty(
        name="Channel", description="Which components are shown", items=CHANNELS,
        options={"SKIP_SAVE"},
    )  # fmt: skip
    search: bpy.props.StringProperty(
        name="Search", description="Show components whose name holds these words",
        options={"SKIP_SAVE", "TEXTEDIT_UPDATE"},
    )  # fmt: skip
    everything: bpy.props.BoolProperty(
        name="Show All", description="Show all components, also the small ones",
        options={"SKIP_SAVE"},
    )  # fmt: skip


CLASSES = (
    UVAPM_PG_albedo_value,
    UVAPM_PG_albedo_direction,
    UVAPM_PG_skin,
    UVAPM_PG_skin_view,
)
