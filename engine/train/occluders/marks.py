"""What looks like an occluder and is none: beards, strong brows, make-up round the eyes.

The generated skins have them too, but tamer than people's.
"""

import cv2
import numpy as np

from ...head.numerics import smoothstep
from .hair import COLOURS, blurred_noise, draw_strands
from .things import EYES

BROWS = np.array([[0.36, 0.27], [0.64, 0.27]])
"""Middle of the brows, as shares of the square round the face in the layout."""
MOUTH = np.array([0.5, 0.66])
HAIRS, BROW_HAIRS = 2200, 160


def draw_marks(rng: np.random.Generator, skin: np.ndarray) -> np.ndarray:
    """skin (S, S, 3) sRGB with some of these painted on, in [0, 1]."""
    if rng.random() < 0.22:
        skin = _beard(rng, skin)
    if rng.random() < 0.25:
        skin = _brows(rng, skin)
    if rng.random() < 0.35:
        skin = _shadowed_eyes(rng, skin)
    return _lips(rng, skin) if rng.random() < 0.4 else skin


def _grown(
    rng: np.random.Generator, skin: np.ndarray, curves: np.ndarray, width: float, share: np.ndarray
) -> np.ndarray:
    """Strands over the skin where share (S, S) in [0, 1] says so."""
    colour = COLOURS[rng.integers(len(COLOURS))] * rng.uniform(0.6, 1.1)
    picture, cover = draw_strands(rng, curves, width, colour, len(skin))
    alpha = (cover * share * rng.uniform(0.4, 1.0))[..., None]
    return (skin * (1.0 - alpha) + picture * alpha).astype(np.float32)


def _short(
    rng: np.random.Generator, root: np.ndarray, way: np.ndarray, length: float
) -> np.ndarray:
    """(n, 4, 2) nearly straight strands from root (n, 2) along way (n, 2)."""
    tip = root + way * length * rng.uniform(0.4, 1.2, (len(root), 1))
    bend = rng.normal(0.0, 0.2 * length, root.shape)
    return np.stack([root, root + (tip - root) / 3, root + (tip - root) * 2 / 3 + bend, tip], 1)


def _beard(rng: np.random.Generator, skin: np.ndarray) -> np.ndarray:
    size = len(skin)
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size
    across = np.abs(x - 0.5)
    chin = smoothstep(y, 0.68, 0.76) * (
        1.0 - smoothstep(across, *np.sort(rng.uniform(0.05, 0.2, 2)))
    )
    jaw = smoothstep(y - 0.9 + 1.1 * across, 0.0, 0.12) * smoothstep(y, 0.45, 0.55)
    lip = smoothstep(y, 0.55, 0.58) * (1.0 - smoothstep(y, 0.61, 0.63)) * (across < 0.14)
    share = np.maximum.reduce([part * (rng.random() < 0.6) for part in (chin, jaw, lip)])
    mouth = ((x - 0.5) / 0.12) ** 2 + ((y - 0.66) / 0.05) ** 2
    share = share * smoothstep(mouth, 0.8, 1.2) * (1.0 + 0.3 * blurred_noise(rng, size, 9))
    root = rng.uniform([0.05, 0.42], [0.95, 0.98], (HAIRS, 2))
    way = np.stack([rng.normal(0.0, 0.4, HAIRS) + (root[:, 0] - 0.5), np.ones(HAIRS)], -1)
    curves = _short(rng, root, way, rng.uniform(0.01, 0.06))
    return _grown(rng, skin, curves, rng.uniform(0.7, 2.0), np.clip(share, 0.0, 1.0))


def _brows(rng: np.random.Generator, skin: np.ndarray) -> np.ndarray:
    shift, length = rng.normal(0.0, 0.012, 2), rng.uniform(0.02, 0.05)
    families = []
    for middle, side in zip(BROWS, (-1, 1), strict=True):
        along = rng.uniform(-0.1, 0.11, BROW_HAIRS)
        height = rng.normal(0.0, rng.uniform(0.004, 0.012), BROW_HAIRS)
        arch = rng.uniform(0.5, 3.0) * along**2 - 0.15 * along
        root = middle + shift + np.stack([side * along, height + arch], -1)
        way = np.stack([side * np.ones(BROW_HAIRS), rng.normal(-0.3, 0.4, BROW_HAIRS)], -1)
        families.append(_short(rng, root, way, length))
    whole = np.ones(skin.shape[:2], np.float32)
    return _grown(rng, skin, np.concatenate(families), rng.uniform(0.7, 1.6), whole)


def _lips(rng: np.random.Generator, skin: np.ndarray) -> np.ndarray:
    """Lipstick, mostly red, with the lips anywhere about their place."""
    size = len(skin)
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size
    tone = rng.uniform([0.4, 0.0, 0.0], [0.95, 0.4, 0.45])
    middle = MOUTH + rng.normal(0.0, 0.012, 2)
    far = ((x - middle[0]) / rng.uniform(0.08, 0.14)) ** 2
    far = far + ((y - middle[1]) / rng.uniform(0.02, 0.07)) ** 2
    share = rng.uniform(0.2, 1.0) * (1.0 - smoothstep(far, 0.8, 1.1))
    share = cv2.GaussianBlur(share.astype(np.float32), (0, 0), rng.uniform(0.4, 1.2))[..., None]
    gloss = 1.0 + rng.uniform(0.0, 0.4) * blurred_noise(rng, size, 20)[..., None]
    return (skin * (1.0 - share) + np.clip(tone * gloss, 0, 1) * share).astype(np.float32)


def _shadowed_eyes(rng: np.random.Generator, skin: np.ndarray) -> np.ndarray:
    """Deep sockets, liner, coloured lids."""
    size = len(skin)
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size
    tone = rng.uniform(0.0, 0.5, 3) if rng.random() < 0.5 else 0.3 * skin.mean((0, 1))
    reach = np.array([rng.uniform(0.05, 0.12), rng.uniform(0.015, 0.06)])
    drop, power = rng.uniform(-0.03, 0.03), rng.uniform(1.0, 3.0)
    strength = rng.uniform(0.3, 1.0)
    share = np.zeros((size, size), np.float32)
    for middle in EYES:
        far = ((x - middle[0]) / reach[0]) ** 2 + ((y - middle[1] - drop) / reach[1]) ** 2
        share = np.maximum(share, strength * np.exp(-(far**power)))
    share = cv2.GaussianBlur(share, (0, 0), rng.uniform(0.4, 1.5))[..., None]
    return (skin * (1.0 - share) + tone * share).astype(np.float32)
