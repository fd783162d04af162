"""Made up glasses, hands, cloth and objects over a face in the skin's layout."""

import cv2
import numpy as np

from ...protocol.conventions import BYTE_MAX
from .hair import COLOURS, Layer, blurred_noise

EYES = np.array([[0.345, 0.372], [0.655, 0.372]])
"""Middle of the lids, as shares of the square round the face in the layout."""


def draw_glasses(rng: np.random.Generator, size: int) -> Layer:
    """Rims, bridge, temples and lenses; some tinted, some mirroring, some without rims."""
    colour = np.zeros((size, size, 3), np.float32)
    cover = np.zeros((size, size), np.float32)
    half = np.array([rng.uniform(0.10, 0.19), rng.uniform(0.06, 0.17)])
    shift = np.array([0.0, rng.uniform(-0.02, 0.06)])
    spread, power = rng.uniform(0.98, 1.15), rng.uniform(2.0, 4.5)
    turn, tilt = rng.normal(0.0, 0.02, 2)
    tint, tint_cover = _tint(rng)
    rim_colour = _rim_colour(rng)
    width = (0.004 + 0.03 * rng.random() ** 2) * (rng.random() > 0.08)
    outlines = [
        _outline((eye - 0.5) * [spread, 1.0] + 0.5 + shift + [turn, s * tilt], half, power, s)
        for eye, s in zip(EYES, (-1, 1), strict=True)
    ]
    for outline in outlines:
        lens = _filled(outline, size)
        ramp = np.clip(1.3 - rng.uniform(0, 1.2) * np.linspace(0, 1, size), 0, 1)[:, None]
        _over(colour, cover, tint, lens * tint_cover * ramp)
        if rng.random() < 0.4:
            glint = lens * _blob(rng, size, outline.mean(0), 0.08)
            _over(colour, cover, rng.uniform(0.6, 1.0, 3), glint * rng.uniform(0.2, 1.0))
    frame = np.zeros((size, size), np.float32)
    for outline, side in zip(outlines, (-1, 1), strict=True):
        frame = np.maximum(frame, _line(outline, size, width, True))
        end = np.array([0.5 + side * 0.55, outline[:, 1].min() + rng.uniform(-0.05, 0.15)])
        start = outline[np.argmax(side * outline[:, 0])]
        arm = np.linspace(start, end, 8)
        frame = np.maximum(frame, _line(arm, size, width * rng.uniform(0.5, 1.2) + 0.003, False))
    inner = [outlines[0][np.argmax(outlines[0][:, 0])], outlines[1][np.argmin(outlines[1][:, 0])]]
    bridge = np.array([inner[0], np.mean(inner, 0) - [0, rng.uniform(0.0, 0.03)], inner[1]])
    frame = np.maximum(frame, _line(bridge, size, width + 0.004, False))
    shine = 1.0 + rng.uniform(0, 0.8) * blurred_noise(rng, size, 12)[..., None]
    _over(colour, cover, np.clip(rim_colour * shine, 0, 1).astype(np.float32), frame)
    return colour, cover


def draw_hand(rng: np.random.Generator, size: int, skin: np.ndarray) -> Layer:
    """Fingers that come in from below or the side, of the person's own skin (3,) sRGB."""
    cover = np.zeros((size, size), np.float32)
    shade = np.ones((size, size), np.float32)
    side = rng.choice([-1.0, 1.0])
    root = np.array([0.5 + side * rng.uniform(0.05, 0.5), rng.uniform(0.75, 1.1)])
    way = rng.normal(-0.5 * np.pi - 0.4 * side, 0.5)
    for finger in range(int(rng.integers(1, 6))):
        width = rng.uniform(0.05, 0.10)
        angle = way + (finger - 2) * rng.uniform(0.05, 0.25)
        start = root + (finger - 2) * rng.uniform(0.03, 0.08) * np.array([1.0, 0.1])
        tip = start + rng.uniform(0.2, 0.5) * np.array([np.cos(angle), np.sin(angle)])
        joint = 0.5 * (start + tip) + rng.normal(0.0, 0.02, 2)
        part = _line(np.array([start, joint, tip]), size, width, False)
        distance = cv2.distanceTransform((part > 0.5).astype(np.uint8), cv2.DIST_L2, 3)
        round_ = np.clip(distance / (0.35 * width * size), 0.0, 1.0)
        shade = np.where(part > 0.5, 0.55 + 0.45 * round_, shade)
        cover = np.maximum(cover, part)
    tone = np.clip(skin * rng.uniform(0.7, 1.2, 3) * [1.05, 1.0, 1.0], 0, 1)
    colour = tone * shade[..., None] * (1.0 + 0.05 * blurred_noise(rng, size, 24)[..., None])
    return np.clip(colour, 0, 1).astype(np.float32), cover


