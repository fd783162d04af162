"""What a camera and a file do to a picture: blur, noise, exposure, tone, JPEG."""

import cv2
import numpy as np

from ...protocol.conventions import bytes_to_unit, linear_to_srgb, unit_to_bytes

GREY = 0.20
"""Linear mean of a well exposed face (18 % grey, and faces are exposed a little brighter)."""

NOISE_TILE = 96
"""Pixels a side of the noise, which is then repeated."""
LEVELS = 4096
_TABLE = linear_to_srgb(np.linspace(0.0, 1.0, LEVELS)).astype(np.float32)


def develop(
    linear: np.ndarray, face: np.ndarray, skin: float, rng: np.random.Generator
) -> np.ndarray:
    """(H, W, 3) float32 sRGB in [0, 1] of a linear picture.

    face (H, W) in [0, 1]: what is exposed for. skin: linear mean albedo of the person, to which
    cameras leave half of its darkness.
    """
    inside = face > 0.5
    mean = float(linear[inside].mean()) if inside.any() else GREY
    wanted = GREY * (skin / 0.3) ** 0.5 * np.exp(rng.normal(0.1, 0.35))
    balance = np.exp(rng.normal(0.0, 0.06, 3))
    picture = linear * (wanted / max(mean, 1e-4) * balance).astype(np.float32)
    picture = _shoulder(picture)
    blur = rng.gamma(1.2, 0.45)
    if blur > 0.35:
        picture = cv2.GaussianBlur(picture.astype(np.float32), (0, 0), float(blur))
    grain = np.exp(rng.normal(-5.0, 0.9))
    size = picture.shape[:2]
    tile = rng.standard_normal((NOISE_TILE, NOISE_TILE, 3), np.float32) * np.float32(0.7 * grain)
    tile = tile + tile.mean(2, keepdims=True)
    across = [-(-n // NOISE_TILE) for n in size]
    shot = np.tile(tile, (*across, 1))[: size[0], : size[1]]
    picture = picture + shot * np.sqrt(np.clip(picture, 0.0, 1.0) + np.float32(0.05))
    encoded = _encode(picture)
    encoded = _style(encoded, rng)
    if rng.random() < 0.8:
        encoded = _jpeg(encoded, int(rng.integers(35, 96)))
    return encoded.astype(np.float32)


def _encode(picture: np.ndarray) -> np.ndarray:
    """sRGB by a table: the power takes longer than the whole head."""
    levels = np.clip(picture * np.float32(LEVELS - 1), 0.0, LEVELS - 1).astype(np.int32)
    return np.asarray(_TABLE[levels])


def _shoulder(picture: np.ndarray) -> np.ndarray:
    """Highlights roll off above 0.7, as cameras' curves do."""
    over = np.maximum(picture - 0.7, 0.0)
    return np.asarray(np.minimum(picture, 0.7) + over / (1.0 + over / 0.35))


def _style(encoded: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    if rng.random() < 0.06:
        encoded = np.repeat(encoded.mean(2, keepdims=True), 3, 2)
    grey = encoded.mean(2, keepdims=True)
    encoded = grey + (encoded - grey) * rng.uniform(0.75, 1.25)
    contrast = rng.uniform(0.85, 1.25)
    encoded = (encoded - 0.45) * contrast + 0.45
    if rng.random() < 0.3:  # a phone's sharpening
        soft = cv2.GaussianBlur(encoded, (0, 0), 1.2)
        encoded = encoded + rng.uniform(0.2, 0.8) * (encoded - soft)
    return np.clip(encoded, 0.0, 1.0)


def _jpeg(encoded: np.ndarray, quality: int) -> np.ndarray:
    data = cv2.imencode(".jpg", unit_to_bytes(encoded), [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return bytes_to_unit(cv2.imdecode(data, cv2.IMREAD_COLOR))
