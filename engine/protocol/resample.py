"""Maps made larger or smaller by powers of two, with numpy alone."""

import numpy as np

from .errors import EngineError, ErrorCode

CUBIC = -0.75
"""Slope of the cubic at distance 1 (Keys 1981 leaves it free): OpenCV's choice, so that the
add-on enlarges exactly as the fit does."""


def resample(image: np.ndarray, size: int) -> np.ndarray:
    """A square map at another size: bicubic when larger, the mean of the texels when smaller.

    image (S, S) float; returns (size, size) float32, the image itself when it has that size and
    kind. Texel centres at .5, edges repeated. Raises EngineError(BAD_INPUT) unless one size is
    a power of two times the other.
    """
    old = image.shape[0]
    large, small = max(old, size), max(1, min(old, size))
    factor = large // small
    if image.shape != (old, old) or factor * small != large or factor & (factor - 1):
        raise EngineError(
            ErrorCode.BAD_INPUT,
            f"A map of {image.shape[1]} x {old} texels cannot become one of {size} x {size}: "
            "expected a square, and sizes that differ by a power of two.",
        )
    image = np.asarray(image, dtype=np.float32)
    if size < old:
        return _averaged(image, factor)
    if size == old:
        return image
    return _enlarge_rows(_enlarge_columns(image, factor), factor)  # few columns are stepped through


def _averaged(image: np.ndarray, factor: int) -> np.ndarray:
    """Means of blocks: halved again and again, ten times as fast as numpy's mean over blocks."""
    step = factor
    while step > 1:
        image = image[0::2] + image[1::2]
        image = image[:, 0::2] + image[:, 1::2]
        step //= 2
    return image * np.float32(1.0 / factor**2)


def _cubic(distance: np.ndarray) -> np.ndarray:
    """Keys' cubic kernel (Keys 1981, eq. 4 for a = -1/2) with slope `CUBIC`."""
    d, a = np.abs(distance), CUBIC
    near = ((a + 2.0) * d - (a + 3.0)) * d * d + 1.0
    far = ((d - 5.0) * d + 8.0) * d * a - 4.0 * a
    return np.where(d <= 1.0, near, np.where(d < 2.0, far, 0.0))


def _taps(factor: int) -> list[tuple[int, np.ndarray]]:
    """For each of the `factor` new texels in an old one: first source texel and four weights."""
    found = []
    for phase in range(factor):
        place = (phase + 0.5) / factor - 0.5
        base = int(np.floor(place))
        weights = _cubic(place - base - np.arange(-1.0, 3.0))
        found.append((base - 1, weights.astype(np.float32)))
    return found


def _enlarge_rows(image: np.ndarray, factor: int) -> np.ndarray:
    count = image.shape[0]
    padded = np.pad(image, ((2, 2), (0, 0)), mode="edge")
    out = np.empty((count * factor, image.shape[1]), dtype=np.float32)
    for phase, (first, weights) in enumerate(_taps(factor)):
        parts = (w * padded[first + 2 + k : first + 2 + k + count] for k, w in enumerate(weights))
        out[phase::factor] = sum(parts)
    return out


def _enlarge_columns(image: np.ndarray, factor: int) -> np.ndarray:
    count = image.shape[1]
    padded = np.pad(image, ((0, 0), (2, 2)), mode="edge")
    out = np.empty((image.shape[0], count * factor), dtype=np.float32)
    for phase, (first, weights) in enumerate(_taps(factor)):
        start = first + 2
        total = weights[0] * padded[:, start : start + count]
        for k in (1, 2, 3):
            total += weights[k] * padded[:, start + k : start + k + count]
        out[:, phase::factor] = total
    return out
