"""Backgrounds: rooms, walls, streets and leaves, out of focus; nothing but numbers."""

import cv2
import numpy as np


def random_background(rng: np.random.Generator, side: int) -> np.ndarray:
    """(side, side, 3) float32 linear: a slope of colour with things in it, blurred by chance."""
    picture = _slope(rng, side)
    kind = rng.random()
    if kind < 0.55:
        _things(picture, rng, int(rng.integers(4, 40)))
    elif kind < 0.8:
        picture = _leaves(picture, rng)
    if rng.random() < 0.2:
        _lights(picture, rng)
    blur = side * rng.choice([0.0, 0.003, 0.01, 0.03], p=[0.15, 0.3, 0.35, 0.2])
    if blur > 0.3:
        picture = cv2.GaussianBlur(picture, (0, 0), float(blur))
    return np.clip(picture, 0.0, 2.0)


def _colour(rng: np.random.Generator) -> np.ndarray:
    grey = rng.beta(1.1, 2.0)
    return np.clip(grey * np.exp(rng.normal(0.0, rng.choice([0.08, 0.3]), 3)), 0.0, 1.2)


def _slope(rng: np.random.Generator, side: int) -> np.ndarray:
    corners = np.stack([_colour(rng) for _ in range(4)])
    if rng.random() < 0.5:  # nearly one wall
        corners = corners[:1] * rng.uniform(0.7, 1.2, (4, 1))
    small = corners.reshape(2, 2, 3).astype(np.float32)
    return cv2.resize(small, (side, side), interpolation=cv2.INTER_LINEAR)


def _things(picture: np.ndarray, rng: np.random.Generator, count: int) -> None:
    side = len(picture)
    for _ in range(count):
        colour = _colour(rng).tolist()
        x, y = rng.uniform(-0.1, 1.1, 2) * side
        wide, high = side * rng.gamma(1.5, 0.10, 2)
        if rng.random() < 0.7:  # upright boxes: doors, books, houses
            first, last = (int(x - wide), int(y - high)), (int(x + wide), int(y + high))
            cv2.rectangle(picture, first, last, colour, -1, cv2.LINE_AA)
        else:
            axes = (int(wide) + 1, int(high) + 1)
            cv2.ellipse(picture, (int(x), int(y)), axes, rng.uniform(0, 180), 0, 360, colour, -1)


def _leaves(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    side, total = len(picture), 0.0
    for cells in (4, 9, 20, 45, 90):
        noise = rng.standard_normal((cells, cells)).astype(np.float32)
        total = total + cv2.resize(noise, (side, side), interpolation=cv2.INTER_CUBIC)
    tint = np.exp(rng.normal(0.0, 0.25, 3)).astype(np.float32)
    gain = np.exp(0.35 * np.asarray(total, np.float32))[..., None]
    return np.asarray(picture * gain * tint, np.float32)


def _lights(picture: np.ndarray, rng: np.random.Generator) -> None:
    side = len(picture)
    for _ in range(int(rng.integers(3, 25))):
        place = tuple(int(v) for v in rng.uniform(0, side, 2))
        radius = max(1, int(side * rng.gamma(2.0, 0.008)))
        cv2.circle(picture, place, radius, (rng.uniform(0.5, 1.6, 3)).tolist(), -1, cv2.LINE_AA)
