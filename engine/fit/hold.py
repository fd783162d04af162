"""Face regions that stay as they were while the rest is fitted again.

A region of shape or albedo is a linear function of the coefficients. Of all coefficients that
leave it alone, the ones nearest to the new fit are taken: Gaussian conditioning of a standard
normal prior around the new fit on the old values (Bishop 2006, section 2.3.3).
"""

import numpy as np
import torch

from ..protocol.detail_regions import REGIONS, region_weights
from ..protocol.headpack import MASK_SIZE, HeadPack
from ..render.texture import sample_texture
from .loaded import LoadedPack

SHAPE_NOISE = 1e-3
"""Metres, of each of the points alone. Ours: together they move 0.2 mm where they were 5 mm apart;
at a tenth of it the other regions hardly follow the new fit."""
ALBEDO_NOISE = 0.01
"""sRGB units, of each of the texels alone. Ours, likewise."""
MOST_POINTS = 400
"""Points of a region that stand for it. Ours: more than the coefficients they tie."""
INSIDE = 0.5


def held_regions(held: frozenset[str]) -> tuple[str, ...]:
    """The face regions among what is held, in the order of REGIONS."""
    return tuple(name for name in REGIONS if name in held)


def region_mask(names: tuple[str, ...], size: int) -> np.ndarray:
    """(size, size) float32 in [0, 1]: the union of regions of the layout."""
    chosen = [REGIONS.index(name) for name in names]
    return region_weights(size)[chosen].sum(0)


def nearest_coefficients(
    free: np.ndarray, old: np.ndarray, rows: np.ndarray, noise: float
) -> np.ndarray:
    """(n,) coefficients near `free` that give the values of `old`: rows @ x within `noise`.

    free, old (n,) sigmas; rows (m, n) values per sigma; noise: their standard deviation.
    """
    normal = rows.T @ rows / noise**2
    pull = normal @ (old - free)
    return free + np.linalg.solve(normal + np.eye(len(free)), pull)


def hold_identity(
    loaded: LoadedPack, free: np.ndarray, old: np.ndarray, names: tuple[str, ...]
) -> np.ndarray:
    """(K,) identity near `free` (K,) whose face regions have the shape of `old` (K,)."""
    chosen = _some(np.flatnonzero(vertex_weights(loaded.head, names) > INSIDE))
    rows = loaded.head.identity[:, chosen].reshape(len(free), -1).T.astype(np.float64)
    return nearest_coefficients(free, old, rows, SHAPE_NOISE)


def hold_albedo(
    loaded: LoadedPack, free: np.ndarray, old: np.ndarray, names: tuple[str, ...]
) -> np.ndarray:
    """(3, K) coefficients near `free` whose coarse albedo in the regions is that of `old`."""
    model = loaded.solver
    valid = model.valid.astype(bool)
    chosen = _some(np.flatnonzero(region_mask(names, len(valid))[valid] > INSIDE))
    rows = model.basis[:, :, chosen].astype(np.float64)
    three = zip(free, old, rows, strict=True)
    return np.stack([nearest_coefficients(a, b, r.T, ALBEDO_NOISE) for a, b, r in three])


def hold_maps(new: np.ndarray, old: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """A map (S, S) or (S, S, C) that is `old` in the regions and `new` elsewhere, softly."""
    mask = region_mask(names, len(new)).reshape(len(new), len(new), *(1,) * (new.ndim - 2))
    return (new + mask * (old - new)).astype(new.dtype)


def vertex_weights(head: HeadPack, names: tuple[str, ...]) -> np.ndarray:
    """(V,) in [0, 1]: how much a vertex of the skin belongs to the regions."""
    skin = head.face_part == head.part_names.index("skin")
    mask = torch.from_numpy(region_mask(names, MASK_SIZE))[..., None]
    values = sample_texture(mask, torch.from_numpy(head.corner_uv[skin]))[..., 0].numpy()
    weights = np.zeros(len(head.mean), np.float32)
    np.maximum.at(weights, head.quads[skin].ravel(), values.ravel())
    return weights


def _some(chosen: np.ndarray) -> np.ndarray:
    """At most MOST_POINTS of them, evenly."""
    return chosen[:: max(1, -(-len(chosen) // MOST_POINTS))]
