"""Show a new head to the user: framed, with its texture. Only where there is a window."""

import bpy


def present(context: bpy.types.Context) -> None:
    """Frame the selection in a 3D viewport and show materials there. Not undone by undo."""
    area = _viewport(context)
    if area is None:
        return
    region = next(each for each in area.regions if each.type == "WINDOW")
    space = area.spaces.active
    if space.region_3d.view_perspective == "CAMERA":
        space.region_3d.view_perspective = "PERSP"
    if space.shading.type in {"SOLID", "WIREFRAME"}:
        space.shading.type = "MATERIAL"
    with context.temp_override(window=context.window, area=area, region=region):
        bpy.ops.view3d.view_axis(type="FRONT")
        bpy.ops.view3d.view_selected()


def _viewport(context: bpy.types.Context) -> bpy.types.Area | None:
    """The viewport of the click, else the largest one; None without a window."""
    if context.window is None:
        return None
    if context.area is not None and context.area.type == "VIEW_3D":
        return context.area
    views = [area for area in context.window.screen.areas if area.type == "VIEW_3D"]
    return max(views, key=lambda area: area.width * area.height, default=None)
