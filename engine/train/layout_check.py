"""Is a picture a skin map in our UV layout? Told by where dark and red features lie.

Brows, nostrils and lash lines are darker than the skin around them on every face; lips are darker
on light skin and redder on dark skin. In the layout all have fixed places. Measured: 14 real maps,
light and dark, photographed and painted, score 0.41 or more, of 6,000 generated ones of the whole
human range 99.8 % 0.32 or more; a layout with the face at almost the same place (FLAME) 0.28,
photos 0.23, turned and transposed maps less.
"""

from functools import lru_cache

import cv2
import numpy as np

from ..protocol.conventions import BYTE_MAX
from ..skin.layout import region_masks

LEAST_SCORE = 0.32
"""Above the best wrong map (0.28) of the module's text. Two generated maps of a thousand, without
brows and with pale lips, fall below; `--any-layout` keeps them."""

_SIZE = 128
_DARK_BLUR, _RED_BLUR = 4.0, 8.0
"""Texels at 128. Finer than the features: wider blurs accept layouts that are a little off; lips
are the largest."""
_DARK = {
    "lips": 1.0,
    "brows": 0.3,
    "nostrils": 2.0,
    "lash_lines": 1.5,
    "eye_surround": 0.2,
    "mouth_slit": 1.0,
}
"""Ours: how much darker, roughly; brows are blond or missing, nostrils and lashes never are."""
_RED_SHARE = 0.5
"""Weight of redness beside darkness, where it helps. Ours, from the maps above."""
_FLOOR = 0.05
"""Added before the logarithm: a feature darkens dark and light skin by a like factor."""


def layout_score(image: np.ndarray) -> float:
    """Agreement in [-1, 1] of an (S, S, 3) uint8 sRGB map with a drawing of the layout.

    The correlation of its green channel (which shows melanin and blood) with the dark features, or
    that with a part of the correlation of its redness with the lips, whichever is larger.
    """
    kind = cv2.INTER_AREA if len(image) > _SIZE else cv2.INTER_LINEAR
    small = cv2.resize(image, (_SIZE, _SIZE), interpolation=kind).astype(np.float32) / BYTE_MAX
    tone = np.log(small + _FLOOR)
    window, dark, red = _drawing()
    darkness = float(np.vdot(_fine(tone[..., 1], window, _DARK_BLUR), dark))
    redness = float(np.vdot(_fine(tone[..., 0] - tone[..., 1], window, _RED_BLUR), red))
    return max(darkness, (darkness + _RED_SHARE * redness) / (1.0 + _RED_SHARE))


@lru_cache(maxsize=1)
def _drawing() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    masks = region_masks(_SIZE)
    window = cv2.GaussianBlur(masks["face"], (0, 0), _DARK_BLUR / 2.0)
    dark = -np.asarray(sum(depth * masks[name] for name, depth in _DARK.items()), np.float32)
    return window, _fine(dark, window, _DARK_BLUR), _fine(masks["lips"], window, _RED_BLUR)


def _fine(values: np.ndarray, window: np.ndarray, blur: float) -> np.ndarray:
    """Fine structure inside the face, zero mean, unit length."""
    fine = (values - cv2.GaussianBlur(values, (0, 0), blur)) * window
    fine = fine - window * (np.vdot(fine, window) / window.sum())
    length = np.sqrt(np.vdot(fine, fine))
    return fine / length if length > 1e-6 else np.zeros_like(fine)
