"""One head as FBX or glTF: its own meshes, expression keys and textures, nothing else."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from pathlib import Path

import bpy
import numpy as np

from ...engine.protocol.conventions import linear_to_srgb, srgb_to_linear
from ...engine.protocol.errors import EngineError, ErrorCode
from ..scene import images
from ..scene.heads import parts_of
from ..scene.material import photo_detail_socket, principled


class Format(StrEnum):
    """File formats, by their extension."""

    FBX = ".fbx"
    GLB = ".glb"


def export_head(root: bpy.types.Object, path: Path, context: bpy.types.Context) -> None:
    """Write the head of `root` to `path`; the extension chooses the format.

    Exporters understand a plain image as base colour, so the photo layer's mix is replaced by
    one image for the time of the export. Selection and materials are the same afterwards.
    Raises EngineError(BAD_OUTPUT).
    """
    try:
        kind = Format(path.suffix.lower())
    except ValueError as error:
        raise EngineError(
            ErrorCode.BAD_OUTPUT,
            f"Expected a file name that ends with .fbx or .glb, got {path.name}.",
        ) from error
    items = [root, *parts_of(root)]
    materials = {slot.material for item in items for slot in item.material_slots}
    with ExitStack() as stack:
        stack.enter_context(_only_selected(items, context))
        for material in materials - {None}:
            stack.enter_context(_single_image(material))
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


@contextmanager
def _single_image(material: bpy.types.Material) -> Iterator[None]:
    """Skin only: one image in place of the photo layer's mix, at its present strength."""
    factor = photo_detail_socket(material)
    if factor is None:
        yield
        return
    tree, socket = material.node_tree, principled(material).inputs["Base Color"]
    result = socket.links[0].from_socket if socket.links else None
    node = tree.nodes.new("ShaderNodeTexImage")
    made = None
    try:
        coarse, photo = (_source_image(factor.node, name) for name in ("A_Color", "B_Color"))
        if factor.default_value in (0.0, 1.0):
            node.image = photo if factor.default_value else coarse
        else:
            made = node.image = _mixed(coarse, photo, factor.default_value)
        tree.links.new(node.outputs["Color"], socket)
        yield
    finally:
        tree.nodes.remove(node)
        if result is not None:
            tree.links.new(result, socket)
        if made is not None:
            bpy.data.images.remove(made)


def _source_image(mix: bpy.types.Node, identifier: str) -> bpy.types.Image:
    socket = next(socket for socket in mix.inputs if socket.identifier == identifier)
    return socket.links[0].from_node.image


def _mixed(coarse: bpy.types.Image, photo: bpy.types.Image, share: float) -> bpy.types.Image:
    """Both albedos mixed as the shader does: linear values, `share` of the second."""
    first, second = (
        srgb_to_linear(images.read_pixels(image)[..., :3]) for image in (coarse, photo)
    )
    colour = linear_to_srgb(first + (second - first) * np.float32(share))
    return images.new_packed(f"{photo.name} export", colour.astype(np.float32), linear=False)
