"""Sample sheets: held-out maps, what the model makes of them, and maps it makes up."""

import cv2
import numpy as np

from ...protocol.conventions import BYTE_MAX, signed_to_unit, unit_to_bytes

SHOWN = 384
"""Side of a picture on a sheet."""
GAIN = 3.0
"""Factor at which detail is shown as grey: 1/6 of the range fills it."""
DIFFERENCE_GAIN = 8.0
HEADER = 28
_INK, _PAPER = 20, BYTE_MAX


def draw_sheet(
    value: np.ndarray, detail: np.ndarray, found: np.ndarray, made: np.ndarray, weight: np.ndarray
) -> np.ndarray:
    """(H, W, 3) uint8 RGB: a row of four pictures for each held-out map, then rows of made up maps.

    value: (n, S, S) coarse V in [0, 1]; detail, found: (n, S, S) signed, original and
    reconstruction; made: (m, S, S) signed, drawn from the prior; weight: (S, S), where 0 is grey.
    """
    names = ("V of the map", "V rebuilt", f"detail x {GAIN:g}", "rebuilt", "difference x 8")
    rows = [_header(names)]
    for v, d, f in zip(value, detail, found, strict=True):
        pictures = (v + d, v + f, _grey(d, GAIN), _grey(f, GAIN), _grey(f - d, DIFFERENCE_GAIN))
        rows.append(_row([_shown(p, weight) for p in pictures]))
    if len(made):
        rows.append(_header(["detail drawn from the prior"] + [""] * (len(names) - 1)))
    for start in range(0, len(made), len(names)):
        part = [_shown(_grey(m, GAIN), weight) for m in made[start : start + len(names)]]
        part += [np.full((SHOWN, SHOWN), _PAPER, np.uint8)] * (len(names) - len(part))
        rows.append(_row(part))
    return cv2.cvtColor(np.concatenate(rows), cv2.COLOR_GRAY2RGB)


def _grey(detail: np.ndarray, gain: float) -> np.ndarray:
    return signed_to_unit(2.0 * gain * detail)


def _shown(picture: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """(SHOWN, SHOWN) uint8; outside the layout mid grey."""
    image = np.where(weight > 0.0, np.clip(picture, 0.0, 1.0), signed_to_unit(np.float32(0.0)))
    method = cv2.INTER_AREA if len(image) > SHOWN else cv2.INTER_NEAREST
    return unit_to_bytes(cv2.resize(image.astype(np.float32), (SHOWN, SHOWN), interpolation=method))


def _row(pictures: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(pictures, axis=1)


def _header(names: tuple[str, ...] | list[str]) -> np.ndarray:
    strip = np.full((HEADER, SHOWN * len(names)), _PAPER, np.uint8)
    for index, name in enumerate(names):
        where = (index * SHOWN + 8, HEADER - 9)
        cv2.putText(strip, name, where, cv2.FONT_HERSHEY_SIMPLEX, 0.5, _INK, 1, cv2.LINE_AA)
    return strip
