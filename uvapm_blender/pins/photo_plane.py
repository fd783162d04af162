"""The way between pixels of the photo and the scene, through the photo's camera.

Blender's own camera counts, not the fit's: a photo behind a camera that was moved moves along.
"""

from dataclasses import dataclass

import bpy
import numpy as np

from ..declarations import PROPERTY


@dataclass(frozen=True, eq=False)
class PhotoCamera:
    """pose (4, 4): camera to world, without scale; focal, centre: pixels of the photo."""

    pose: np.ndarray
    focal: np.ndarray
    centre: np.ndarray

    def to_photo(self, points: np.ndarray) -> np.ndarray:
        """(n, 3) world coordinates -> (n, 2) pixels; what is behind the camera is not a number."""
        seen = (points - self.pose[:3, 3]) @ self.pose[:3, :3]
        depth = np.where(seen[:, 2] < 0.0, -seen[:, 2], np.nan)[:, None]
        return self.centre + self.focal * seen[:, :2] * (1.0, -1.0) / depth

    def to_world(self, pixels: np.ndarray, distance: float) -> np.ndarray:
        """(n, 2) pixels -> (n, 3) world coordinates `distance` before the camera."""
        flat = (pixels - self.centre) / self.focal * (1.0, -1.0)
        seen = np.column_stack([flat, -np.ones(len(flat))]) * distance
        return seen @ self.pose[:3, :3].T + self.pose[:3, 3]


def photo_camera(root: bpy.types.Object) -> PhotoCamera | None:
    """Camera of a head's photo, None where an artist removed it. The inverse of
    `scene.camera.lens_of`."""
    head = getattr(root, PROPERTY)
    if head.camera is None or head.camera.type != "CAMERA":
        return None
    data, (width, height) = head.camera.data, head.resolution
    ratio = head.pixel_aspect[1] / head.pixel_aspect[0]
    focal = data.lens / data.sensor_width * width
    centre = (width / 2 - data.shift_x * width, height / 2 + data.shift_y * width / ratio)
    pose = np.array(head.camera.matrix_world.normalized(), dtype=np.float64)
    return PhotoCamera(pose, np.array([focal, focal / ratio]), np.array(centre))
