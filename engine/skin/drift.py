"""Drift: people's features do not sit on the same texels.

A layout puts eyes, nose and mouth at the same places, but the maps made with it still differ by a
few texels: brows sit higher or lower, lips are wider, nostrils further apart. A finished map is
moved by one smooth displacement that is 0 at the back of the head, on the islands and on the neck.
"""

from functools import lru_cache

import cv2
import numpy as np

from ..head.numerics import smoothstep
from .curves import REFERENCE_SIZE
from .noise import Streams, box_slices, field
from .parameters import SkinParameters

_GRID = 128
DRIFT_BOX = (160, 128, 864, 832)
"""Columns and rows (left, top, right, bottom) in which texels move, in reference pixels."""
_RIM = 56.0
"""Reference pixels over which the movement fades to the sides of the box."""

_OCTAVES = {6: 1.6, 12: 1.1, 24: 0.6}

# name: column, row, radius across, radius down; deviation between people of: shift across (away
# from the mid-line), shift down (reference pixels), stretch across, stretch down.
_FEATURES: dict[str, tuple[float, ...]] = {
    "eye": (396, 382, 80, 36, 2.0, 2.2, 0.03, 0.12),
    "lid_fold": (396, 358, 50, 14, 0.0, 2.0, 0.0, 0.0),
    "eye_corner": (340, 385, 22, 18, 2.0, 1.6, 0.0, 0.0),
    "brow": (400, 306, 90, 28, 2.0, 2.6, 0.02, 0.10),
    "brow_inner": (462, 309, 30, 24, 2.0, 3.0, 0.0, 0.08),
    "brow_outer": (335, 322, 32, 24, 0.0, 2.6, 0.0, 0.0),
    "nostril": (474, 499, 26, 20, 2.0, 2.0, 0.08, 0.10),
    "nose_wing": (440, 485, 24, 30, 2.4, 2.0, 0.0, 0.0),
    "mouth": (512, 593, 120, 48, 0.0, 2.4, 0.04, 0.09),
    "mouth_corner": (424, 594, 30, 22, 2.4, 2.4, 0.0, 0.0),
    "upper_lip": (484, 562, 40, 16, 0.0, 1.8, 0.0, 0.0),
    "lower_lip": (484, 622, 46, 18, 0.0, 2.2, 0.0, 0.0),
}
_SIDE_SHARE = 0.35
"""How much a side's own movement counts beside the common one."""


@lru_cache(maxsize=1)
def _moves() -> tuple[np.ndarray, np.ndarray]:
    """Unit moves (2 sides, F, 4, 2, G, G): the effect of each deviation on (column, row)."""
    axis = (np.arange(_GRID, dtype=np.float32) + 0.5) * (REFERENCE_SIZE / _GRID)
    x, y = np.broadcast_arrays(axis[None, :], axis[:, None])
    moves = np.zeros((2, len(_FEATURES), 4, 2, _GRID, _GRID), np.float32)
    for index, (column, row, across, down, *_) in enumerate(_FEATURES.values()):
        for side in (0, 1):
            outwards = 1.0 if side else -1.0
            centre = REFERENCE_SIZE - column if side else column
            weight = np.exp(-(((x - centre) / across) ** 2) - ((y - row) / down) ** 2)
            weight *= 0.5 if column == REFERENCE_SIZE / 2 else 1.0
            moves[side, index, 0, 0] = outwards * weight
            moves[side, index, 1, 1] = weight
            moves[side, index, 2, 0] = weight * (x - centre)
            moves[side, index, 3, 1] = weight * (y - row)
    spread = np.array([feature[4:] for feature in _FEATURES.values()], np.float32)
    moves *= spread[None, :, :, None, None, None]
    left, top, right, bottom = DRIFT_BOX
    edge = np.minimum(np.minimum(x - left, right - x), np.minimum(y - top, bottom - y))
    return moves, smoothstep(edge, 0.0, _RIM).astype(np.float32)


def displacement(p: SkinParameters, streams: Streams) -> np.ndarray:
    """(2, G, G) float32: by how many reference pixels each texel's content comes from further
    right and further down, on a coarse grid over the whole map."""
    moves, fade = _moves()
    draw = streams.get("drift")
    common = draw.standard_normal((len(_FEATURES), 4), dtype=np.float32)
    own = draw.standard_normal((2, len(_FEATURES), 4), dtype=np.float32)
    amount = common + np.float32(_SIDE_SHARE) * own
    # Not a matrix product: its last bits depend on the number of threads.
    total = np.einsum("k,kp->p", amount.ravel(), moves.reshape(amount.size, -1))
    total = total.reshape(2, _GRID, _GRID)
    axis = (np.arange(_GRID, dtype=np.float32) + 0.5) * (REFERENCE_SIZE / _GRID)
    outwards = np.clip((axis - REFERENCE_SIZE / 2) / 80.0, -1.0, 1.0)
    total[0] += outwards * field(streams, "drift across", _GRID, _OCTAVES, share=0.4)
    total[1] += field(streams, "drift down", _GRID, _OCTAVES, share=0.4)
    return 2.0 * p.drift * fade * total


def drifted(planes: np.ndarray, p: SkinParameters, streams: Streams) -> np.ndarray:
    """The planes (3, S, S) float32 of a map with its features moved; a new array."""
    if p.drift == 0.0:
        return planes
    size = planes.shape[1]
    rows, columns = box_slices(DRIFT_BOX, size)
    coarse = box_slices(DRIFT_BOX, _GRID)
    shape = (columns.stop - columns.start, rows.stop - rows.start)
    shift = displacement(p, streams) * np.float32(size / REFERENCE_SIZE)
    x, y = (cv2.resize(part[coarse], shape, interpolation=cv2.INTER_CUBIC) for part in shift)
    x += np.arange(shape[0], dtype=np.float32)
    y += np.arange(shape[1], dtype=np.float32)[:, None]
    result = planes.copy()
    for moved, plane in zip(result[:, rows, columns], planes[:, rows, columns], strict=True):
        cv2.remap(plane, x, y, cv2.INTER_CUBIC, moved, cv2.BORDER_REPLICATE)
    return result
