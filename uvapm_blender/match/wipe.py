"""The photo over the left part of the photo's camera view, up to a line.

Drawn by the graphics card over the viewport; nothing of the scene changes.
"""

import bpy
import gpu
from bpy_extras.view3d_utils import location_3d_to_region_2d
from gpu_extras.batch import batch_for_shader

from ..declarations import PROPERTY
from ..scene.heads import role_of
from .overlay import photo_of

LINE_COLOUR = (1.0, 1.0, 1.0, 0.8)
SHADERS = ("IMAGE_SCENE_LINEAR_TO_REC709_SRGB", "IMAGE")
"""Textures are scene linear, the viewport is sRGB; before Blender 4.4 only the second is there."""

_HANDLES: list[object] = []


def add() -> None:
    """Once, when the extension is enabled; without a window there is nothing to draw on."""
    if not bpy.app.background:
        view = bpy.types.SpaceView3D
        _HANDLES.append(view.draw_handler_add(_draw, (), "WINDOW", "POST_PIXEL"))


def remove() -> None:
    """When the extension is disabled."""
    while _HANDLES:
        bpy.types.SpaceView3D.draw_handler_remove(_HANDLES.pop(), "WINDOW")


def redraw_views(context: bpy.types.Context) -> None:
    """Show a moved line at once."""
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                area.tag_redraw()


def head_in_view(context: bpy.types.Context) -> bpy.types.Object | None:
    """Root of the head through whose photo's camera the viewport looks, with the wipe on."""
    space, camera = context.space_data, context.scene.camera
    if camera is None or space.region_3d.view_perspective != "CAMERA":
        return None
    roots = (item for item in context.scene.objects if role_of(item) == "ROOT")
    heads = ((root, getattr(root, PROPERTY)) for root in roots)
    return next((root for root, head in heads if head.camera == camera and head.match.wipe), None)


def wiped_part(frame: tuple[float, float, float, float], line: float) -> dict[str, list]:
    """Two triangles over the left `line` in [0, 1] of a frame (left, bottom, width, height) in
    pixels: positions, and texture coordinates from the lower left corner."""
    left, bottom, width, height = frame
    right, top = left + line * width, bottom + height
    return {
        "pos": [(left, bottom), (right, bottom), (right, top), (left, top)],
        "texCoord": [(0.0, 0.0), (line, 0.0), (line, 1.0), (0.0, 1.0)],
    }


def _draw() -> None:
    context = bpy.context
    root = head_in_view(context)
    image = photo_of(root) if root is not None else None
    if image is None:
        return
    frame = _camera_frame(context)
    if frame is None:
        return
    corners = wiped_part(frame, getattr(root, PROPERTY).match.wipe_at)
    shader = _shader()
    batch = batch_for_shader(shader, "TRIS", corners, indices=((0, 1, 2), (2, 3, 0)))
    shader.bind()
    shader.uniform_sampler("image", gpu.texture.from_image(image))
    gpu.state.blend_set("ALPHA")
    batch.draw(shader)
    plain = gpu.shader.from_builtin("UNIFORM_COLOR")
    plain.bind()
    plain.uniform_float("color", LINE_COLOUR)
    batch_for_shader(plain, "LINES", {"pos": corners["pos"][1:3]}).draw(plain)
    gpu.state.blend_set("NONE")


def _shader() -> gpu.types.GPUShader:
    try:
        return gpu.shader.from_builtin(SHADERS[0])
    except ValueError:
        return gpu.shader.from_builtin(SHADERS[1])


def _camera_frame(context: bpy.types.Context) -> tuple[float, float, float, float] | None:
    """Left, bottom, width, height in pixels of the camera's frame in the region."""
    camera = context.scene.camera
    corners = [
        location_3d_to_region_2d(
            context.region, context.space_data.region_3d, camera.matrix_world @ corner
        )
        for corner in camera.data.view_frame(scene=context.scene)
    ]
    if any(corner is None for corner in corners):
        return None
    xs, ys = zip(*corners, strict=True)
    return min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)
