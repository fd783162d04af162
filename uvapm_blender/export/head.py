"""One head as FBX or glTF: its own meshes, expression keys and textures, nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

import bpy

from ...engine.protocol.errors import EngineError, ErrorCode
from ..declarations import PROPERTY
from ..scene.heads import parts_of
from ..scene.images import pack_changed


class Format(StrEnum):
    """File formats, by their extension."""

    FBX = ".fbx"
    GLB = ".glb"


def export_head(root: bpy.types.Object, path: Path, context: bpy.types.Context) -> None:
    """Write the head of `root` to `path`; the extension chooses the format.

    The textures are written as the sliders show them. The selection is the same afterwards.
    Raises EngineError(BAD_OUTPUT).
    """
    try:
        kind = Format(path.suffix.lower())
    except ValueError as error:
        raise EngineError(
            ErrorCode.BAD_OUTPUT,
            f"Expected a file name that ends with .fbx or .glb, got {path.name}.",
        ) from error
    pack_changed(getattr(root, PROPERTY).detail.albedo)  # exporters take what is packed
    with _only_selected([root, *parts_of(root)], context):
        try:
            _EXPORTERS[kind](path)
        except (RuntimeError, OSError) as error:
            raise EngineError(
                ErrorCode.BAD_OUTPUT,
                f"{path.name} could not be written: {_last_line(error)}",
                "Choose a folder that can be written to.",
            ) from error


def _last_line(error: Exception) -> str:
    """The cause: Blender puts a whole Python trace into the text of an operator's error."""
    lines = [line.strip() for line in str(error).splitlines()]
    return next((line for line in reversed(lines) if line and "Location:" not in line), "unknown")


def _write_fbx(path: Path) -> None:
    bpy.ops.export_scene.fbx(
        filepath=str(path),
        use_selection=True,
        object_types={"EMPTY", "MESH"},
        use_mesh_modifiers=False,  # modifiers would drop the shape keys
        path_mode="COPY",
        embed_textures=True,
        bake_anim=False,
    )


def _write_glb(path: Path) -> None:
    bpy.ops.export_scene.gltf(
        filepath=str(path),
        export_format="GLB",
        use_selection=True,
        export_morph=True,
        export_animations=False,
        export_cameras=False,
        export_lights=False,
    )


_EXPORTERS = {Format.FBX: _write_fbx, Format.GLB: _write_glb}


@contextmanager
def _only_selected(items: list[bpy.types.Object], context: bpy.types.Context) -> Iterator[None]:
    """Select exactly these objects, hidden ones too, and put everything back."""
    layer = context.view_layer
    selected, active = list(context.selected_objects), layer.objects.active
    hidden = [item for item in items if item.hide_get()]
    for item in selected:
        item.select_set(False)
    for item in items:
        item.hide_set(False)
        item.select_set(True)
    layer.objects.active = items[0]
    try:
        yield
    finally:
        for item in items:
            item.select_set(False)
        for item in hidden:
            item.hide_set(True)
        for item in selected:
            item.select_set(True)
        layer.objects.active = active
