"""Export of the chosen head."""

from dataclasses import fields
from pathlib import Path

import bpy
from bpy_extras.io_utils import ExportHelper

from ...engine.protocol.errors import EngineError
from .. import ui_text
from ..declarations import Operators
from ..export.head import export_head
from ..export.settings import BESIDE, PRESETS, TEXTURE_SIZES, WITH_KEYS, ExportSettings, Format
from ..scene.heads import head_of
from .head import poll_still_head

FORMAT_ITEMS = (
    ("FBX", "FBX", "For game engines and other 3D programs"),
    ("GLB", "GLB", "glTF in one file, for the web and game engines"),
    ("GLTF", "glTF", "glTF with its data and textures beside it"),
    ("OBJ", "OBJ", "The shape as it is now, without expressions"),
    ("USD", "USD", "For film pipelines, with textures beside it"),
    ("USDZ", "USDZ", "USD in one file, for Apple devices"),
)
FORMAT_LABELS = {name: label for name, label, _ in FORMAT_ITEMS}
CUSTOM = "CUSTOM"
PRESET_ITEMS = (
    (CUSTOM, "Custom", "As chosen below"),
    *((name, preset.label, preset.tooltip) for name, preset in PRESETS.items()),
)
SIZE_ITEMS = (
    ("0", "As they are", "No picture is resized"),
    *((str(size), str(size), f"{size} pixels a side") for size in TEXTURE_SIZES[1:]),
)
KEY_ITEMS = (
    ("ALL", "All", "Every expression of the head"),
    ("ESSENTIAL", "Essential", "What speech, blinking, looking and plain moods need"),
    ("NONE", "None", "The head as it is, without sliders"),
)
LEVEL_ITEMS = (
    ("1", "1", "The full mesh"),
    ("2", "2", "The full mesh and a quarter of its faces"),
    ("3", "3", "The full mesh, a quarter and a fourteenth of its faces"),
)


def take_preset(choices: bpy.types.OperatorProperties) -> None:
    """Show the preset's choices, so that they can be changed one by one. `choices`: of the
    operator below; Blender's update functions get its properties, not the operator."""
    if choices.preset == CUSTOM:
        return
    preset = PRESETS[choices.preset]
    choices.format = preset.format.name
    for each in fields(ExportSettings):
        value = getattr(preset.settings, each.name)
        setattr(choices, each.name, str(value) if each.name in ("texture_size", "lods") else value)


