"""Photo file -> pixels, the way round it was taken, in sRGB.

Pillow reads the file and its metadata; OpenCV decodes 16 bits a channel, which Pillow would cut
to 8. Every way a file can be unusable ends in one plain EngineError(BAD_INPUT).
"""

import hashlib
import struct
import warnings
import zlib
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
from PIL import ExifTags, Image, ImageCms, UnidentifiedImageError

from ..config import PhotoLimits
from ..protocol.conventions import BYTE_MAX, bytes_to_unit, turn_upright
from ..protocol.errors import EngineError, ErrorCode
from .jpeg_scans import MOST_SCANS, count_scans

FORMATS = ("PNG", "JPEG", "WEBP", "TIFF")
"""Pillow's names; its JPEG includes MPO, phones' JPEG with a second picture appended."""

BACKDROP = 0.5
"""Grey (sRGB) behind transparent pixels. Ours: cut-out portraits have soft hair edges; white or
black would bleed strongly into them, mid grey is nearest to skin and hair and makes no edge."""

SAME_PICTURE = 0.02
"""Mean difference of the 16-bit and the 8-bit decoding, [0, 1]; rounding alone makes 0.002."""

EXPORT_HINT = "Use a PNG, JPEG, WebP or TIFF picture; export it again if need be."

_DECODER_ERRORS = (
    *(OSError, SyntaxError, ValueError, EOFError, TypeError, LookupError, ArithmeticError),
    *(AttributeError, RuntimeError, struct.error, zlib.error, ImageCms.PyCMSError, cv2.error),
)
"""What damaged files make Pillow and OpenCV raise."""


@dataclass(frozen=True, eq=False)
class Photo:
    """pixels (height, width, 3) float32 RGB, sRGB-encoded, [0, 1], upright (orientation applied).

    width, height: of the file, upright; the pixels are so many but after `reduced`.
    focal_35mm: EXIF's 35 mm equivalent focal length in millimetres, or None.
    sha256: of the file, hexadecimal. name: of the file, for messages.
    """

    pixels: np.ndarray
    width: int
    height: int
    focal_35mm: float | None
    sha256: str
    name: str = "the photo"

    def reduced(self, largest: int) -> "Photo":
        """The photo with at most `largest` pixels a side, for showing it."""
        share = largest / max(self.width, self.height)
        if share >= 1.0:
            return self
        size = tuple(max(1, round(side * share)) for side in (self.width, self.height))
        pixels = cv2.resize(self.pixels, size, interpolation=cv2.INTER_AREA)
        return replace(self, pixels=pixels)


def photo_digest(path: str | Path, limits: PhotoLimits | None = None) -> str:
    """sha256 of a photo's file, hexadecimal. Raises EngineError(BAD_INPUT)."""
    return hashlib.sha256(_read_bytes(Path(path), limits or PhotoLimits())).hexdigest()


def load_photo(path: str | Path, limits: PhotoLimits | None = None) -> Photo:
    """Read a PNG, JPEG, WebP or TIFF file of 8 or 16 bits, grey or colour, with or without alpha.

    The first picture of a file with several is taken. Raises EngineError(BAD_INPUT).
    """
    path, limits = Path(path), limits or PhotoLimits()
    data = _read_bytes(path, limits)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of damaged metadata; it is not needed
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        image = _open(path, data, limits)
        try:
            image.load()
            orientation, focal = _read_exif(image)
            unit, turned = _decode(image, data)
        except _DECODER_ERRORS as error:
            raise _bad(f"{path.name} is damaged or incomplete.", EXPORT_HINT) from error
    if not turned:
        unit = turn_upright(unit, orientation)
    pixels = np.ascontiguousarray(unit, dtype=np.float32)
    height, width = pixels.shape[:2]
    return Photo(pixels, width, height, focal, hashlib.sha256(data).hexdigest(), path.name)


def _bad(message: str, hint: str) -> EngineError:
    return EngineError(ErrorCode.BAD_INPUT, message, hint)


def _read_bytes(path: Path, limits: PhotoLimits) -> bytes:
    try:
        if path.is_dir():
            raise _bad(f"{path} is a folder, a photo file was expected.", "Choose one photo.")
        size = path.stat().st_size
        if size == 0:
            raise _bad(f"{path.name} is empty (0 bytes).", "Choose another photo.")
        if size > limits.most_bytes:
            most = limits.most_bytes >> 20
            raise _bad(f"{path.name} is larger than {most} MB.", "Export it smaller, as JPEG.")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise _bad(f"There is no file {path}.", "Check the path.") from error
    except OSError as error:
        raise _bad(
            f"{path} cannot be read ({error.strerror}).", "Check its permissions."
        ) from error


