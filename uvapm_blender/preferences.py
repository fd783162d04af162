"""What is kept in the preferences of the extension; `panels/preferences.py` shows it."""

import bpy

from ..engine.protocol.job import DEVICES
from . import ui_text
from .compat import BLEND_RELATIVE
from .declarations import BASE_PACKAGE
from .packs.shelf import DEFAULT_PACK

DEVICE_ITEMS = tuple((name.upper(), *ui_text.DEVICES[name]) for name in DEVICES)


class Settings:
    """Where the engine runs, where results go, what a head is made with. Mixed into the
    preferences that Blender knows."""

    engine_python: bpy.props.StringProperty(
        name="Engine Python",
        description="Python interpreter with PyTorch that runs the reconstruction. "
        "Empty: the extension's own environment",
        subtype="FILE_PATH",
        options=BLEND_RELATIVE,
    )
    torch_index: bpy.props.StringProperty(
        name="PyTorch Package Index",
        description="Address of one more package index, where the common one lacks PyTorch's "
        "build; the whole command on PyTorch's install page will do. Only what has the expected "
        "sha256 is taken from it",
    )
    device: bpy.props.EnumProperty(
        name="Device", description="What the engine computes on", items=DEVICE_ITEMS
    )
    results_folder: bpy.props.StringProperty(
        name="Results",
        description="Folder for results. Empty: a folder uvapm beside the saved .blend file",
        subtype="DIR_PATH",
        options=BLEND_RELATIVE,
    )
    idle_minutes: bpy.props.IntProperty(
        name="Close idle engine after",
        description="Minutes without a job after which the engine gives its memory back",
        default=10,
        min=1,
        soft_max=120,
    )
    head_pack: bpy.props.StringProperty(
        name="Head", description="Pack of the next head, by its id", default=DEFAULT_PACK
    )
    albedo_pack: bpy.props.StringProperty(
        name="Albedo", description="Pack of the next head's albedo model, by its id"
    )
    detail_pack: bpy.props.StringProperty(
        name="Detail", description="Pack of the next head's detail model, by its id"
    )


def preferences(context: bpy.types.Context) -> Settings:
    """The preferences of the enabled extension."""
    return context.preferences.addons[BASE_PACKAGE].preferences
