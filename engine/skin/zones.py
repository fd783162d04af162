"""Soft zones of a face: where skin is a little lighter or darker, redder or paler.

Cheeks and forehead are lighter than eye sockets, sides of the nose and corners of the mouth:
pigment, the thickness of the skin and the depth of its vessels differ. Each zone is a round soft
spot; people differ in how strong it is. Means and spreads are those of published maps: a sum of
these spots was fitted to ln L* and a* of 14 maps, and only the figures below were kept.
"""

from functools import lru_cache

import cv2
import numpy as np

from .curves import REFERENCE_SIZE
from .layout import region_masks
from .noise import Streams, box_slices, field
from .parameters import SkinParameters
from .pigment import PigmentTable

_GRID = 256
_BOX = (96, 160, 928, 816)
"""Reference pixels that hold every zone."""

# name: column, row, radius across, radius down, angle of the right half; mean in % of L* and in
# a*; deviation between people of both; half the difference between the sides of both.
_ZONES: dict[str, tuple[float, ...]] = {
    "forehead_middle": (512, 228, 80, 50, 0, 8, -1.1, 7.0, 1.7, 0, 0),
    "forehead_side": (372, 228, 60, 44, 0, 2, -0.9, 3.4, 1.2, 2.2, 0.4),
    "forehead_low": (400, 275, 60, 24, 0, 3, -1.0, 3.6, 1.0, 2.2, 0.4),
    "glabella": (512, 300, 36, 30, 0, 7, -1.4, 6.0, 1.6, 0, 0),
    "temple": (282, 330, 34, 56, 0, 1, -1.5, 2.8, 0.8, 2.2, 0.4),
    "nose_root": (512, 345, 20, 22, 0, 6, -1.6, 4.6, 1.2, 0, 0),
    "nose_bridge": (512, 405, 13, 50, 0, 7, 1.0, 9.0, 3.0, 0, 0),
    "nose_ball": (512, 466, 22, 20, 0, 5, 2.0, 8.0, 1.6, 0, 0),
    "columella": (512, 503, 13, 10, 0, -7, 1.0, 6.0, 1.9, 0, 0),
    "nose_side": (482, 408, 13, 46, 12, -4, 1.6, 6.5, 2.0, 4.0, 0.8),
    "nose_side_low": (470, 452, 16, 22, 15, -6, 1.8, 7.0, 1.9, 2.2, 0.5),
    "nose_wing": (446, 478, 19, 20, 0, -8, 2.6, 5.5, 1.8, 3.4, 0.5),
    "wing_crease": (430, 488, 10, 26, 12, -5, 1.2, 4.0, 1.0, 1.6, 0.6),
    "nostril_rim": (466, 511, 24, 8, -5, -9, 2.6, 5.0, 1.6, 2.0, 0.5),
    "inner_socket": (464, 352, 20, 30, 0, -8, 0.4, 6.0, 1.3, 3.4, 0.5),
    "outer_ridge": (345, 342, 34, 20, -20, -6, 0.0, 5.5, 1.6, 2.2, 0.4),
    "upper_socket": (400, 335, 48, 15, 0, -9, -0.4, 7.0, 2.2, 2.4, 0.4),
    "outer_eye": (324, 386, 24, 24, 0, -5, 0.6, 5.0, 1.0, 2.8, 0.4),
    "tear_trough": (440, 410, 28, 12, 25, -4, 0.8, 5.2, 1.8, 1.8, 0.5),
    "eye_bag": (388, 414, 44, 13, 0, 0, -0.2, 5.6, 1.0, 1.6, 0.5),
    "lid": (395, 367, 44, 15, 0, -8, -0.3, 6.0, 1.4, 1.8, 0.5),
    "lid_inner": (436, 374, 14, 13, 0, -2, 1.4, 4.5, 1.0, 2.2, 0.4),
    "cheek_apple": (368, 462, 54, 40, -25, 5, 0.3, 4.5, 1.6, 1.8, 0.6),
    "cheek_inner": (418, 452, 26, 32, 0, 2, 0.6, 4.6, 1.6, 1.4, 0.4),
    "cheek_hollow": (322, 560, 52, 68, 20, 0, 0.0, 3.0, 1.1, 2.4, 0.4),
    "cheekbone": (288, 450, 40, 36, 0, 3, -0.3, 4.0, 1.3, 3.2, 0.4),
    "nasolabial": (404, 535, 15, 46, 20, 1, 0.2, 5.0, 1.1, 2.6, 0.6),
    "philtrum": (512, 536, 13, 18, 0, 0, 0.4, 4.5, 1.0, 0, 0),
    "lip_top": (462, 541, 32, 13, -12, 1, 0.3, 6.0, 1.8, 2.6, 0.5),
    "mouth_corner": (410, 598, 20, 20, 0, -7, 0.0, 5.6, 1.3, 1.8, 0.4),
    "marionette": (408, 652, 26, 44, 0, -1, -0.2, 3.6, 0.8, 1.8, 0.3),
    "under_lip": (512, 648, 48, 15, 0, -4, 1.6, 6.0, 1.8, 0, 0),
    "chin_ball": (512, 690, 42, 27, 0, 2, 0.8, 4.5, 1.3, 0, 0),
    "chin_low": (512, 742, 75, 25, 0, -4, 0.1, 4.5, 1.2, 0, 0),
    "jaw_side": (262, 604, 36, 60, -20, 0, -0.8, 4.4, 1.1, 2.4, 0.3),
    "upper_lip": (468, 572, 34, 9, -12, -5, 0.0, 6.0, 1.4, 2.0, 0.5),
    "lower_lip": (478, 613, 32, 9, 8, 6, 0.8, 6.0, 1.6, 1.4, 0.3),
    "lip_corner": (430, 592, 14, 9, 0, -7, -0.3, 4.5, 1.0, 1.2, 0.3),
    "face_side": (262, 470, 60, 150, 0, -2, -0.3, 2.2, 0.8, 2.0, 0.3),
    "brow_ground": (400, 308, 70, 20, 0, -5, 0.0, 6.0, 1.0, 1.6, 0.3),
    "ear_rim": (128, 430, 12, 75, 0, -6, 1.6, 3.7, 1.8, 2.0, 0.8),
    "ear_bowl": (172, 450, 20, 60, 0, -3, -0.8, 3.2, 1.7, 1.2, 0.3),
    "ear_lobe": (172, 545, 20, 26, 0, 3, 0.0, 4.0, 1.6, 1.0, 0.4),
}


