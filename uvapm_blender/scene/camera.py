"""The photo's camera, exactly, with the photo behind the head."""

from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Matrix

from ...engine.protocol.conventions import CAMERA_TO_BLENDER_CAMERA, MODEL_TO_BLENDER
from ...engine.protocol.result_schema import CameraInfo

SENSOR_WIDTH = 36.0
"""Millimetres, full frame: only the ratio to the focal length matters."""

CLIP_NEAR, CLIP_FAR = 0.05, 20.0
"""Clip distances in units of the distance to the head: it never gets cut, precision stays."""


@dataclass(frozen=True)
class Lens:
    """Blender's camera settings. lens and sensor_width in millimetres; shifts in image widths;
    aspect: width and height of a pixel, the smaller is 1.
    """

    lens: float
    sensor_width: float
    shift_x: float
    shift_y: float
    aspect: tuple[float, float]


def lens_of(camera: CameraInfo) -> Lens:
    """K to Blender's terms for sensor fit "Horizontal".

    Blender: x_image / width = 1/2 - shift_x + lens / sensor_width * x / z, and the same unit
    (image width) for the vertical shift, with y upwards (its camera view plane computation).
    A pixel of unequal focal lengths becomes the scene's pixel aspect.
    """
    (focal_x, _, centre_x), (_, focal_y, centre_y), _ = camera.K
    width, height = camera.width, camera.height
    ratio = focal_x / focal_y  # pixels that are `ratio` times as high as wide
    return Lens(
        lens=focal_x / width * SENSOR_WIDTH,
        sensor_width=SENSOR_WIDTH,
        shift_x=(width / 2 - centre_x) / width,
        shift_y=(centre_y - height / 2) * ratio / width,
        aspect=(1.0, ratio) if ratio >= 1.0 else (1.0 / ratio, 1.0),
    )


def pose_of(camera: CameraInfo) -> np.ndarray:
    """(4, 4) camera to head in Blender axes: the inverse of `x_cam = R x + t`."""
    rotation, translation = np.asarray(camera.R), np.asarray(camera.t)
    pose = np.eye(4)
    pose[:3, :3] = MODEL_TO_BLENDER @ rotation.T @ CAMERA_TO_BLENDER_CAMERA
    pose[:3, 3] = MODEL_TO_BLENDER @ (-rotation.T @ translation)
    return pose


def new_camera(name: str, info: CameraInfo, parent: bpy.types.Object) -> bpy.types.Object:
    """Camera object under the head's root, so that it rides along. Not yet in a collection."""
    data = bpy.data.cameras.new(name)
    data.display_size = 0.03
    camera = bpy.data.objects.new(name, data)
    camera.parent = parent
    place_camera(camera, info)
    return camera


def place_camera(camera: bpy.types.Object, info: CameraInfo) -> None:
    """Give a camera under a head's root the pose and lens of a photo."""
    data, lens = camera.data, lens_of(info)
    data.sensor_fit = "HORIZONTAL"
    data.sensor_width = lens.sensor_width
    data.lens = lens.lens
    data.shift_x, data.shift_y = lens.shift_x, lens.shift_y
    distance = float(np.linalg.norm(info.t))
    data.clip_start, data.clip_end = distance * CLIP_NEAR, distance * CLIP_FAR
    camera.matrix_local = Matrix(pose_of(info).tolist())


def show_photo(camera: bpy.types.Object, image: bpy.types.Image) -> None:
    """The photo as the camera's background, filling the frame."""
    camera.data.show_background_images = True
    background = camera.data.background_images.new()
    background.image = image
    background.frame_method = "STRETCH"
    background.alpha = 0.5
    background.display_depth = "BACK"
