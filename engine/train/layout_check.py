"""Is a picture a skin map in our UV layout? Told by where its dark features lie.

Lips, brows, nostrils and lash lines are darker than the skin around them on every face, and in
the layout they have fixed places. The correlation of a map with a drawing of those places is
0.41 to 0.7 on 14 real maps (light and dark, photographed and painted) and 0.43 or more on
generated ones; other layouts with the face at almost the same place reach 0.25, photos, turned
and mirrored-down maps 0.15.
"""

from functools import lru_cache

import cv2
import numpy as np

from ..protocol.conventions import BYTE_MAX
from ..skin.layout import region_masks

LEAST_SCORE = 0.3
"""Between the worst true map (0.41) and the best wrong one (0.25) of the module's text."""

_SIZE = 128
_BLUR = 4.0
"""Texels at 128. Finer than the features: wider blurs accept layouts that are a little off."""
_DARK = {
    "lips": 1.0,
    "brows": 0.3,
    "nostrils": 2.0,
    "lash_lines": 1.5,
    "eye_surround": 0.2,
    "mouth_slit": 1.0,
}
"""Ours: how much darker, roughly; brows are blond or missing, nostrils and lashes never are."""
_GREEN = 1
"""Green shows melanin and blood; red hardly shows lips, blue is noisy."""
_FLOOR = 0.05
"""Added before the logarithm: a feature darkens dark and light skin by a like factor."""


def layout_score(image: np.ndarray) -> float:
    """Correlation in [-1, 1] of an (S, S, 3) uint8 sRGB map with the layout's dark features."""
    green = np.ascontiguousarray(image[..., _GREEN])
    kind = cv2.INTER_AREA if len(green) > _SIZE else cv2.INTER_LINEAR
    small = cv2.resize(green, (_SIZE, _SIZE), interpolation=kind).astype(np.float32) / BYTE_MAX
    window, drawing = _drawing()
    return float(np.vdot(_fine(np.log(small + _FLOOR), window), drawing))


@lru_cache(maxsize=1)
def _drawing() -> tuple[np.ndarray, np.ndarray]:
    masks = region_masks(_SIZE)
    window = cv2.GaussianBlur(masks["face"], (0, 0), _BLUR / 2.0)
    dark = sum(depth * masks[name] for name, depth in _DARK.items())
    return window, _fine(-np.asarray(dark, np.float32), window)


def _fine(values: np.ndarray, window: np.ndarray) -> np.ndarray:
    """Fine structure inside the face, zero mean, unit length."""
    fine = (values - cv2.GaussianBlur(values, (0, 0), _BLUR)) * window
    fine = fine - window * (np.vdot(fine, window) / window.sum())
    length = np.sqrt(np.vdot(fine, fine))
    return fine / length if length > 1e-6 else np.zeros_like(fine)
