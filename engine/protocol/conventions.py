"""Every convention of the project, once.

Model space (engine): metres, right-handed, +x the subject's left, +y up, +z out of the face.
Blender world: metres, Z up; a head that looks along Blender's -Y axis (front view).
Camera space: x right, y down, z forward (as OpenCV); `x_cam = R @ x_model + t`.
Image space: row 0 on top, continuous pixel coordinates, centre of the first pixel (0.5, 0.5);
    `pixel = K @ x_cam`, divided by depth.
UV: OBJ convention, origin lower left, v up, [0, 1]; image row = (1 - v) * height.
Colour: floats in [0, 1], RGB. "sRGB" means encoded by IEC 61966-2-1, "linear" means
    proportional to light with the same primaries. Albedo models and files are sRGB; shading is
    linear.
Light: 9 x 3 coefficients of *shading* (irradiance / pi) in model space, linear RGB, so that
    `colour_linear = albedo_linear * sum_k light[k] * Y_k(normal)`; a white environment of
    radiance 1 gives shading 1 everywhere.
Normal maps: tangent space, +x along u, +y along v (upwards, as OpenGL, glTF and Blender have it),
    +z out of the skin; stored signed.
Coefficients: identity, albedo and detail in standard deviations; expression weights in [0, 1].

Formulas that both numpy and torch need take the array module as `xp`.
"""

import math
from types import ModuleType
from typing import Any

import numpy as np

BYTE_MAX = 255
SHORT_MAX = 65535

# --- axes -----------------------------------------------------------------------------------

MODEL_TO_BLENDER = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], dtype=np.float64)
"""Rotation (3, 3): model space (Y up, face along +Z) to Blender world (Z up, face along -Y)."""

MIRROR = np.array([-1.0, 1.0, 1.0])
"""Times points (..., 3) of model space: the other side of the face."""

CAMERA_TO_BLENDER_CAMERA = np.diag([1.0, -1.0, -1.0])
"""Our camera axes (x right, y down, z forward) to Blender's (x right, y up, looks along -z)."""

FRONTAL_ROTATION = np.diag([1.0, -1.0, -1.0])
"""R of a camera that looks straight at the face: model y up -> camera y down, +z -> towards it."""


def model_to_blender(points: np.ndarray) -> np.ndarray:
    """(..., 3) model-space points or vectors to Blender world axes. Metres stay metres."""
    return points @ MODEL_TO_BLENDER.T.astype(points.dtype)


def blender_to_model(points: np.ndarray) -> np.ndarray:
    """The inverse of `model_to_blender`."""
    return points @ MODEL_TO_BLENDER.astype(points.dtype)


# --- UV and images --------------------------------------------------------------------------


def uv_to_pixels(uv: Any, width: int, height: int, xp: ModuleType = np) -> Any:
    """(..., 2) UV (v up) to continuous pixel coordinates (x right, y down) of an image."""
    return xp.stack([uv[..., 0] * width, (1.0 - uv[..., 1]) * height], -1)


def mirror_texels(texture: np.ndarray) -> np.ndarray:
    """(S, S, ...) the other side of the face: the UV layout is symmetric about u = 1/2."""
    return texture[:, ::-1]


def turn_upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """(H, W, ...) stored pixels, row 0 on top, as they are meant to be seen.

    orientation: EXIF tag 0x0112, 1 to 8 (Exif 2.3); other values change nothing.
    """
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels


def to_bottom_up(image: np.ndarray) -> np.ndarray:
    """Rows reversed: our images start at the top, Blender's pixel buffers at the bottom."""
    return image[::-1]


def bytes_to_unit(image: np.ndarray) -> np.ndarray:
    """uint8 or uint16 image to float32 in [0, 1]."""
    top = {np.dtype(np.uint8): BYTE_MAX, np.dtype(np.uint16): SHORT_MAX}[image.dtype]
    return np.divide(image, np.float32(top), dtype=np.float32)


def unit_to_bytes(image: np.ndarray) -> np.ndarray:
    """Float image in [0, 1] (clipped) to uint8, rounded to nearest."""
    return np.rint(np.clip(image, 0.0, 1.0) * BYTE_MAX).astype(np.uint8)


def unit_to_shorts(image: np.ndarray) -> np.ndarray:
    """Float image in [0, 1] (clipped) to uint16, rounded to nearest."""
    return np.rint(np.clip(image, 0.0, 1.0) * SHORT_MAX).astype(np.uint16)


SIGNED_ZERO = 0.5
"""A signed map (detail, photo layer, normals) is stored as `value / 2 + 0.5`: mid grey is zero."""


def signed_to_unit(image: np.ndarray) -> np.ndarray:
    """Signed map in [-1, 1] to the stored form in [0, 1]."""
    return np.clip(image * 0.5 + SIGNED_ZERO, 0.0, 1.0)


def unit_to_signed(image: np.ndarray) -> np.ndarray:
    """The stored form in [0, 1] to the signed map in [-1, 1]: inverse of `signed_to_unit`."""
    return (image - SIGNED_ZERO) * 2.0


