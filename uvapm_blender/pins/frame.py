"""Looks at the face in the photo as closely as the viewport allows."""

import bpy
import numpy as np

from .draw import handles, to_region

FILLED = 0.7
"""Share of the viewport that the face's points fill, in height or width. Ours."""
LEAST_ZOOM, MOST_ZOOM = -30.0, 600.0
"""Bounds of Blender's own `view_camera_zoom`."""


def look_at_face(
    root: bpy.types.Object, area: bpy.types.Area, view: bpy.types.RegionView3D
) -> None:
    """Look through the scene's camera, with the face in the middle of what sidebar and toolbar
    leave free."""
    region = next(region for region in area.regions if region.type == "WINDOW")
    if view.view_perspective != "CAMERA":
        view.view_perspective = "CAMERA"
        view.update()
    places = to_region(root, region, view, handles(root))
    places = places[np.isfinite(places).all(axis=1)]
    if not len(places):
        return
    size = np.array([region.width, region.height])
    left, right = _free(area, region)
    low, high = places.min(axis=0), places.max(axis=0)
    before = factor_of(view.view_camera_zoom)
    room = np.array([right - left, region.height])
    growth = FILLED * float((room / np.maximum(high - low, 1.0)).min())
    wanted = before * growth
    view.view_camera_zoom = float(np.clip(zoom_of(wanted), LEAST_ZOOM, MOST_ZOOM))
    growth = factor_of(view.view_camera_zoom) / before  # after the bounds
    middle = (low + high) / 2 - size / 2 - np.array([(left + right - size[0]) / 2, 0.0]) / growth
    offset = np.array(view.view_camera_offset) + middle / (2.0 * size * before)
    view.view_camera_offset = np.clip(offset, -1.0, 1.0).tolist()
    view.update()


def _free(area: bpy.types.Area, region: bpy.types.Region) -> tuple[int, int]:
    """Left and right edge, pixels of the region, between the bars that lie over it."""
    left, right = 0, region.width
    for other in area.regions:
        start = other.x - region.x
        if other.width <= 1 or not 0 <= start < region.width:
            continue
        if other.type == "UI":
            right = min(right, start)
        elif other.type == "TOOLS":
            left = max(left, start + other.width)
    return (left, right) if right - left > region.width / 3 else (0, region.width)


def factor_of(zoom: float) -> float:
    """How much larger the camera's frame is shown than at a factor of 1 (Blender's
    `BKE_screen_view3d_zoom_to_fac`)."""
    return (np.sqrt(2.0) + zoom / 50.0) ** 2 / 4.0


def zoom_of(factor: float) -> float:
    """The inverse of `factor_of`."""
    return (2.0 * np.sqrt(factor) - np.sqrt(2.0)) * 50.0
