"""What people wear and hold: glasses, clothes, hats, things before the face. Ours, simple."""

import cv2
import numpy as np

from .camera import View

GLASSES = 0.16
DARK_GLASSES = 0.15
"""Share of the glasses that are sunglasses."""
HAND = 0.06


def draw_clothes(picture: np.ndarray, view: View, rng: np.random.Generator) -> None:
    """Shoulders and a collar below the neck, before the head is laid over them."""
    colour = np.clip(rng.beta(0.9, 2.0) * np.exp(rng.normal(0, 0.35, 3)), 0.004, 0.8)
    wide, high, back = rng.uniform(0.17, 0.24), rng.uniform(-0.20, -0.15), -0.075
    shape = [
        (-wide - 0.06, -0.6),
        (-wide, high - 0.05),
        (-wide * 0.75, high),
        (-0.065, high + 0.035),
    ]
    outline = shape + [(-x, y) for x, y in shape[::-1]]
    points = np.array([(x, y, back) for x, y in outline])
    pixels, _ = view.project(points)
    cv2.fillPoly(picture, [_whole(pixels)], colour.tolist(), cv2.LINE_AA)
    _folds(picture, pixels, colour, rng)


def _folds(
    picture: np.ndarray, pixels: np.ndarray, colour: np.ndarray, rng: np.random.Generator
) -> None:
    """A few soft lines, so that the cloth is not a flat sign."""
    low, high = pixels.min(0), pixels.max(0)
    for _ in range(int(rng.integers(0, 12))):
        ends = rng.uniform(low, high, (2, 2))
        ends[:, 1] = np.maximum(ends[:, 1], pixels[2, 1] + 4)
        tone = (colour * rng.uniform(0.5, 1.5)).tolist()
        cv2.line(picture, *_whole(ends).tolist(), tone, int(rng.integers(1, 4)), cv2.LINE_AA)


def draw_collar(picture: np.ndarray, view: View, low: float, rng: np.random.Generator) -> None:
    """Cloth round the cut end of the neck, after the head. low: y of the end, metres."""
    colour = np.clip(rng.beta(0.9, 2.0) * np.exp(rng.normal(0, 0.35, 3)), 0.004, 0.8)
    angle = np.linspace(-0.5 * np.pi, 1.5 * np.pi, 28)
    rise = rng.uniform(0.012, 0.03)
    dip = rng.uniform(0.0, 0.02)
    top = np.stack(
        [
            0.068 * np.cos(angle),
            low + rise - dip * np.maximum(np.sin(angle), 0),
            -0.085 + 0.06 * np.sin(angle),
        ],
        -1,
    )
    bottom = top * [2.2, 1.0, 1.0] - [0.0, 0.11, 0.0]
    near = np.sin(angle) > -0.4
    outline = np.concatenate([top[near], bottom[near][::-1]])
    pixels, _ = view.project(outline)
    cv2.fillPoly(picture, [_whole(pixels)], colour.tolist(), cv2.LINE_AA)


