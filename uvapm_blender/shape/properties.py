"""The shape of a head, saved on its root: one component a slider, and what was fitted."""

import bpy

from ...engine.protocol.messages import MAX_OFFSET
from ..sliders import SOFT_VALUE, lock_property
from . import mirror
from .apply import apply_identity


def _changed(self: "UVAPM_PG_component", context: bpy.types.Context) -> None:
    apply_identity(self.id_data)


def _linked(self: "UVAPM_PG_shape", context: bpy.types.Context) -> None:
    mirror.remember(self.id_data)


class UVAPM_PG_component(bpy.types.PropertyGroup):
    """A component of the identity. fitted: as the photo has it; applied: as the meshes have it."""

    value: bpy.props.FloatProperty(
        name="Value",
        description="Standard deviations from the average head. 95 % of people lie within 2",
        min=-MAX_OFFSET,
        max=MAX_OFFSET,
        soft_min=-SOFT_VALUE,
        soft_max=SOFT_VALUE,
        update=_changed,
    )
    fitted: bpy.props.FloatProperty(options={"HIDDEN"})
    applied: bpy.props.FloatProperty(options={"HIDDEN"})
    locked: lock_property()


class UVAPM_PG_expression(bpy.types.PropertyGroup):
    """An expression of the head, by the name of its shape key, which has the value."""

    fitted: bpy.props.FloatProperty(options={"HIDDEN"})
    locked: lock_property()


class UVAPM_PG_shape(bpy.types.PropertyGroup):
    """pack, pack_sha256: of the head pack; model_sha256: of its head file, "" when unknown."""

    components: bpy.props.CollectionProperty(type=UVAPM_PG_component)
    expressions: bpy.props.CollectionProperty(type=UVAPM_PG_expression)
    symmetric: bpy.props.BoolProperty(
        name="Symmetric",
        description="Left and right move together; both eyes look the same way",
        update=_linked,
    )
    pack: bpy.props.StringProperty(options={"HIDDEN"})
    pack_sha256: bpy.props.StringProperty(options={"HIDDEN"})
    model_sha256: bpy.props.StringProperty(options={"HIDDEN"})


class UVAPM_PG_shape_view(bpy.types.PropertyGroup):
    """What the panels show, for the session."""

    search: bpy.props.StringProperty(
        name="Search", description="Show components whose name holds these words",
        options={"SKIP_SAVE", "TEXTEDIT_UPDATE"},
    )  # fmt: skip
    everything: bpy.props.BoolProperty(
        name="Show All", description="Show all components, also the small ones",
        options={"SKIP_SAVE"},
    )  # fmt: skip
    search_expression: bpy.props.StringProperty(
        name="Search", description="Show expressions whose name holds these words",
        options={"SKIP_SAVE", "TEXTEDIT_UPDATE"},
    )  # fmt: skip
    locks: bpy.props.BoolProperty(
        name="Locks",
        description="Show a lock beside each expression",
        options={"SKIP_SAVE"},
    )


CLASSES = (UVAPM_PG_component, UVAPM_PG_expression, UVAPM_PG_shape, UVAPM_PG_shape_view)
