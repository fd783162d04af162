"""The points and pins over the photo, while they are edited."""

from dataclasses import dataclass

import blf
import bpy
import gpu
import numpy as np
from bpy_extras.view3d_utils import location_3d_to_region_2d
from gpu_extras.batch import batch_for_shader

from ...engine.protocol.errors import EngineError
from ...engine.protocol.landmarks68 import CURVES, LANDMARK_NAMES
from .photo_plane import photo_camera
from .points import embedding_of, head_points
from .values import pins_of

LINE = (1.0, 1.0, 1.0, 0.35)
POINT = (1.0, 0.92, 0.35, 1.0)
HIDDEN = (1.0, 0.92, 0.35, 0.3)
PIN = (1.0, 0.25, 0.45, 1.0)
CHOSEN = (1.0, 1.0, 1.0, 1.0)
"""sRGB RGBA. Ours: told apart on any skin, and without colour by their sizes."""
DOT, PIN_DOT, CHOSEN_DOT = 5.0, 9.0, 15.0
"""Pixels at scale 1."""
LETTERS = 13.0
DISTANCE = 1.0
"""Metres before the camera at which pixels of the photo are looked up; any will do."""


@dataclass
class Editing:
    """What is drawn. root: name of the head; area: pointer of its viewport, as a number; chosen:
    point under the mouse or the keyboard; dragged: its place (2,) in the photo while the mouse
    holds it. handle: Blender's, None while nothing is drawn."""

    root: str = ""
    area: int = 0
    chosen: int | None = None
    dragged: np.ndarray | None = None
    handle: object | None = None


EDITING = Editing()


def start(root: bpy.types.Object, area: bpy.types.Area) -> None:
    """Draw the points of a head in a viewport."""
    stop()
    EDITING.root, EDITING.area = root.name, area.as_pointer()
    EDITING.handle = bpy.types.SpaceView3D.draw_handler_add(_draw, (), "WINDOW", "POST_PIXEL")


def stop() -> None:
    """Draw nothing any more. Harmless when nothing is drawn."""
    if EDITING.handle is not None:
        bpy.types.SpaceView3D.draw_handler_remove(EDITING.handle, "WINDOW")
    EDITING.__init__()


def photo_places(root: bpy.types.Object) -> tuple[np.ndarray, np.ndarray]:
    """Places (68, 2) in the photo where the head's points are, and which of them face the camera
    (68,) bool. Raises EngineError without the head pack."""
    camera = photo_camera(root)
    points, normals = head_points(root, embedding_of(root))
    if camera is None:
        return np.full((len(points), 2), np.nan), np.zeros(len(points), dtype=bool)
    towards = camera.pose[:3, 3] - points
    return camera.to_photo(points), (normals * towards).sum(axis=1) > 0.0


def handles(root: bpy.types.Object) -> np.ndarray:
    """(68, 2) places in the photo at which points are taken hold of: pins where there are some."""
    places = photo_places(root)[0]
    for pin in pins_of(root):
        places[pin.index] = pin.x, pin.y
    return places


def to_region(
    root: bpy.types.Object,
    region: bpy.types.Region,
    view: bpy.types.RegionView3D,
    pixels: np.ndarray,
) -> np.ndarray:
    """(n, 2) pixels of the photo -> (n, 2) pixels of a viewport's region."""
    camera = photo_camera(root)
    if camera is None:
        return np.full((len(pixels), 2), np.nan)
    found = [
        location_3d_to_region_2d(region, view, place.tolist()) if np.isfinite(place).all() else None
        for place in camera.to_world(pixels, DISTANCE)
    ]
    return np.array([(np.nan, np.nan) if each is None else tuple(each) for each in found])


def _draw() -> None:
    context = bpy.context
    root = bpy.data.objects.get(EDITING.root)
    if root is None or context.area is None or context.area.as_pointer() != EDITING.area:
        return
    try:
        places, facing = photo_places(root)
    except EngineError:
        return
    pins = {pin.index: (pin.x, pin.y) for pin in pins_of(root)}
    if EDITING.dragged is not None and EDITING.chosen is not None:
        pins[EDITING.chosen] = tuple(EDITING.dragged)
    ends = places.copy()
    for index, place in pins.items():
        ends[index] = place
    region, view = context.region, context.space_data.region_3d
    scale = context.preferences.system.ui_scale
    dots, ends = to_region(root, region, view, places), to_region(root, region, view, ends)
    gpu.state.blend_set("ALPHA")
    for curve in CURVES:
        _lines("LINE_STRIP", ends[list(curve)], LINE)
    for index in pins:
        _lines("LINES", np.stack([dots[index], ends[index]]), PIN)
    free = np.array([index not in pins for index in range(len(dots))])
    _dots(dots[free & facing], POINT, DOT * scale)
    _dots(dots[free & ~facing], HIDDEN, DOT * scale)
    if EDITING.chosen is not None:
        _dots(ends[[EDITING.chosen]], CHOSEN, CHOSEN_DOT * scale)
        _label(LANDMARK_NAMES[EDITING.chosen], ends[EDITING.chosen], scale)
    _dots(ends[sorted(pins)], PIN, PIN_DOT * scale)
    gpu.state.blend_set("NONE")


def _lines(kind: str, points: np.ndarray, colour: tuple[float, ...]) -> None:
    points = points[np.isfinite(points).all(axis=1)]
    if len(points) < 2:
        return
    shader = gpu.shader.from_builtin("POLYLINE_UNIFORM_COLOR")
    shader.bind()
    shader.uniform_float("viewportSize", gpu.state.viewport_get()[2:])
    shader.uniform_float("lineWidth", 1.5)
    shader.uniform_float("color", colour)
    batch_for_shader(shader, kind, {"pos": np.pad(points, ((0, 0), (0, 1))).tolist()}).draw(shader)


def _dots(points: np.ndarray, colour: tuple[float, ...], size: float) -> None:
    points = points[np.isfinite(points).all(axis=1)]
    if not len(points):
        return
    shader = gpu.shader.from_builtin("UNIFORM_COLOR")
    shader.bind()
    shader.uniform_float("color", colour)
    corners, faces = _discs(points, size / 2.0)
    batch_for_shader(shader, "TRIS", {"pos": corners}, indices=faces).draw(shader)


def _discs(points: np.ndarray, radius: float) -> tuple[list, list]:
    """Discs of 12 corners as triangle fans: points drawn as such are square on some cards."""
    angle = np.linspace(0.0, 2.0 * np.pi, 12, endpoint=False)
    ring = radius * np.column_stack([np.cos(angle), np.sin(angle)])
    corners = (points[:, None] + ring).reshape(-1, 2)
    fan = np.array([(0, i, i + 1) for i in range(1, 11)])
    faces = (fan[None] + 12 * np.arange(len(points))[:, None, None]).reshape(-1, 3)
    return np.pad(corners, ((0, 0), (0, 1))).tolist(), faces.tolist()


def _label(text: str, place: np.ndarray, scale: float) -> None:
    if not np.isfinite(place).all():
        return
    blf.size(0, LETTERS * scale)
    blf.enable(0, blf.SHADOW)
    blf.shadow(0, 3, 0.0, 0.0, 0.0, 0.9)
    blf.color(0, *CHOSEN)
    blf.position(0, float(place[0]) + 12.0 * scale, float(place[1]) + 6.0 * scale, 0.0)
    blf.draw(0, text)
    blf.disable(0, blf.SHADOW)
