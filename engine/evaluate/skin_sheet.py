"""Skin maps on rendered heads, many on one sheet: to judge skins side by side, as a painter would.

The light is soft, white and nearly frontal, so that what the sheet shows is the skin's.
"""

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from ..fit.loaded import LoadedPack
from ..fit.pictures import pad_seams, part_materials
from ..head.lighting import directional_light
from ..head.normals import unit
from ..head.shape import evaluate_shape
from ..protocol.conventions import ambient_light, linear_to_srgb
from ..render.render import orbit_camera, render_head
from ..reporter import Reporter
from ..result.pictures import BACKGROUND
from ..skin.dataset import generate_maps
from ..train.maps import list_maps, read_map

VIEWS = ((0.0, 4.0), (42.0, 4.0))
"""Yaw and pitch in degrees: front and three-quarter, from slightly above."""
MAP_SIZE = 1024
"""Texels a side of the maps that are shown: about two for each pixel of a face."""

IDENTITY_SPREAD = 0.7
IDENTITY_LIMIT = 1.5
"""Standard deviations of the random heads. Ours: clearly different people, none of them odd."""
IDENTITY_COUNT = 40
"""Leading shapes that are drawn at random; later ones hardly show."""

_WIDTH = 0.82
"""Width over height of one view: a head is taller than wide."""
_ZOOM = 1.04
"""Over a camera that shows the whole ball around the head."""
_GAP = 6


@dataclass(frozen=True)
class SheetSettings:
    """tile: pixels a head is high. columns: heads in a row. vary: random heads, not the mean."""

    tile: int = 288
    columns: int = 8
    vary: bool = True
    seed: int = 0


Maps = Generator[np.ndarray, None, None]


def generated(count: int, seed: int, workers: int | None) -> Maps:
    """Maps of the persons 0 to count - 1 of a set, (1024, 1024, 3) sRGB; see `generate_maps`."""
    yield from generate_maps(count, MAP_SIZE, seed, workers)


def given(folder: Path, limit: int) -> tuple[int, Maps]:
    """Number of maps in a folder, `limit` at most, and the maps, sRGB at their own size."""
    paths = list_maps(folder)[:limit]
    return len(paths), (read_map(path, None).unit() for path in paths)


def soft_light() -> torch.Tensor:
    """(9, 3) white light in model space: ambient and two wide lamps before the face.

    Ours: skin reads best where no part of the face lies in the dark, and form still shows.
    """
    light = torch.as_tensor(ambient_light(0.50), dtype=torch.float32)
    for direction, level in (((-0.45, 0.55, 1.0), 0.42), ((0.75, 0.25, 0.7), 0.16)):
        colour = torch.full((3,), level)
        light = light + directional_light(unit(torch.tensor(direction)), colour)
    return light


def random_head(loaded: LoadedPack, rng: np.random.Generator) -> torch.Tensor:
    """(V, 3) vertices of a random head within the prior, neutral, metres, model space."""
    head = loaded.head
    count = min(IDENTITY_COUNT, len(head.identity))
    z = np.clip(rng.normal(0.0, IDENTITY_SPREAD, count), -IDENTITY_LIMIT, IDENTITY_LIMIT)
    arrays = (head.mean, head.identity[:count], head.expression[:0], z)
    tensors = [torch.from_numpy(np.ascontiguousarray(each, dtype=np.float32)) for each in arrays]
    return evaluate_shape(*tensors, torch.zeros(0))


def head_tile(
    image: np.ndarray, vertices: torch.Tensor, loaded: LoadedPack, tile: int
) -> np.ndarray:
    """(tile, 2 W, 3) sRGB: both views of a head that wears a skin map.

    image: (S, S, 3) sRGB. vertices: (V, 3), of `random_head` or the mean head.
    """
    head = loaded.head
    materials = part_materials(loaded, pad_seams(image, loaded))
    part = torch.from_numpy(np.repeat(head.face_part, 2).astype(np.int64))
    uv = torch.from_numpy(head.triangle_uv)
    framed = vertices[torch.from_numpy(head.groups["neck"] < 0.5)]
    width = round(tile * _WIDTH / 2) * 2
    views = []
    for yaw, pitch in VIEWS:
        # A larger square camera whose middle is kept.
        side = round(tile * _ZOOM / 2) * 2
        camera = orbit_camera(framed, yaw, pitch, side)
        output = render_head(
            vertices, loaded.triangles, uv, part, materials, soft_light(), camera, supersample=2
        )
        alpha = output.alpha[..., None].numpy()
        shown = linear_to_srgb(np.clip(output.rgb.numpy(), 0.0, 1.0)) + (1 - alpha) * BACKGROUND
        top, left = (side - tile) // 2, (side - width) // 2
        views.append(shown[top : top + tile, left : left + width])
    return np.concatenate(views, axis=1).astype(np.float32)


def skin_sheet(
    maps: Iterable[np.ndarray],
    count: int,
    loaded: LoadedPack,
    settings: SheetSettings,
    reporter: Reporter,
) -> np.ndarray:
    """Heads in rows, (H, W, 3) sRGB.

    maps: `count` maps, each (S, S, 3) sRGB in [0, 1]. With settings.vary each head is another
    one, the same for equal seeds, so that two sheets show different skins on the same heads.
    """
    rng = np.random.default_rng(settings.seed)
    mean = torch.from_numpy(loaded.head.mean)
    sheet = np.zeros(0)
    reporter.progress(0, count)
    for number, image in enumerate(maps):
        vertices = random_head(loaded, rng) if settings.vary else mean
        shown = head_tile(image.astype(np.float32), vertices, loaded, settings.tile)
        if number == 0:
            sheet = _empty_sheet(count, settings.columns, shown.shape)
        row, column = divmod(number, settings.columns)
        top, left = _GAP + row * (shown.shape[0] + _GAP), _GAP + column * (shown.shape[1] + _GAP)
        sheet[top : top + shown.shape[0], left : left + shown.shape[1]] = shown
        reporter.progress(number + 1, count)
    return sheet


def _empty_sheet(count: int, columns: int, tile: tuple[int, ...]) -> np.ndarray:
    rows = -(-count // columns)
    height, width = (_GAP + n * (side + _GAP) for n, side in ((rows, tile[0]), (columns, tile[1])))
    return np.full((height, width, 3), BACKGROUND, np.float32)
