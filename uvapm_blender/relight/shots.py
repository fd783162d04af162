"""Which pictures are taken: plain values, no Blender."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from .environments import Environment

BACKGROUND = 0.2
"""sRGB grey behind the head where the world is hidden (ours: darker than skin, lighter than
hair)."""


@dataclass(frozen=True)
class Shot:
    """One picture.

    name: of its file, without ending. label: written on it. camera: radians from the front of the
    head towards its left. light: radians that the light is turned by, counter-clockwise from above.
    environment: id, or None for the scene's own.
    """

    name: str
    label: str
    camera: float
    light: float
    environment: str | None


def turntable_shots(frames: int, turns: str) -> tuple[Shot, ...]:
    """One full turn, without the last picture, which is the first again.

    turns: "CAMERA" or "HEAD". A head that turns is seen as camera and light that turn the other
    way, so the head itself is not touched.
    """
    angles = [2.0 * math.pi * index / frames for index in range(frames)]
    head = turns == "HEAD"
    return tuple(
        Shot(f"{index + 1:04d}", "", -angle if head else angle, -angle if head else 0.0, None)
        for index, angle in enumerate(angles)
    )


def sheet_shots(environments: Iterable[Environment], angle: float) -> tuple[Shot, ...]:
    """One picture an environment, from `angle` radians."""
    return tuple(
        Shot(f"{index + 1:04d}", each.label, angle, 0.0, each.id)
        for index, each in enumerate(environments)
    )


def sheet_columns(count: int) -> int:
    """Columns of a contact sheet: between square and twice as wide as high, fewest gaps, then
    nearest to square."""
    side = math.sqrt(count)
    choices = range(math.ceil(side), max(math.ceil(side), math.floor(2.0 * side)) + 1)
    return min(choices, key=lambda columns: (-count % columns, columns))


def contact_sheet(pictures: Sequence[np.ndarray], columns: int) -> np.ndarray:
    """One picture (H, W, 3) of several (h, w, 4) of one size, row by row, over grey.

    f32, sRGB in [0, 1]; alpha is not premultiplied, as in a PNG file.
    """
    height, width = pictures[0].shape[:2]
    rows = math.ceil(len(pictures) / columns)
    sheet = np.full((rows * height, columns * width, 3), BACKGROUND, np.float32)
    for index, picture in enumerate(pictures):
        row, column = divmod(index, columns)
        alpha = picture[..., 3:]
        place = np.s_[row * height : (row + 1) * height, column * width : (column + 1) * width]
        sheet[place] = picture[..., :3] * alpha + BACKGROUND * (1.0 - alpha)
    return sheet
