"""Skin maps on rendered heads, many on one sheet: to judge skins side by side, as a painter would.

The light is soft, white and nearly frontal, so that what the sheet shows is the skin's.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import torch

from ..fit.loaded import LoadedPack
from ..fit.pictures import pad_seams, part_materials
from ..head.lighting import directional_light
from ..head.normals import unit
from ..head.shape import evaluate_shape
from ..protocol.conventions import ambient_light
from ..reporter import Reporter
from ..render.render import render_views
from ..result.pictures import contact_sheet

VIEWS = ((0.0, 4.0), (40.0, 4.0))
"""Yaw and pitch in degrees: front and three-quarter, from slightly above."""

IDENTITY_SPREAD = 0.6
"""Standard deviations of the random heads. Ours: clearly different people, none of them odd."""
IDENTITY_LIMIT = 1.5
IDENTITY_COUNT = 40
"""Leading shapes that are drawn at random; later ones hardly show."""

_SIDES = 0.80
"""Share of a square picture's width that is kept: a head is taller than wide."""


@dataclass(frozen=True)
class SheetSettings:
    """tile: pixels a head is high. columns: heads in a row. vary: random heads, not the mean."""

    tile: int = 288
    columns: int = 8
    vary: bool = True


def soft_light() -> torch.Tensor:
    """(9, 3) white light in model space: much ambient light and a wide key from above the viewer.

    Ours: skin reads best where no part of the face lies in the dark.
    """
    light = torch.as_tensor(ambient_light(0.50), dtype=torch.float32)
    for direction, level in (((-0.45, 0.55, 1.0), 0.42), ((0.75, 0.25, 0.7), 0.16)):
        colour = torch.full((3,), level)
        light = light + directional_light(unit(torch.tensor(direction)), colour)
    return light


def random_head(loaded: LoadedPack, rng: np.random.Generator) -> torch.Tensor:
    """(V, 3) vertices of a random head within the prior, neutral, metres, model space."""
    head = loaded.head
    z = np.zeros(len(head.identity), dtype=np.float32)
    count = min(IDENTITY_COUNT, len(z))
    drawn = rng.normal(0.0, IDENTITY_SPREAD, count)
    z[:count] = np.clip(drawn, -IDENTITY_LIMIT, IDENTITY_LIMIT)
    mean, identity, expression = (
        torch.from_numpy(np.ascontiguousarray(each, dtype=np.float32))
        for each in (head.mean, head.identity, head.expression[:0])
    )
    return evaluate_shape(mean, identity, expression, torch.from_numpy(z), torch.zeros(0))


def head_tile(
    image: np.ndarray, vertices: torch.Tensor, loaded: LoadedPack, tile: int
) -> np.ndarray:
    """(tile, W, 3) sRGB: both views of a head that wears the map image (S, S, 3), sRGB."""
    materials = part_materials(loaded, pad_seams(image, loaded))
    part = torch.from_numpy(np.repeat(loaded.head.face_part, 2).astype(np.int64))
    uv = torch.from_numpy(loaded.head.triangle_uv)
    pictures = render_views(
        vertices, loaded.triangles, uv, part, materials, VIEWS, tile, light=soft_light()
    )
    cut = round(tile * (1.0 - _SIDES) / 2)
    return np.concatenate([each.numpy()[:, cut : tile - cut] for each in pictures], axis=1)