@lru_cache(maxsize=1)
def _spots() -> np.ndarray:
    """(2, Z, h, w) float32 spots of the right and the left side; mid-line zones are split in two
    halves of the same spot, so that both sides add up to it."""
    unit = REFERENCE_SIZE / _GRID
    left, top, right, bottom = _BOX
    columns = (np.arange(left / unit, right / unit) + 0.5) * unit
    rows = (np.arange(top / unit, bottom / unit) + 0.5)[:, None] * unit
    spots = []
    for column, row, across, down, degrees, *_ in _ZONES.values():
        angle = np.deg2rad(degrees)
        dx, dy = columns - column, rows - row
        u = (dx * np.cos(angle) + dy * np.sin(angle)) / across
        v = (dy * np.cos(angle) - dx * np.sin(angle)) / down
        share = 0.5 if column == REFERENCE_SIZE / 2 else 1.0
        spots.append(share * np.exp(-(u**2) - v**2))
    right = np.array(spots, dtype=np.float32)
    both = np.stack([right, right[:, :, ::-1]])
    both.flags.writeable = False
    return both


# Mask: change in % of L* and in a*. Neck and jaw are a little darker than cheeks, ears darker
# inside and redder (regional means of published maps, see `statistics`).
_REGIONS: dict[str, tuple[float, float]] = {
    "forehead": (-2.0, 1.0), "neck": (-5.5, 0.8), "jaw_beard": (-2.0, 0.6),
    "sideburns": (-3.0, 0.0), "nose": (-1.4, 0.6), "nose_tip": (-1.2, 0.2),
    "nasal_creases": (-1.5, 0.8), "moustache": (-1.0, 0.8), "ears": (-6.0, 2.5),
    "ear_bowl": (-7.0, 1.5), "ear_lobes": (0.0, 1.0), "eye_surround": (-4.0, 2.2),
    "lid_upper": (-8.0, 2.8), "lid_lower": (-4.0, 1.6), "under_eye": (0.0, 0.0),
    "caruncles": (0.0, 7.0),
}  # fmt: skip
# Where blood shows when a face is flushed.
_FLUSHED = {
    "cheeks": 0.8, "nose": 0.4, "nose_tip": 0.5, "ears": 0.7, "ear_lobes": 0.3, "chin": 0.35,
    "nasal_creases": 0.35,
}  # fmt: skip


