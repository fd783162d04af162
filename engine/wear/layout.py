"""The mesh's own UVs: which tile is baked, and what is wrong with them."""

from dataclasses import dataclass

import numpy as np
import torch

from ..protocol.headpack import split_quads
from ..render.atlas import Atlas, build_atlas

_EDGE = 1e-9


@dataclass(frozen=True, eq=False)
class OwnLayout:
    """uv (F, 4, 2): moved so that the tile that is baked is [0, 1]; inside (F,) bool: faces that
    lie in it. atlas: its texels. overlap: share of the covered UV area that several faces share;
    beside: share outside the tile."""

    uv: np.ndarray
    inside: np.ndarray
    atlas: Atlas
    overlap: float
    beside: float


def own_layout(
    corner_uv: np.ndarray, covered: np.ndarray, drawn: np.ndarray, size: int
) -> OwnLayout:
    """Of the mesh's own UVs (F, 4, 2), v up, the UDIM tile with most covered faces (F,) bool.

    drawn (F,) bool: faces that get texels.
    """
    tile = np.floor(corner_uv.mean(axis=1) + _EDGE)
    tiles, count = np.unique(tile[covered], axis=0, return_counts=True)
    chosen = tiles[count.argmax()] if len(tiles) else np.zeros(2)
    inside = (tile == chosen).all(axis=1)
    uv = corner_uv - chosen
    atlas = build_atlas(
        torch.from_numpy(uv.astype(np.float32)), size, torch.from_numpy(drawn & inside)
    )
    area = np.abs(signed_area(split_quads(uv))).reshape(-1, 2).sum(axis=1) / 2.0
    total, within = float(area[covered].sum()), float(area[covered & inside].sum())
    if total <= 0.0:
        return OwnLayout(uv, inside, atlas, 0.0, 1.0)
    found = atlas.triangle.numpy().reshape(-1)[atlas.covered.numpy()]
    owned = float(covered[found // 2].sum()) / size**2
    overlap = max(0.0, 1.0 - owned / max(within, _EDGE))
    return OwnLayout(uv, inside, atlas, overlap, 1.0 - within / total)


def signed_area(uv: np.ndarray) -> np.ndarray:
    """(T,) twice the area of triangles (T, 3, 2)."""
    first, second = uv[:, 1] - uv[:, 0], uv[:, 2] - uv[:, 0]
    return first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]


def finer(theirs: np.ndarray, ours: np.ndarray, area: np.ndarray) -> float:
    """How many times as long a typical way is in one layout as in another.

    theirs, ours: (T, 3, 2) UVs of the same triangles; area (T,): weight of each.
    """
    a, b = np.abs(signed_area(theirs)), np.abs(signed_area(ours))
    use = (b > 0.0) & (area > 0.0)
    if not use.any():
        return 1.0
    ratio, weight = np.sqrt(a[use] / b[use]), area[use]
    order = np.argsort(ratio)
    total = np.cumsum(weight[order])
    return float(ratio[order][np.searchsorted(total, total[-1] / 2.0)])
