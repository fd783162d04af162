"""Blender's own exporters, called with what a head needs."""

from collections.abc import Callable, Sequence
from pathlib import Path

import bpy

from .settings import ExportSettings, Format


def _fbx(path: Path, settings: ExportSettings) -> None:
    """Axes and units are in the geometry already (stage.py); the header only says them.

    Scale option "units": header 100 (metres). "none" at 0.01: header 1 (centimetres).
    """
    bpy.ops.export_scene.fbx(
        filepath=str(path),
        use_selection=True,
        object_types={"EMPTY", "MESH", "ARMATURE"},
        use_space_transform=False,
        axis_forward="-Z",
        axis_up="Y",
        apply_unit_scale=False,
        apply_scale_options="FBX_SCALE_NONE" if settings.centimetres else "FBX_SCALE_UNITS",
        global_scale=0.01 if settings.centimetres else 1.0,
        use_mesh_modifiers=False,  # modifiers would drop the shape keys
        mesh_smooth_type="FACE",
        use_tspace=True,
        use_custom_props=False,
        add_leaf_bones=False,
        path_mode="COPY" if settings.textures_inside else "RELATIVE",
        embed_textures=settings.textures_inside,
        bake_anim=False,
    )


def _gltf(path: Path, settings: ExportSettings) -> None:
    separate = path.suffix == Format.GLTF
    bpy.ops.export_scene.gltf(
        filepath=str(path),
        export_format="GLTF_SEPARATE" if separate else "GLB",
        export_texture_dir=textures_folder(path).name if separate else "",
        export_image_format="AUTO",
        use_selection=True,
        export_morph=True,
        export_morph_normal=settings.still == 0.0,
        export_tangents=True,
        export_animations=False,
        export_skins=settings.skeleton,
        export_cameras=False,
        export_lights=False,
        export_extras=False,
    )


def _obj(path: Path, settings: ExportSettings) -> None:
    bpy.ops.wm.obj_export(
        filepath=str(path),
        export_selected_objects=True,
        export_uv=True,
        export_normals=True,
        export_materials=True,
        export_pbr_extensions=True,
        path_mode="RELATIVE",
    )


def _usd(path: Path, settings: ExportSettings) -> None:
    inside = path.suffix == Format.USDZ
    options = bpy.ops.wm.usd_export.get_rna_type().properties
    if "export_textures_mode" in options:  # since Blender 4.4
        textures = {"export_textures_mode": "NEW" if inside else "KEEP"}
    else:
        textures = {"export_textures": inside}
    bpy.ops.wm.usd_export(
        filepath=str(path),
        selected_objects_only=True,
        export_animation=False,
        export_uvmaps=True,
        export_normals=True,
        export_materials=True,
        export_shapekeys=True,
        export_armatures=settings.skeleton,
        export_lights=False,
        export_cameras=False,
        generate_preview_surface=True,
        convert_world_material=False,
        convert_orientation=True,
        relative_paths=True,
        overwrite_textures=True,
        **textures,
    )


_WRITERS: dict[Format, Callable[[Path, ExportSettings], None]] = {
    Format.FBX: _fbx,
    Format.GLB: _gltf,
    Format.GLTF: _gltf,
    Format.OBJ: _obj,
    Format.USD: _usd,
    Format.USDZ: _usd,
}


def is_available(kind: Format) -> bool:
    """Whether this Blender has the exporter: some builds have no USD."""
    if kind in (Format.USD, Format.USDZ):
        return bool(getattr(bpy.app.build_options, "usd", False))
    return True


def textures_folder(path: Path) -> Path:
    """Folder of the pictures beside a file."""
    return path.with_name(f"{path.stem}_textures")


def write_file(
    path: Path,
    items: Sequence[bpy.types.Object],
    settings: ExportSettings,
    context: bpy.types.Context,
) -> None:
    """Write exactly these objects. The selection is the same afterwards.

    Raises RuntimeError or OSError.
    """
    layer = context.view_layer
    selected, active = list(layer.objects.selected), layer.objects.active
    for item in selected:
        item.select_set(False)
    try:
        for item in items:
            item.select_set(True)
        layer.objects.active = items[0]
        _WRITERS[Format(path.suffix.lower())](path, settings)
    finally:
        for item in items:
            item.select_set(False)
        for item in selected:
            item.select_set(True)
        layer.objects.active = active
