"""The posed head as one photo sees it."""

import numpy as np
import torch

from ...head.transfer import picture_to_linear
from ...photo.prepare import PreparedPhoto
from ..loaded import LoadedPack
from ..shape.stage import ShapeFit
from .geometry import face_pixels, photo_camera, render_depth, working_camera
from .observe import FittedView


def look_at(
    prepared: PreparedPhoto, shape: ShapeFit, vertices: np.ndarray, loaded: LoadedPack
) -> tuple[FittedView, np.ndarray]:
    """The view of the working crop, and its pixels (h, w) in [0, 1] of the face's skin.

    vertices (V, 3) metres, model space, with the expression.
    """
    photo = prepared.photo
    camera = photo_camera(shape, photo.width, photo.height)
    camera = working_camera(camera, prepared.crop)
    points = torch.from_numpy(vertices)
    buffer = render_depth(points, loaded.triangles[loaded.solid], camera, loaded.rasterizer)
    view = FittedView(
        points, camera, buffer.depth, prepared.crop, picture_to_linear(prepared.crop.image)
    )
    return view, face_pixels(loaded, buffer)