def draw_glasses(
    picture: np.ndarray, view: View, eyes: np.ndarray, ears: np.ndarray, rng: np.random.Generator
) -> None:
    """Frames before the eyes. eyes, ears (2, 3): right then left, model space."""
    wide, high = rng.uniform(0.021, 0.030), rng.uniform(0.014, 0.023)
    power = rng.uniform(2.0, 4.5)
    angle = np.linspace(0.0, 2.0 * np.pi, 26)[:-1]
    cosine, sine = np.cos(angle), np.sin(angle)
    ring = np.stack(
        [
            np.sign(cosine) * np.abs(cosine) ** (2 / power) * wide,
            np.sign(sine) * np.abs(sine) ** (2 / power) * high,
            0 * angle,
        ],
        -1,
    )
    ahead = rng.uniform(0.022, 0.030)
    dark = rng.random() < DARK_GLASSES
    tint = np.array([0.01, 0.01, 0.012]) if dark else rng.uniform(0.5, 1.0, 3)
    strength = rng.uniform(0.75, 0.97) if dark else rng.uniform(0.0, 0.12)
    colour = (rng.beta(0.6, 2.0) * np.exp(rng.normal(0, 0.3, 3))).tolist()
    thick = max(1, round(view.scale * rng.choice([0.0012, 0.0025, 0.004])))
    middle = eyes.mean(0)
    for eye, ear, sign in zip(eyes, ears, (-1.0, 1.0), strict=True):
        centre = eye + [sign * 0.002, rng.normal(-0.003, 0.001), 0.0]
        points = centre + ring + [0.0, 0.0, ahead]
        points[:, 2] -= np.abs(points[:, 0] - middle[0]) * 0.15
        pixels = _whole(view.project(points)[0])
        lens = picture.copy()
        cv2.fillPoly(lens, [pixels], tint.tolist(), cv2.LINE_AA)
        picture += strength * (lens - picture)
        cv2.polylines(picture, [pixels], True, colour, thick, cv2.LINE_AA)
        hinge = centre + [sign * wide, 0.004, ahead - 0.005]
        if view.shows(np.stack([hinge, ear]), 0.02).all():
            ends = _whole(view.project(np.stack([hinge, ear + [0, 0.008, 0]]))[0])
            cv2.line(picture, *ends.tolist(), colour, thick, cv2.LINE_AA)
    bridge = np.stack(
        [
            eye + [sign * (0.002 - wide), 0.003, ahead]
            for eye, sign in zip(eyes, (-1.0, 1.0), strict=True)
        ]
    )
    cv2.line(picture, *_whole(view.project(bridge)[0]).tolist(), colour, thick, cv2.LINE_AA)


def draw_hand(
    picture: np.ndarray, face: np.ndarray, skin: np.ndarray, rng: np.random.Generator
) -> None:
    """A hand or a thing over the edge of the face. face (n, 2): its outline in pixels."""
    centre, size = face.mean(0), np.ptp(face, axis=0).max()
    angle = rng.uniform(0.15 * np.pi, 0.85 * np.pi) if rng.random() < 0.7 else rng.uniform(0, 6.3)
    towards = np.array([np.cos(angle), np.sin(angle)])
    place = centre + towards * size * rng.uniform(0.40, 0.6)
    colour = skin if rng.random() < 0.6 else rng.beta(1, 2) * np.exp(rng.normal(0, 0.3, 3))
    across = np.array([-towards[1], towards[0]])
    for finger in range(int(rng.integers(1, 5))):
        start = place + across * size * 0.075 * finger
        end = start + towards * size * rng.uniform(0.4, 0.7) + across * size * rng.normal(0, 0.05)
        tone = (np.asarray(colour) * rng.uniform(0.75, 1.1)).tolist()
        thick = max(2, int(size * rng.uniform(0.05, 0.08)))
        cv2.line(picture, *_whole(np.stack([start, end])).tolist(), tone, thick, cv2.LINE_AA)


def draw_hat(picture: np.ndarray, view: View, rng: np.random.Generator) -> None:
    """A cap or woollen hat down to the forehead."""
    colour = np.clip(rng.beta(0.9, 2.0) * np.exp(rng.normal(0, 0.35, 3)), 0.004, 0.8)
    low, tall = rng.uniform(0.055, 0.08), rng.uniform(0.05, 0.09)
    angle = np.linspace(0.0, 2.0 * np.pi, 40)
    rings = []
    for share in np.linspace(0.0, 1.0, 7):
        across = (1.0 - share**2.5) ** 0.5 + 0.04
        x, z = 0.084 * across * np.cos(angle), -0.058 + 0.100 * across * np.sin(angle)
        rings.append(np.stack([x, np.full(40, low + tall * share), z], -1))
    for number in range(len(rings) - 1):
        hull = cv2.convexHull(_whole(view.project(np.concatenate(rings[number : number + 2]))[0]))
        tone = colour * (0.75 + 0.08 * number)
        cv2.fillPoly(picture, [hull], tone.tolist(), cv2.LINE_AA)


def _whole(pixels: np.ndarray) -> np.ndarray:
    return np.rint(np.clip(pixels, -4000, 4000)).astype(np.int32)
