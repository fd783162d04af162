"""Photo -> PreparedPhoto: which face, its landmarks, the working crop and the person mask."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from ..nets.bundle import Nets
from ..protocol.errors import EngineError, ErrorCode
from ..reporter import Reporter
from .load import Photo
from .settings import PrepareSettings

FULL_FRAME_WIDTH = 36.0
"""Millimetres: EXIF's 35 mm equivalent focal length refers to a 36 x 24 mm frame (Exif 2.3)."""


@dataclass(frozen=True)
class WorkingCrop:
    """The part of the photo that the fit looks at, resampled.

    image (h, w, 3) float32 sRGB in [0, 1]; person (h, w) in [0, 1]; x0, y0: photo pixel of the
    crop's corner; scale: crop pixels per photo pixel, so crop = (photo - (x0, y0)) * scale.
    """

    image: np.ndarray
    person: np.ndarray
    x0: float
    y0: float
    scale: float


@dataclass(frozen=True)
class PreparedPhoto:
    """Everything later stages need to know of a photo.

    landmarks (468, 3): photo pixels, third value depth in the same scale, larger is farther;
    focal: pixels, or None; face of faces: index by size (0 the largest) and how many were found.
    """

    photo: Photo
    landmarks: np.ndarray
    presence: float
    crop: WorkingCrop
    focal: float | None
    face: int
    faces: int


def focal_pixels(photo: Photo) -> float | None:
    """Focal length in pixels from EXIF's 35 mm equivalent, or None.

    A photo whose shape is not a camera's is likely a crop: its EXIF no longer tells the angle.
    """
    if not photo.focal_35mm:
        return None
    aspect = max(photo.width, photo.height) / min(photo.width, photo.height)
    if min(abs(aspect - known) for known in (4 / 3, 3 / 2, 16 / 9)) > 0.03:
        return None
    return photo.focal_35mm / FULL_FRAME_WIDTH * max(photo.width, photo.height)


def _choose_face(count: int, wanted: int | None) -> int:
    if count == 0:
        raise EngineError(
            ErrorCode.NO_FACE,
            "No face was found in the photo.",
            "Use a photo in which the face is seen from the front or half side, and large enough.",
        )
    if wanted is not None and wanted >= count:
        raise EngineError(
            ErrorCode.BAD_SETTINGS,
            f"Face {wanted} was asked for, but only {count} were found (numbered from 0).",
            "Choose a smaller number, or leave it out for the largest face.",
        )
    return wanted or 0


def crop_around(image: np.ndarray, landmarks: np.ndarray, settings: PrepareSettings) -> WorkingCrop:
    """A square around the head, clipped to the photo, at most `working_size` pixels a side.

    image (H, W, 3) sRGB; landmarks (L, 2+) photo pixels. The person mask is left at ones.
    """
    low, high = landmarks[:, :2].min(axis=0), landmarks[:, :2].max(axis=0)
    half = (high - low).max() * settings.crop_scale / 2.0
    center = (low + high) / 2.0
    height, width = image.shape[:2]
    x0, y0 = (max(0, int(np.floor(v))) for v in center - half)
    x1 = min(width, int(np.ceil(center[0] + half)))
    y1 = min(height, int(np.ceil(center[1] + half)))
    part = image[y0:y1, x0:x1]
    scale = min(1.0, settings.working_size / max(part.shape[:2]))
    if scale < 1.0:
        size = (round(part.shape[1] * scale), round(part.shape[0] * scale))
        part = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
    part = np.ascontiguousarray(part, dtype=np.float32)
    return WorkingCrop(part, np.ones(part.shape[:2], np.float32), float(x0), float(y0), scale)


def prepare_photo(
    photo: Photo, nets: Nets, face: int | None, settings: PrepareSettings, reporter: Reporter
) -> PreparedPhoto:
    """Find the face, its landmarks and the person.

    face: index by size, None for the largest. Raises EngineError NO_FACE, BAD_SETTINGS, BAD_INPUT,
    and Cancelled.
    """
    faces = nets.detect_faces(photo.pixels)
    reporter.progress(1, 3)
    index = _choose_face(len(faces), face)
    mesh = nets.aligned(photo.pixels, nets.face_mesh(photo.pixels, faces[index]))
    reporter.progress(2, 3)
    extent = np.ptp(mesh.points[:, :2], axis=0).max()
    if extent < settings.min_face_pixels:
        raise EngineError(
            ErrorCode.BAD_INPUT,
            f"The face is only {extent:.0f} pixels tall; at least "
            f"{settings.min_face_pixels:.0f} are needed.",
            "Use a larger or closer photo.",
        )
    crop = crop_around(photo.pixels, mesh.points, settings)
    crop = replace(crop, person=nets.person_mask(crop.image))
    return PreparedPhoto(
        photo, mesh.points, mesh.presence, crop, focal_pixels(photo), index, len(faces)
    )