# --- colour ---------------------------------------------------------------------------------


SRGB_TOE, SRGB_TOE_LINEAR, SRGB_SLOPE = 0.04045, 0.0031308, 12.92
"""Where the straight piece of the curve ends, encoded and linear, and its slope."""
SRGB_SCALE, SRGB_OFFSET, SRGB_POWER = 1.055, 0.055, 2.4


def srgb_to_linear(x: Any, xp: ModuleType = np) -> Any:
    """sRGB-encoded to linear, elementwise (IEC 61966-2-1). Input is not clipped above 1."""
    high = (xp.clip(x, SRGB_TOE, None) + SRGB_OFFSET) / SRGB_SCALE
    return xp.where(x <= SRGB_TOE, x / SRGB_SLOPE, high**SRGB_POWER)


def linear_to_srgb(x: Any, xp: ModuleType = np) -> Any:
    """Linear to sRGB-encoded, elementwise (IEC 61966-2-1). Gradient-safe at 0."""
    high = SRGB_SCALE * xp.clip(x, SRGB_TOE_LINEAR, None) ** (1.0 / SRGB_POWER) - SRGB_OFFSET
    return xp.where(x <= SRGB_TOE_LINEAR, x * SRGB_SLOPE, high)


LUMINANCE_WEIGHTS = (0.2126, 0.7152, 0.0722)
"""Linear RGB to luminance (Rec. 709 primaries, IEC 61966-2-1)."""


# --- light ----------------------------------------------------------------------------------

SH_COUNT = 9
SH_COSINE_LOBE = (math.pi,) + (2.0 * math.pi / 3.0,) * 3 + (math.pi / 4.0,) * 5
"""Convolution of the clamped cosine per coefficient (Ramamoorthi & Hanrahan 2001, eq. 8)."""


def sh_basis(directions: Any, xp: ModuleType = np) -> Any:
    """Real orthonormal spherical harmonics up to degree 2.

    directions: (..., 3) unit vectors. Returns (..., 9) in the order
    (0,0), (1,-1) y, (1,0) z, (1,1) x, (2,-2) xy, (2,-1) yz, (2,0) 3z^2-1, (2,1) xz, (2,2) x^2-y^2
    (Ramamoorthi & Hanrahan 2001, eq. 3; no Condon-Shortley sign).
    """
    x, y, z = directions[..., 0], directions[..., 1], directions[..., 2]
    c0 = 0.5 / math.sqrt(math.pi)
    c1 = math.sqrt(3.0 / (4.0 * math.pi))
    c2 = 0.5 * math.sqrt(15.0 / math.pi)
    c3 = 0.25 * math.sqrt(5.0 / math.pi)
    terms = [
        c0 + 0.0 * x,
        c1 * y,
        c1 * z,
        c1 * x,
        c2 * x * y,
        c2 * y * z,
        c3 * (3.0 * z * z - 1.0),
        c2 * x * z,
        0.5 * c2 * (x * x - y * y),
    ]
    return xp.stack(terms, -1)


def shading_to_radiance(light: np.ndarray) -> np.ndarray:
    """(9, 3) shading coefficients to radiance coefficients of the environment.

    Shading is irradiance / pi, so radiance_k = shading_k * pi / A_k (same source as A_k).
    """
    lobe = np.asarray(SH_COSINE_LOBE)[:, None]
    return light * math.pi / lobe


def ambient_light(level: float = 1.0) -> np.ndarray:
    """(9, 3) light of a uniform white environment whose shading is `level` everywhere."""
    light = np.zeros((SH_COUNT, 3))
    light[0] = level * 2.0 * math.sqrt(math.pi)
    return light


def radiance_to_equirectangular(light: np.ndarray, height: int) -> np.ndarray:
    """Environment map (height, 2 * height, 3), linear, non-negative, from (9, 3) shading light.

    Laid out as Blender's environment texture (see `equirectangular_directions`).
    """
    directions = equirectangular_directions(height) @ MODEL_TO_BLENDER
    return np.maximum(sh_basis(directions) @ shading_to_radiance(light), 0.0)


def equirectangular_directions(height: int) -> np.ndarray:
    """(height, 2 * height, 3) unit directions in Blender world axes of each pixel, top row first.

    Blender's environment texture: u = 1/2 - atan2(y, x) / (2 pi), v = atan2(z, |xy|) / pi + 1/2
    (Blender's direction_to_equirectangular; a render test checks it).
    """
    width = 2 * height
    u = (np.arange(width) + 0.5) / width
    v = 1.0 - (np.arange(height) + 0.5) / height
    azimuth = (u - 0.5) * 2.0 * math.pi
    elevation = (v - 0.5) * math.pi
    flat = np.cos(elevation)[:, None]
    x = np.cos(azimuth)[None, :] * flat
    y = -np.sin(azimuth)[None, :] * flat
    z = np.broadcast_to(np.sin(elevation)[:, None], x.shape)
    return np.stack([x, y, z], axis=-1)
