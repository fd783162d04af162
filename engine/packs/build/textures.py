"""Procedural textures of the parts that no photo shows well: eyes and lashes.

All randomness has fixed seeds. Colours are sRGB-encoded, as in the files.
"""

import cv2
import numpy as np

from ...head.numerics import smoothstep
from ...protocol.conventions import unit_to_bytes
from .eyeball import UV_ANGLE, UV_RADIUS

EYE_SIZE = 1024
LASH_SIZE = (512, 1024)
SEED = 7
IRIS_ANGLE = np.radians(23.0)
"""Half angle of the iris seen from the eyeball's centre: 5.85 mm on MakeHuman's 14.95 mm radius
(mean horizontal iris diameter of adults: 11.7 mm)."""
PUPIL_ANGLE = np.radians(8.0)
LIMBUS_WIDTH = np.radians(2.2)
SCLERA = np.array([0.82, 0.79, 0.765])
VEIN = np.array([0.72, 0.32, 0.28])
IRIS_INNER = np.array([0.46, 0.30, 0.16])
IRIS_OUTER = np.array([0.27, 0.17, 0.10])
LIMBUS = np.array([0.13, 0.09, 0.07])
PUPIL = np.array([0.012, 0.01, 0.01])
LASH_COLOUR = np.array([0.07, 0.05, 0.045])


def eye_texture(size: int = EYE_SIZE) -> np.ndarray:
    """(size, size, 3) u8 sRGB: brown iris with fibres, limbal ring, pupil, sclera with faint veins.

    The layout is `eyeball.eyeball_uv`: radius proportional to the angle from the gaze axis.
    """
    axis = (np.arange(size) + 0.5) / size - 0.5
    x, y = np.meshgrid(axis, -axis)
    angle = np.hypot(x, y) / UV_RADIUS * UV_ANGLE
    azimuth = np.arctan2(y, x)
    rng = np.random.default_rng(SEED)
    colour = _sclera(angle, azimuth, rng)
    iris = _iris(angle, azimuth, rng)
    edge = smoothstep(angle, IRIS_ANGLE + 0.5 * LIMBUS_WIDTH, IRIS_ANGLE - 0.5 * LIMBUS_WIDTH)
    colour = colour + edge[..., None] * (iris - colour)
    pupil = smoothstep(angle, PUPIL_ANGLE + 0.012, PUPIL_ANGLE - 0.012)
    return unit_to_bytes(colour + pupil[..., None] * (PUPIL - colour))


def _periodic_noise(
    azimuth: np.ndarray, rng: np.random.Generator, waves: np.ndarray, drift: np.ndarray
) -> np.ndarray:
    """Sum of cosines around the axis, bent by `drift`; roughly in [-1, 1]."""
    out = np.zeros_like(azimuth)
    for wave in waves:
        phase, sway = rng.uniform(0.0, 2.0 * np.pi, 2)
        out += np.cos(wave * azimuth + phase + 1.5 * np.sin(sway + drift)) / np.sqrt(len(waves))
    return out


