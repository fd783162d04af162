"""One photo of a person, and what was fitted to it."""

from dataclasses import dataclass

import numpy as np

from ...photo.prepare import PreparedPhoto
from ...protocol.result_schema import CameraInfo, LightInfo, PhotoInfo, ViewInfo
from ..albedo.stage import AlbedoFit
from ..shape.stage import ShapeFit
from .observe import FittedView


@dataclass(frozen=True, eq=False)
class FittedPhoto:
    """shape and albedo: the identity and the coefficients are the person's, the rest this photo's.

    vertices (V, 3) metres, model space, with this photo's expression; view: the same as seen in
    the working crop; face (h, w) in [0, 1]: skin of the face on the working crop; covered (256,
    256) in [0, 1]: see `find_covered`.
    """

    prepared: PreparedPhoto
    shape: ShapeFit
    vertices: np.ndarray
    view: FittedView
    face: np.ndarray
    albedo: AlbedoFit
    covered: np.ndarray

    def info(self, path: str) -> ViewInfo:
        """The photo's entry in result.json."""
        prepared, shape = self.prepared, self.shape
        photo = prepared.photo
        size = (photo.width, photo.height)
        return ViewInfo(
            PhotoInfo(path, *size, prepared.face, prepared.faces, photo.sha256),
            CameraInfo.from_arrays(shape.intrinsics, shape.rotation, shape.translation, *size),
            LightInfo.from_array(self.albedo.light),
            tuple(map(float, shape.expression)),
        )
