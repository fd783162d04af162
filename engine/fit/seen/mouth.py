"""Shade inside the mouth, for the engine's own pictures: their light casts no shadows."""

from functools import lru_cache

import numpy as np
import torch

from ...head.numerics import smoothstep
from ...render.atlas import texel_values
from ...render.texture import resize_area
from ..loaded import LoadedPack, seam_sources, skin_atlas, uv_mask

LINING = (0.002, 0.018)
"""Metres behind the foremost point of the lining between which it grows dark. Ours: the lips'
inner side is as light as they are, what lies behind the front teeth is dark."""
DARKEST = 0.06
"""Share of its light that the back of the mouth gets. Ours, by eye in smiles."""


def shade_lining(skin: torch.Tensor, loaded: LoadedPack) -> torch.Tensor:
    """A skin texture (T, T, C), linear, with the lining of the mouth dark behind the lips."""
    texels, share = _lining(loaded, skin.shape[0])
    flat = skin.reshape(-1, skin.shape[-1]).clone()
    flat[texels] *= share[:, None]
    return flat.reshape(skin.shape)


def shade_teeth(picture: torch.Tensor) -> torch.Tensor:
    """The picture of the teeth (H, W, C), linear, as lips and cheeks let light to them, at half
    its size (lookups do not blend more than two texels: gaps between teeth would flicker).

    Ours, by eye: teeth of the lower jaw and back ones lie in the shade, and so do gums.
    """
    picture = resize_area(picture, picture.shape[0] // 2, picture.shape[1] // 2)
    height, width = picture.shape[:2]
    side = np.abs((np.arange(width) + 0.5) / width * 2.0 - 1.0)
    away = 1.0 - (np.arange(height) + 0.5) / height * 2.0 % 1.0  # 0 at the edges of the teeth
    upper = np.arange(height) < height // 2
    along = 1.0 - 0.9 * smoothstep(side, 0.2, 0.68)
    across = (1.0 - 0.5 * away) * np.where(upper, 1.0, 0.4)
    shade = torch.from_numpy(np.outer(across, along).astype(np.float32))
    return picture * shade[..., None]


@lru_cache(maxsize=4)
def _lining(loaded: LoadedPack, size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Flat texels (n,) of the mouth's lining at `size` texels a side, and their light (n,)."""
    sources = seam_sources(loaded, size).reshape(-1)
    depth = torch.from_numpy(loaded.head.mean[:, 2:].astype(np.float32))
    atlas = skin_atlas(loaded, size)
    inside = torch.from_numpy(uv_mask(loaded.head, ("mouth",), size) > 0.0) & atlas.valid
    texels = inside.reshape(-1).nonzero().squeeze(1)
    z = texel_values(depth, loaded.triangles, atlas).reshape(-1)[texels].numpy()
    behind = z.max(initial=-np.inf) - z
    light = torch.ones(size * size)
    light[texels] = torch.from_numpy(1.0 - (1.0 - DARKEST) * smoothstep(behind, *LINING)).float()
    light = light[sources]  # over the seams too, as the colours are
    texels = (light < 1.0).nonzero().squeeze(1)
    return texels, light[texels]