class UVAPM_OT_export_head(bpy.types.Operator, ExportHelper):
    """Write this head with its textures and expressions for other programs"""

    bl_idname = Operators.EXPORT_HEAD
    bl_label = "Export Head"

    filename_ext = ""
    check_extension = None
    filter_glob: bpy.props.StringProperty(
        default=";".join(f"*{each.value}" for each in Format), options={"HIDDEN"}
    )
    preset: bpy.props.EnumProperty(
        name="Preset",
        description="Format and choices that suit a purpose",
        items=PRESET_ITEMS,
        update=lambda choices, context: take_preset(choices),
        options={"SKIP_SAVE"},
    )
    format: bpy.props.EnumProperty(name="Format", items=FORMAT_ITEMS, options={"SKIP_SAVE"})
    texture_size: bpy.props.EnumProperty(
        name="Texture Size",
        description="Longest side of the skin's textures; the others are never enlarged",
        items=SIZE_ITEMS,
    )
    textures_inside: bpy.props.BoolProperty(
        name="Textures Inside",
        description="Pack the textures into the FBX file instead of a folder beside it",
        default=True,
    )
    jpeg: bpy.props.BoolProperty(
        name="JPEG", description="Smaller textures with a small loss; transparent ones stay PNG"
    )
    lods: bpy.props.EnumProperty(
        name="Levels of Detail",
        description="Meshes with fewer faces for heads that are far away",
        items=LEVEL_ITEMS,
    )
    keys: bpy.props.EnumProperty(
        name="Expressions", description="Which expressions are written", items=KEY_ITEMS
    )
    neutral: bpy.props.BoolProperty(
        name="Neutral", description="All expressions at zero and the eyes straight, else as now"
    )
    joined: bpy.props.BoolProperty(
        name="One Mesh", description="Skin, eyes, teeth, tongue and lashes as one mesh"
    )
    skeleton: bpy.props.BoolProperty(
        name="Skeleton", description="Bones for the head and both eyes, with the mesh bound to them"
    )
    directx: bpy.props.BoolProperty(
        name="DirectX Normals", description="Normal map with green downwards, as Unreal reads it"
    )
    mask_map: bpy.props.BoolProperty(
        name="Mask Map", description="One more texture with smoothness in alpha, as Unity reads it"
    )
    lod_group: bpy.props.BoolProperty(
        name="LOD Group", description="Levels of detail under one LodGroup node, as Unreal reads it"
    )
    centimetres: bpy.props.BoolProperty(
        name="Centimetres", description="FBX in centimetres, else in metres"
    )
    still: bpy.props.FloatProperty(
        name="Smallest Move",
        description="Vertices that an expression moves less than this stay still: smaller files",
        subtype="DISTANCE",
        min=0.0,
        max=0.001,
        precision=5,
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a head, and Object Mode."""
        return poll_still_head(cls, context)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask for a file name; the head's name is proposed."""
        take_preset(self)
        folder = Path(bpy.data.filepath).parent if bpy.data.filepath else Path.home()
        name = head_of(context.active_object).name
        self.filepath = str(folder / f"{name}{self._format().value}")
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def check(self, context: bpy.types.Context) -> bool:
        """The file name follows the chosen format."""
        path = self._path()
        changed = str(path) != self.filepath
        self.filepath = str(path)
        return changed

    def draw(self, context: bpy.types.Context) -> None:
        """Choices beside the file browser; what a format has no use for is grey."""
        layout, kind = self.layout, self._format()
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.prop(self, "preset")
        layout.prop(self, "format")
        box = layout.column(heading="Textures")
        box.prop(self, "texture_size")
        self._draw(box, "textures_inside", kind == Format.FBX)
        box.prop(self, "jpeg")
        box.prop(self, "directx")
        self._draw(box, "mask_map", kind == Format.FBX or kind in BESIDE)
        box = layout.column(heading="Mesh")
        box.prop(self, "lods")
        box.prop(self, "joined")
        self._draw(box, "lod_group", kind == Format.FBX and self.lods != "1")
        self._draw(box, "centimetres", kind == Format.FBX)
        box = layout.column(heading="Animation")
        self._draw(box, "keys", kind in WITH_KEYS)
        box.prop(self, "neutral")
        self._draw(box, "skeleton", kind in WITH_KEYS)
        self._draw(box, "still", kind in WITH_KEYS)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Write. Blender stands still for some seconds; the pointer shows how far it is."""
        root, manager = head_of(context.active_object), context.window_manager
        path = Path(bpy.path.abspath(str(self._path())))
        manager.progress_begin(0.0, 1.0)
        try:
            written = export_head(root, path, context, self._settings(), manager.progress_update)
        except EngineError as error:
            self.report({"ERROR"}, ui_text.error_text(error))
            return {"CANCELLED"}
        finally:
            manager.progress_end()
        more = f" and {len(written) - 1} more" if len(written) > 1 else ""
        self.report({"INFO"}, f"{path.name}{more} written")
        return {"FINISHED"}

    def _draw(self, layout: bpy.types.UILayout, name: str, useful: bool) -> None:
        row = layout.row()
        row.enabled = useful
        row.prop(self, name)

    def _settings(self) -> ExportSettings:
        """A script that names a preset gets it, with what it sets itself besides."""
        values = {each.name: getattr(self, each.name) for each in fields(ExportSettings)}
        if self.preset != CUSTOM:
            given = self.properties.is_property_set
            preset = PRESETS[self.preset].settings
            values = {
                name: value if given(name) else getattr(preset, name)
                for name, value in values.items()
            }
        for name in ("texture_size", "lods"):
            values[name] = int(values[name])
        return ExportSettings(**values)

    def _format(self) -> Format:
        """What was chosen; else the preset's; else what the file name says."""
        suffix = Path(self.filepath).suffix.lower()
        if self.properties.is_property_set("format"):
            return Format[self.format]
        if self.preset != CUSTOM:
            return PRESETS[self.preset].format
        return next((each for each in Format if each.value == suffix), Format[self.format])

    def _path(self) -> Path:
        path, extension = Path(self.filepath), self._format().value
        known = path.suffix.lower() in {each.value for each in Format}
        return path.with_suffix(extension) if known else Path(f"{path}{extension}")
