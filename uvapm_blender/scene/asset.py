"""A head as an asset: its collection, with the fitted render as its preview."""

from pathlib import Path

import bpy
import numpy as np

from ...engine.protocol.conventions import blender_to_model, to_bottom_up
from ...engine.protocol.errors import EngineError
from ...engine.protocol.result import read_manifest
from ...engine.protocol.result_schema import CameraInfo
from ..declarations import PROPERTY
from .heads import parts_of
from .images import COLOUR, read_file
from .result_file import result_file

PREVIEW = 256
"""Pixels a side, as Blender makes its own previews."""
MARGIN = 1.1
"""Side of the preview in sides of the head's box in the picture."""
RENDER = "render.png"


def collection_of(root: bpy.types.Object) -> bpy.types.Collection | None:
    """The collection that holds all of a head, None where the user took it apart."""
    parts = parts_of(root)
    found = (each for each in root.users_collection if each in bpy.data.collections[:])
    return next((each for each in found if all(p.name in each.objects for p in parts)), None)


def mark_asset(root: bpy.types.Object, collection: bpy.types.Collection) -> bool:
    """Mark a head's collection, with description, tags and preview. False without a preview."""
    collection.asset_mark()
    data, head = collection.asset_data, getattr(root, PROPERTY)
    data.description = f"Head reconstructed from a photo with {head.pack}"
    for tag in ("head", "UVAPM"):
        if tag not in data.tags:
            data.tags.new(tag)
    try:
        picture = _picture(root)
    except (EngineError, RuntimeError):
        collection.asset_generate_preview()  # the result is gone: Blender renders one
        return False
    preview = collection.preview_ensure()
    preview.image_size = (PREVIEW, PREVIEW)
    preview.image_pixels_float.foreach_set(to_bottom_up(picture).ravel())
    return True


def _picture(root: bpy.types.Object) -> np.ndarray:
    """(PREVIEW, PREVIEW, 4) f32: the head in the fit's render. Raises EngineError, RuntimeError."""
    folder = Path(bpy.path.abspath(getattr(root, PROPERTY).result_folder))
    camera = read_manifest(folder).camera
    render = read_file(result_file(root, RENDER), COLOUR)
    scale = render.shape[1] / camera.width
    points = _projected(blender_to_model(np.array(parts_of(root)[0].bound_box)), camera) * scale
    low, high = points.min(0), points.max(0)
    side = float((high - low).max()) * MARGIN
    grid = (np.arange(PREVIEW) + 0.5) / PREVIEW * side
    columns = np.clip((low[0] + high[0] - side) / 2 + grid, 0, render.shape[1] - 1).astype(int)
    rows = np.clip((low[1] + high[1] - side) / 2 + grid, 0, render.shape[0] - 1).astype(int)
    return np.ascontiguousarray(render[rows][:, columns])


def _projected(points: np.ndarray, camera: CameraInfo) -> np.ndarray:
    """(n, 2) pixels of the photo of points (n, 3) in model space."""
    seen = points @ np.asarray(camera.R).T + np.asarray(camera.t)
    pixels = seen @ np.asarray(camera.K).T
    return pixels[:, :2] / pixels[:, 2:]
