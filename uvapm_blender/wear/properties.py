"""What a scene keeps about *Wear it*, and what an object wears."""

import bpy

from ...engine.protocol.job import TEXTURE_SIZES

SIZE_ITEMS = tuple(
    (str(size), f"{size} x {size}", "Texels of each texture") for size in TEXTURE_SIZES
)
DEFAULT_SIZE = "2048"


class UVAPM_PG_wear(bpy.types.PropertyGroup):
    """On the scene, saved with it."""

    maps: bpy.props.BoolProperty(
        name="Textures",
        description="Bake colour, relief and roughness to the UV map of the mesh, as a material",
        default=True,
    )
    shapes: bpy.props.BoolProperty(
        name="Expressions",
        description="Add the head's expressions as shape keys, and one with the person's likeness",
        default=True,
    )
    likeness: bpy.props.FloatProperty(
        name="Likeness",
        description="How much of the person's shape the mesh takes on: 0 keeps its own. It is a "
        "shape key, to be changed at any time",
        default=0.0,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
    )
    size: bpy.props.EnumProperty(
        name="Size", description="Of the textures", items=SIZE_ITEMS, default=DEFAULT_SIZE
    )


class UVAPM_PG_worn(bpy.types.PropertyGroup):
    """On an object that wears a head. keys: names of the shape keys that came with it, one a line;
    quality: how well the mesh corresponds, in words, one a line."""

    head: bpy.props.StringProperty(name="Head", description="What the mesh wears")
    keys: bpy.props.StringProperty(options={"HIDDEN"})
    quality: bpy.props.StringProperty(options={"HIDDEN"})
    material: bpy.props.PointerProperty(type=bpy.types.Material, options={"HIDDEN"})


CLASSES = (UVAPM_PG_wear, UVAPM_PG_worn)