def draw_cloth(rng: np.random.Generator, size: int) -> Layer:
    """A hat, scarf, hood or background: everything beyond a wavy edge, plain or patterned."""
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size
    kind = rng.integers(3)
    wave = 0.03 * blurred_noise(rng, size, 5)
    if kind == 0:  # a hat
        edge = (
            rng.uniform(0.03, 0.28)
            + rng.normal(0, 0.15) * (x - 0.5)
            + rng.normal(0, 0.4) * (x - 0.5) ** 2
        )
        inside = edge - y
    elif kind == 1:  # round the face
        radius = np.hypot((x - 0.5) / rng.uniform(0.3, 0.5), (y - 0.47) / rng.uniform(0.35, 0.55))
        inside = 0.3 * (radius - 1.0)
    else:  # from one side
        angle = rng.uniform(0, 2 * np.pi)
        inside = np.cos(angle) * (x - 0.5) + np.sin(angle) * (y - 0.45) - rng.uniform(0.2, 0.45)
    cover = np.clip((inside + wave) * size / rng.uniform(1.0, 6.0) + 0.5, 0.0, 1.0)
    return _pattern(rng, size), cover.astype(np.float32)


def draw_object(rng: np.random.Generator, size: int) -> Layer:
    """A microphone, cup, mask or anything else: a smooth shape, mostly on the lower face."""
    middle = np.array([rng.uniform(0.1, 0.9), rng.choice([rng.uniform(0.5, 1.0), rng.random()])])
    angles = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    radius = 1.0 + sum(rng.normal(0, 0.25 / k) * np.cos(k * angles + k) for k in (1, 2, 3, 4))
    shape = np.stack([np.cos(angles), np.sin(angles)], -1) * radius[:, None]
    shape = middle + shape * rng.uniform(0.04, 0.2, 2)
    cover = cv2.GaussianBlur(_filled(shape, size), (0, 0), rng.uniform(0.5, 2.5))
    return _pattern(rng, size), cover


def _pattern(rng: np.random.Generator, size: int) -> np.ndarray:
    """(S, S, 3): one colour, a gradient, or two colours in stripes, checks or spots."""
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size
    first, second = rng.uniform(0.0, 1.0, (2, 3)) ** rng.uniform(0.7, 2.0)
    angle, pitch = rng.uniform(0, np.pi), rng.uniform(8, 60)
    u = pitch * (np.cos(angle) * x + np.sin(angle) * y) + 0.5 * blurred_noise(rng, size, 6)
    v = pitch * (np.cos(angle) * y - np.sin(angle) * x)
    kinds = (
        0 * u,
        x,
        np.sin(6.3 * u) > 0,
        np.sin(6.3 * u) * np.sin(6.3 * v) > 0,
        blurred_noise(rng, size, int(pitch)) > 0.3,
        blurred_noise(rng, size, 8),
    )
    share = kinds[rng.integers(len(kinds))].astype(np.float32)[..., None]
    light = np.exp(
        rng.uniform(0, 0.4) * blurred_noise(rng, size, 4) + 0.05 * blurred_noise(rng, size, 64)
    )
    return np.clip((first * (1 - share) + second * share) * light[..., None], 0, 1).astype(
        np.float32
    )


def _tint(rng: np.random.Generator) -> tuple[np.ndarray, float]:
    if rng.random() < 0.4:
        return np.zeros(3, np.float32), 0.0
    return (rng.uniform(0.0, 0.5, 3) ** 1.5).astype(np.float32), float(rng.uniform(0.1, 1.0))


def _rim_colour(rng: np.random.Generator) -> np.ndarray:
    choice = rng.random()
    if choice < 0.6:
        return np.full(3, rng.uniform(0.02, 0.2))
    return COLOURS[rng.integers(1, 6)] if choice < 0.8 else rng.uniform(0.1, 0.9, 3)


def _outline(middle: np.ndarray, half: np.ndarray, power: float, side: int) -> np.ndarray:
    """(n, 2) superellipse, a little larger at its outer upper corner."""
    t = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    c, s = np.cos(t), np.sin(t)
    shape = np.stack([np.abs(c) ** (2 / power) * np.sign(c), np.abs(s) ** (2 / power) * np.sign(s)])
    return middle + shape.T * half * (1.0 + 0.08 * (side * c - s))[:, None]


def _filled(points: np.ndarray, size: int) -> np.ndarray:
    mask = np.zeros((size, size), np.uint8)
    cv2.fillPoly(mask, [np.rint(points * size * 16).astype(np.int32)], BYTE_MAX, cv2.LINE_AA, 4)
    return mask.astype(np.float32) / mask.max(initial=1)


def _line(points: np.ndarray, size: int, width: float, closed: bool) -> np.ndarray:
    mask = np.zeros((size, size), np.uint8)
    if width <= 0.0:
        return mask.astype(np.float32)
    line = np.rint(points * size * 16).astype(np.int32)
    cv2.polylines(mask, [line], closed, BYTE_MAX, max(1, round(width * size)), cv2.LINE_AA, 4)
    return mask.astype(np.float32) / mask.max(initial=1)


def _blob(rng: np.random.Generator, size: int, middle: np.ndarray, reach: float) -> np.ndarray:
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size
    cx, cy = middle + rng.normal(0.0, 0.04, 2)
    rx, ry = reach * rng.uniform(0.2, 1.5, 2)
    return np.exp(-(((x - cx) / rx) ** 2) - ((y - cy) / ry) ** 2).astype(np.float32)


def _over(colour: np.ndarray, cover: np.ndarray, paint: np.ndarray, alpha: np.ndarray) -> None:
    """Paint over a layer with straight alpha, in place."""
    total = alpha + cover * (1.0 - alpha)
    share = (alpha / np.maximum(total, 1e-6))[..., None]
    colour[:] = colour * (1.0 - share) + paint * share
    cover[:] = total
