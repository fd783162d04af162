"""What a scene keeps about light and the pictures that are made of it."""

import bpy

from ..compat import BLEND_RELATIVE
from ..wear.properties import UVAPM_PG_wear

TURNS = (
    ("HEAD", "Head", "The head turns, light and camera stay"),
    ("CAMERA", "Camera", "The camera goes around, head and light stay"),
)
OUTPUTS = (
    ("VIDEO", "Video", "One file, H.264 in MPEG-4"),
    ("FRAMES", "Frames", "A folder of PNG files, transparent where the world is hidden"),
)


class UVAPM_PG_scene(bpy.types.PropertyGroup):
    """On the scene, saved with it."""

    wear: bpy.props.PointerProperty(type=UVAPM_PG_wear)

    suit_view: bpy.props.BoolProperty(
        name="Suit Render Settings",
        description=(
            "With another environment set what suits it: view transform Standard for the photo and "
            "the neutral studio, AgX with medium high contrast for others; ray tracing in EEVEE, "
            "without which it knows no shade inside the mouth and around the eyes"
        ),
        default=True,
    )
    turns: bpy.props.EnumProperty(
        name="Turns", description="What turns in a turntable", items=TURNS
    )
    output: bpy.props.EnumProperty(
        name="Output", description="What a turntable is written as", items=OUTPUTS
    )
    frames: bpy.props.IntProperty(
        name="Frames",
        description="Pictures in one turn",
        default=72,
        min=2,
        max=1000,
        soft_max=240,
    )
    seconds: bpy.props.FloatProperty(
        name="Seconds",
        description="How long one turn of the video takes",
        default=3.0,
        min=0.1,
        max=600.0,
        soft_max=30.0,
        subtype="TIME_ABSOLUTE",
    )
    size: bpy.props.IntProperty(
        name="Size",
        description="Width and height of a picture, and of each picture on the contact sheet",
        default=512,
        min=32,
        max=4096,
        step=2,
        subtype="PIXEL",
    )
    samples: bpy.props.IntProperty(
        name="Samples",
        description="Rays for each pixel in Cycles, samples in EEVEE",
        default=32,
        min=1,
        max=4096,
        soft_max=512,
    )
    angle: bpy.props.FloatProperty(
        name="View",
        description="From where the contact sheet looks: 0 from the front, positive towards the "
        "head's left",
        default=0.3490658504,  # 20 degrees
        min=-3.1415926536,
        max=3.1415926536,
        subtype="ANGLE",
    )
    folder: bpy.props.StringProperty(
        name="Folder",
        description="Where turntables and contact sheets go. Empty: where the heads are kept",
        subtype="DIR_PATH",
        options=BLEND_RELATIVE,
    )


CLASSES = (UVAPM_PG_scene,)
