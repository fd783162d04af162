"""What is saved on a head, and what the sidebar holds for the session."""

import bpy

from .compat import BLEND_RELATIVE
from .detail.properties import UVAPM_PG_detail
from .match.properties import UVAPM_PG_match
from .packs.properties import UVAPM_PG_packs
from .pins.properties import UVAPM_PG_pin
from .shape.properties import UVAPM_PG_shape, UVAPM_PG_shape_view
from .skin.properties import UVAPM_PG_skin, UVAPM_PG_skin_view
from .wear.properties import UVAPM_PG_worn

SCHEMA_VERSION = 2
"""Version of `HeadProperties` in saved files."""

ROLES = (
    ("NONE", "None", "Not part of a reconstructed head"),
    ("ROOT", "Head", "The empty that carries a reconstructed head"),
    ("SKIN", "Skin", "The mesh with the expression sliders"),
    ("PART", "Part", "A mesh of a reconstructed head"),
    ("CAMERA", "Camera", "The camera of the photo"),
    ("TARGET", "Look target", "What the eyes look at"),
)


LOCK_ITEMS = (
    ("identity", "Shape", "The shape of the head without expression"),
    ("expression", "Expression", "The expression, with the sliders as they are now"),
    ("pose", "Pose", "Where head and camera are"),
    ("albedo", "Albedo", "The coarse colours of the skin"),
    ("light", "Light", "The light of the photo"),
    ("detail", "Detail", "Wrinkles, brows and stubble, with the directions as they are now"),
    ("forehead", "Forehead", "Shape and texture of the forehead"),
    ("eyes", "Eyes", "Shape and texture around the eyes"),
    ("cheeks", "Cheeks, nose", "Shape and texture of cheeks and nose"),
    ("mouth_and_beard", "Mouth, beard", "Shape and texture of mouth, chin and jaw"),
)
"""What a refit can leave as it is (`protocol.job.LOCKS`): id, name, tooltip."""


class UVAPM_PG_head(bpy.types.PropertyGroup):
    """On every object of a head; all but `role` and `kind` (of meshes,
    as `scene.mesh.PLANS` has it) is filled on the root only."""

    schema_version: bpy.props.IntProperty(default=1, options={"HIDDEN"})
    role: bpy.props.EnumProperty(items=ROLES, default="NONE")
    kind: bpy.props.StringProperty(description="Of a mesh: skin, eye, ...", options={"HIDDEN"})
    result_folder: bpy.props.StringProperty(
        name="Result",
        description="Folder of the reconstruction",
        subtype="DIR_PATH",
        options=BLEND_RELATIVE,
    )
    photo: bpy.props.StringProperty(
        name="Photo",
        description="Photo that the head was made from",
        subtype="FILE_PATH",
        options=BLEND_RELATIVE,
    )
    recipe: bpy.props.StringProperty(
        name="Recipe",
        description="What the fit was asked for, to make the same head again (protocol/recipe.py)",
        options={"HIDDEN"},
    )
    pack: bpy.props.StringProperty(name="Head pack", description="Head model that was fitted")
    licences: bpy.props.StringProperty(
        name="Licences", description="Of the packs, one a line: licence, parts"
    )
    warnings: bpy.props.StringProperty(name="Warnings", description="One a line")
    metrics: bpy.props.StringProperty(name="Metrics", description="One a line: name, value")
    resolution: bpy.props.IntVectorProperty(name="Photo size", size=2, min=1, default=(1, 1))
    pixel_aspect: bpy.props.FloatVectorProperty(name="Pixel aspect", size=2, default=(1.0, 1.0))
    camera: bpy.props.PointerProperty(name="Photo camera", type=bpy.types.Object)
    world: bpy.props.PointerProperty(name="Photo light", type=bpy.types.World)
    locks: bpy.props.EnumProperty(
        name="Locks",
        description="What stays as it is when the head is fitted again",
        items=LOCK_ITEMS,
        options={"ENUM_FLAG"},
    )
    pins: bpy.props.CollectionProperty(
        name="Landmark pins",
        description="Points of the face that were put in their places in the photo",
        type=UVAPM_PG_pin,
    )
    detail: bpy.props.PointerProperty(name="Detail", type=UVAPM_PG_detail)
    skin: bpy.props.PointerProperty(name="Skin", type=UVAPM_PG_skin)
    shape: bpy.props.PointerProperty(name="Shape", type=UVAPM_PG_shape)
    match: bpy.props.PointerProperty(name="Match", type=UVAPM_PG_match)
    worn: bpy.props.PointerProperty(name="Worn", type=UVAPM_PG_worn)


class UVAPM_PG_session(bpy.types.PropertyGroup):
    """On the window manager: not saved, not undone."""

    photo: bpy.props.StringProperty(
        name="Photo",
        description="Photo with one clearly visible face",
        subtype="FILE_PATH",
        options={"SKIP_SAVE", *BLEND_RELATIVE},
    )
    packs: bpy.props.PointerProperty(type=UVAPM_PG_packs)
    shape: bpy.props.PointerProperty(type=UVAPM_PG_shape_view)
    skin: bpy.props.PointerProperty(type=UVAPM_PG_skin_view)
