"""What is saved of a pin."""

import bpy

from ...engine.protocol.landmarks68 import LANDMARK_NAMES


class UVAPM_PG_pin(bpy.types.PropertyGroup):
    """One point of the face and its place in the photo, as `protocol.landmarks68.Pin`."""

    index: bpy.props.IntProperty(name="Point", min=0, max=len(LANDMARK_NAMES) - 1)
    x: bpy.props.FloatProperty(name="X", description="Pixels from the photo's left edge")
    y: bpy.props.FloatProperty(name="Y", description="Pixels from the photo's top edge")


CLASSES = (UVAPM_PG_pin,)
"""To be registered before the head's properties."""