def _open(path: Path, data: bytes, limits: PhotoLimits) -> Image.Image:
    """Header only: kind and size are judged before anything is decoded."""
    try:
        image = Image.open(BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError as error:
        raise _bad(f"{path.name} is not a picture that can be read.", EXPORT_HINT) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many(path.name, "far more", limits) from error
    except _DECODER_ERRORS as error:
        raise _bad(f"{path.name} is damaged or incomplete.", EXPORT_HINT) from error
    width, height = image.size
    if min(width, height) < limits.least_side:
        raise _bad(
            f"The photo has {width} x {height} pixels; each side needs at least "
            f"{limits.least_side}.",
            "Use a larger photo.",
        )
    if width * height > limits.most_pixels:
        raise _too_many(path.name, f"{width} x {height}", limits)
    if image.format in ("JPEG", "MPO") and count_scans(data) > MOST_SCANS:
        raise _bad(
            f"{path.name} is drawn in more than {MOST_SCANS} passes; cameras need ten.", EXPORT_HINT
        )
    return image


def _too_many(name: str, what: str, limits: PhotoLimits) -> EngineError:
    most = limits.most_pixels // 1_000_000
    return _bad(f"{name} has {what} pixels; at most {most} million are read.", "Make it smaller.")


def _read_exif(image: Image.Image) -> tuple[int, float | None]:
    """Orientation (1 to 8) and 35 mm focal length. Damaged metadata counts as absent."""
    try:
        exif = image.getexif()
        orientation = exif.get(ExifTags.Base.Orientation, 1)
        focal = exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.FocalLengthIn35mmFilm)
        focal = float(focal) if focal else 0.0
    except _DECODER_ERRORS:
        return 1, None
    return orientation, focal if 0.0 < focal < float("inf") else None


def _decode(image: Image.Image, data: bytes) -> tuple[np.ndarray, bool]:
    """(H, W, 3) float32 sRGB in [0, 1], and whether the decoder has already turned it upright."""
    profile = _foreign_profile(image)
    turned = image.format == "TIFF"  # Pillow and OpenCV both do it for this format
    if image.mode in ("F", "I", "LAB"):
        raise ValueError(f"pixels of the kind {image.mode} are not a photo's")
    shallow = _shallow_to_rgb(image, profile)
    if _sixteen_bits(image, data) and profile is None:
        deep = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        if deep is not None and deep.dtype == np.uint16:
            deep = _deep_to_rgb(deep)
            if _agree(deep, shallow):
                return deep, turned
    return shallow, turned


def _agree(deep: np.ndarray, shallow: np.ndarray) -> bool:
    """Whether two decoders saw the same picture; a sparse grid of pixels tells."""
    if deep.shape != shallow.shape:
        return False
    step = (slice(None, None, 16), slice(None, None, 16))
    return float(np.abs(deep[step] - shallow[step]).mean()) < SAME_PICTURE


def _sixteen_bits(image: Image.Image, data: bytes) -> bool:
    if image.format == "PNG":
        return data[24] == 16  # bit depth in IHDR (PNG specification, 11.2.1)
    if image.format == "TIFF":
        bits = image.tag_v2.get(ExifTags.Base.BitsPerSample, (8,))
        return max(bits if isinstance(bits, tuple) else (bits,)) == 16
    return False


def _deep_to_rgb(deep: np.ndarray) -> np.ndarray:
    """OpenCV's grey, BGR or BGRA uint16 to float RGB."""
    if deep.ndim == 2:
        return bytes_to_unit(cv2.cvtColor(deep, cv2.COLOR_GRAY2RGB))
    if deep.shape[2] == 4:
        unit = bytes_to_unit(cv2.cvtColor(deep, cv2.COLOR_BGRA2RGBA))
        return _over_backdrop(unit[..., :3], unit[..., 3:])
    return bytes_to_unit(cv2.cvtColor(deep, cv2.COLOR_BGR2RGB))


def _shallow_to_rgb(image: Image.Image, profile: ImageCms.ImageCmsProfile | None) -> np.ndarray:
    """8 bits a channel (Pillow has cut deeper ones) through the colour profile, over grey."""
    if image.mode.startswith("I;16"):
        image = Image.fromarray((np.asarray(image).astype(np.uint16) >> 8).astype(np.uint8))
    alpha = None
    if image.has_transparency_data:
        image = image.convert("RGBA")
        opacity = image.getchannel("A")
        if opacity.getextrema()[0] < BYTE_MAX:
            alpha = bytes_to_unit(np.asarray(opacity))[..., None]
        image = image.convert("RGB")
    elif image.mode not in ("RGB", "CMYK", "L"):
        image = image.convert("RGB")
    if (
        profile is not None
        and _COLOUR_SPACES.get(profile.profile.xcolor_space.strip()) == image.mode
    ):
        image = ImageCms.profileToProfile(
            image, profile, ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    unit = bytes_to_unit(np.asarray(image if image.mode == "RGB" else image.convert("RGB")))
    return unit if alpha is None else _over_backdrop(unit, alpha)


_COLOUR_SPACES = {"RGB": "RGB", "CMYK": "CMYK", "GRAY": "L"}
"""ICC colour space signature -> Pillow mode whose pixels such a profile describes."""


def _foreign_profile(image: Image.Image) -> ImageCms.ImageCmsProfile | None:
    """The embedded colour profile, unless it is sRGB or damaged (then the file counts as sRGB)."""
    raw = image.info.get("icc_profile")
    if not raw:
        return None
    try:
        profile = ImageCms.ImageCmsProfile(BytesIO(raw))
        name = ImageCms.getProfileDescription(profile)
    except _DECODER_ERRORS:
        return None
    return None if "srgb" in name.lower() else profile


def _over_backdrop(unit: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Straight alpha over `BACKDROP`, blended in sRGB values as editors do."""
    mixed = unit - np.float32(BACKDROP)
    mixed *= alpha  # in place: these arrays reach hundreds of megabytes
    mixed += np.float32(BACKDROP)
    return mixed