_THIN_TONES = np.log([0.01, 0.1, 0.5])
_THIN_SHARES = (0.85, 0.55, 0.35)
"""Share of differences in lightness by thickness of the skin: keeps b* of light skin even."""
_REDNESS_TONES = np.log([0.1, 0.6])
"""Melanin hides blood: differences of a* halve from brown to dark skin."""


@lru_cache(maxsize=1)
def _region_changes() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fixed changes of ln L* and a* by regions, and the flushed regions, (G, G) each."""
    m = region_masks(_GRID)
    lightness = sum(np.float32(0.01 * light) * m[name] for name, (light, _) in _REGIONS.items())
    redness = sum(np.float32(red) * m[name] for name, (_, red) in _REGIONS.items())
    return lightness, redness, sum(np.float32(w) * m[name] for name, w in _FLUSHED.items())


def zone_pigments(
    p: SkinParameters, streams: Streams, size: int, table: PigmentTable
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Changes by zones and regions of log melanin, log blood and the log of sRGB values.

    (size, size) float32 each. Part of the differences in lightness are not a pigment's: thin skin
    scatters less, over lids and on the sides of the nose, and that darkens all colours alike.
    """
    lightness, redness = _zone_fields(p, streams)
    m = region_masks(_GRID)
    region_light, region_red, flushed = _region_changes()
    lightness += region_light
    lightness -= 0.22 * p.lid_depth * m["lid_upper"] + 0.10 * p.lid_depth * m["lid_lower"]
    lightness -= 0.16 * p.eye_pigment * m["eye_surround"] + 0.09 * p.under_eye * m["under_eye"]
    zones = m["forehead"] + m["temple_corners"] - 0.6 * m["cheeks"]
    lightness -= 0.05 * p.zones * zones
    patchy = 1.0 + field(streams, "flush", _GRID, {10: 0.12, 24: 0.15, 60: 0.15}, share=0.4)
    redness += region_red + (0.4 + 5.0 * p.flush) * flushed * patchy + 7.0 * p.blush * m["cheeks"]
    redness *= np.float32(np.interp(np.log(p.melanin), _REDNESS_TONES, [1.0, 0.5]))
    share = np.float32(np.interp(np.log(p.melanin), _THIN_TONES, _THIN_SHARES))
    melanin, blood = table.pigments_of(p.melanin, p.blood, (1.0 - share) * lightness, redness)
    kind = cv2.INTER_LINEAR if size > _GRID else cv2.INTER_AREA
    melanin, blood, shade = (
        cv2.resize(part, (size, size), interpolation=kind)
        for part in (melanin, blood, share * lightness)
    )
    return melanin, blood, shade


def _zone_fields(p: SkinParameters, streams: Streams) -> tuple[np.ndarray, np.ndarray]:
    """Changes of ln L* and a* by the soft zones alone, (G, G) float32 each."""
    table = np.array([zone[5:] for zone in _ZONES.values()], dtype=np.float32)
    mean, spread, sides = table[:, :2], table[:, 2:4], table[:, 4:]
    draw = streams.get("zones")
    common = draw.standard_normal((len(table), 2), dtype=np.float32)
    own = draw.standard_normal((len(table), 2), dtype=np.float32)
    amount = mean + spread * [1.0, 0.75] * np.clip(common, -2.0, 2.0)
    amount = np.stack([amount + sides * own, amount - sides * own])
    spots = _spots()
    # Not a matrix product: its last bits depend on the number of threads.
    flat = np.einsum("szc,szp->cp", amount, spots.reshape(*spots.shape[:2], -1))
    total = np.zeros((2, _GRID, _GRID), np.float32)
    rows, columns = box_slices(_BOX, _GRID)
    total[:, rows, columns] = (2.0 * p.relief) * flat.reshape(2, *spots.shape[2:])
    total[0] *= 0.01
    return total[0], total[1]