def _iris(angle: np.ndarray, azimuth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Fibres run from the pupil to the limbus; a lighter ring (collarette) near the pupil."""
    depth = np.clip((angle - PUPIL_ANGLE) / (IRIS_ANGLE - PUPIL_ANGLE), 0.0, 1.0)
    fine = _periodic_noise(azimuth, rng, rng.integers(60, 140, 14), 5.0 * depth)
    coarse = _periodic_noise(azimuth, rng, rng.integers(9, 30, 8), 3.0 * depth)
    tone = IRIS_INNER + depth[..., None] * (IRIS_OUTER - IRIS_INNER)
    ring = np.exp(-(((depth - 0.28) / 0.12) ** 2))
    shade = 1.0 + 0.16 * fine + 0.14 * coarse + 0.22 * ring - 0.25 * np.exp(-depth / 0.06)
    tone = np.clip(tone * shade[..., None], 0.0, 1.0)
    rim = smoothstep(depth, 0.74, 1.0)[..., None]
    return tone + rim * (LIMBUS - tone)


def _sclera(angle: np.ndarray, azimuth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Off-white, warmer and redder towards the back, with thin branching veins."""
    size = len(angle)
    back = smoothstep(angle, IRIS_ANGLE, UV_ANGLE)
    veins = np.zeros((size, size), dtype=np.float32)
    for _ in range(46):
        _draw_vein(veins, rng, rng.uniform(0.0, 2.0 * np.pi), np.radians(100.0), 1.0, size)
    veins = cv2.GaussianBlur(veins, (0, 0), size / 700.0)
    amount = np.clip(veins, 0.0, 1.0) * (0.12 + 0.38 * back)
    warm = SCLERA * (1.0 - back[..., None] * np.array([0.02, 0.07, 0.08]))
    warm = warm * (1.0 + 0.012 * np.cos(2.0 * azimuth))[..., None]
    return warm + amount[..., None] * (VEIN - warm)


def _draw_vein(
    canvas: np.ndarray,
    rng: np.random.Generator,
    azimuth: float,
    angle: float,
    strength: float,
    size: int,
) -> None:
    """A wandering line from the back towards the iris, with side branches."""
    end = np.radians(rng.uniform(38.0, 75.0))
    points = []
    heading = 0.0
    while angle > end:
        points.append((azimuth, angle))
        heading = 0.85 * heading + rng.normal(0.0, 0.016)
        azimuth += heading
        angle -= np.radians(1.6)
        if strength > 0.5 and rng.random() < 0.05:
            _draw_vein(canvas, rng, azimuth, angle, 0.45, size)
    radius = np.array([p[1] for p in points]) / UV_ANGLE * UV_RADIUS * size
    turn = np.array([p[0] for p in points])
    if len(points) > 1:
        line = np.stack([size / 2 + radius * np.cos(turn), size / 2 - radius * np.sin(turn)], 1)
        path = np.rint(line * 16).astype(np.int32)
        cv2.polylines(canvas, [path], False, strength, 1, cv2.LINE_AA, 4)


UPPER_STRANDS = 90
LOWER_STRANDS = 60


def lash_texture(shape: tuple[int, int] = LASH_SIZE) -> np.ndarray:
    """(H, W, 4) u8 sRGB and alpha. Upper half: upper lashes, lower half: lower lashes.

    u runs from the inner to the outer corner, v from root to tip within each half.
    """
    rng = np.random.default_rng(SEED)
    height, width = shape
    half = height // 2
    upper = _strands(rng, half, width, UPPER_STRANDS, reach=0.92, thick=5.0, lean=0.05)
    lower = _strands(rng, half, width, LOWER_STRANDS, reach=0.62, thick=3.4, lean=0.03)
    alpha = np.concatenate([upper, lower])
    colour = np.broadcast_to(LASH_COLOUR, (*alpha.shape, 3))
    return unit_to_bytes(np.concatenate([colour, alpha[..., None]], axis=-1))


def _strands(
    rng: np.random.Generator,
    height: int,
    width: int,
    count: int,
    reach: float,
    thick: float,
    lean: float,
) -> np.ndarray:
    """(height, width) alpha of tapered, curved hairs, roots at the bottom row, in small clumps."""
    scale = 3
    canvas = np.zeros((height * scale, width * scale), dtype=np.float32)
    steps = np.linspace(0.0, 1.0, 18)
    for k in range(count):
        root = (k + rng.uniform(0.1, 0.9)) / count
        spread = 0.35 + 0.65 * np.sin(np.pi * min(root * 0.75 + 0.12, 1.0))
        length = reach * spread * rng.uniform(0.72, 1.0)
        clump = np.round(root * count / 4.0) * 4.0 / count
        tip = root + 0.45 * (clump - root) + lean * (root - 0.35) * 2.0 + rng.normal(0.0, 0.008)
        u = root + (tip - root) * steps**1.6
        v = length * steps
        points = np.stack([u * width, (1.0 - v) * height], axis=1) * scale
        for a, b, t in zip(points[:-1], points[1:], steps[:-1], strict=True):
            weight = max(1, round(thick * scale * (1.0 - t) ** 0.8 * 0.5))
            ends = [tuple(np.rint(p * 16).astype(int).tolist()) for p in (a, b)]
            cv2.line(canvas, *ends, 1.0, weight, cv2.LINE_AA, 4)
    return np.clip(cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA), 0.0, 1.0)


def encode_png(image: np.ndarray) -> bytes:
    """(H, W, 3 or 4) u8 RGB(A) to PNG bytes."""
    order = cv2.COLOR_RGBA2BGRA if image.shape[-1] == 4 else cv2.COLOR_RGB2BGR
    return cv2.imencode(".png", cv2.cvtColor(image, order))[1].tobytes()
