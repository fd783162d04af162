"""Roughness map: zones of the face, rougher in pits, smoother where the relief itself is drawn."""

from functools import lru_cache

import cv2
import numpy as np

from ..protocol.detail import DETAIL_SIZE
from ..protocol.relief import alpha_beside_relief, square_slope
from .regions import masks, resized

BASE = 0.55
"""Roughness as glTF and Blender use it, square root of the microfacet slope m = 0.3 that d'Eon &
Luebke 2007 (GPU Gems 3, chapter 14) take for a whole face after Weyrich et al. 2006."""

_ZONES: tuple[tuple[str, float], ...] = (
    ("cheeks", 0.02),
    ("ears", 0.03),
    ("neck", 0.04),
    ("forehead", -0.06),
    ("eye_surround", -0.02),
    ("chin", -0.04),
    ("nose", -0.08),
    ("nose_tip", -0.04),
    ("lid_upper", -0.05),
    ("scalp", 0.06),
    ("brows", 0.10),
)
"""Change of the roughness. The order is that of sebum: forehead, nose and chin have most, cheeks
and neck least (Youn et al. 2002, Skin Res. Technol. 8:168); the figures are ours, by eye."""

_WET: tuple[tuple[str, float], ...] = (
    ("lips", 0.42),
    ("lip_wet", 0.30),
    ("mouth_bag_margin", 0.25),
    ("sockets_margin", 0.22),
    ("caruncles", 0.2),
)
"""Roughness of what is moist, laid over the zones. Ours, by eye."""

PIT_CHANGE, PIT_DEPTH = 0.035, 0.00008
"""Roughness that a pit tends to, and metres at which it has three quarters of it. Ours: oil lies on
the plateaus, and steep walls scatter like a rough floor. More would show as ticks."""
STUBBLE = 0.05
"""Added where the texture is hair."""
LEAST, MOST = 0.18, 0.85


@lru_cache(maxsize=1)
def zone_roughness() -> np.ndarray:
    """(512, 512) float32 roughness of the zones alone, read-only."""
    m = masks(DETAIL_SIZE)
    rough = np.full((DETAIL_SIZE, DETAIL_SIZE), BASE, np.float32)
    for name, change in _ZONES:
        rough += np.float32(change) * m[name]
    for name, level in _WET:
        rough += (np.float32(level) - rough) * m[name]
    rough = cv2.GaussianBlur(rough, (0, 0), 1.0)
    rough.flags.writeable = False
    return rough


def roughness_map(height: np.ndarray, normal: np.ndarray, skin: np.ndarray) -> np.ndarray:
    """(S, S) float32 roughness in [0, 1].

    height: (S, S) metres; normal: (S, S, 3) unit, tangent space; skin: (512, 512) in [0, 1], see
    `height.Relief`. The measured slopes of whole skin include those that the normal map shows, so
    their local mean square is taken off (`relief.alpha_beside_relief`), with alpha = roughness^2.
    """
    zones = resized(zone_roughness(), len(height))
    alpha = alpha_beside_relief(zones**4, _averaged(square_slope(normal)))
    pits = height - _averaged(height)
    rough = np.sqrt(alpha) + np.float32(PIT_CHANGE) * np.tanh(np.maximum(-pits / PIT_DEPTH, 0.0))
    rough += np.float32(STUBBLE) * (1.0 - resized(skin, len(height)))
    return np.clip(rough, LEAST, MOST).astype(np.float32)


def _averaged(values: np.ndarray) -> np.ndarray:
    """Mean over about 5 mm, on a quarter of the size."""
    size = len(values)
    small = cv2.resize(values, (size // 4, size // 4), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), 6.0 * size / 512 / 4)
    return cv2.resize(small, (size, size), interpolation=cv2.INTER_LINEAR)
