"""The curves of a training as a picture: one panel for each name."""

import math

import cv2
import numpy as np

from ...protocol.conventions import BYTE_MAX
from .curves import STEP, Curves

_WIDTH, _HEIGHT, _MARGIN = 380, 230, 34
_COLUMNS = 3
_INK, _FAINT, _LINE, _GRID = (40, 40, 40), (190, 205, 225), (30, 90, 170), (225, 225, 225)
_WHITE = BYTE_MAX
SMOOTH = 0.9
"""Decay of the smoothed line over points; the points themselves stay visible."""


def draw_curves(curves: Curves) -> np.ndarray:
    """(H, W, 3) uint8 RGB. Positive curves that span more than a decade get a logarithmic axis."""
    names = [name for name in curves.names if name != STEP]
    rows = max(1, math.ceil(len(names) / _COLUMNS))
    canvas = np.full((rows * _HEIGHT, _COLUMNS * _WIDTH, 3), _WHITE, np.uint8)
    for index, name in enumerate(names):
        top, left = index // _COLUMNS * _HEIGHT, index % _COLUMNS * _WIDTH
        panel = canvas[top : top + _HEIGHT, left : left + _WIDTH]
        canvas[top : top + _HEIGHT, left : left + _WIDTH] = _panel(panel.copy(), curves, name)
    return canvas


def _panel(panel: np.ndarray, curves: Curves, name: str) -> np.ndarray:
    steps, values = (np.asarray(column) for column in curves.column(name))
    if not len(values):
        return panel
    logarithmic = values.min() > 0.0 and values.max() > 10.0 * values.min()
    shown = np.log10(values) if logarithmic else values
    low, high = _limits(shown)
    first, last = 0.0, max(float(steps[-1]), 1.0)

    def place(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        column = _MARGIN + (x - first) / (last - first) * (_WIDTH - 2 * _MARGIN)
        row = _HEIGHT - _MARGIN - (y - low) / (high - low) * (_HEIGHT - 2 * _MARGIN)
        points = np.stack([column, np.clip(row, _MARGIN, _HEIGHT - _MARGIN)], -1)
        return np.rint(points).astype(np.int32)

    for level in np.linspace(low, high, 5):
        (a, b) = place(np.array([first, last]), np.array([level, level]))
        cv2.line(panel, a.tolist(), b.tolist(), _GRID, 1)
        text = f"{10.0**level if logarithmic else level:.4g}"
        _write(panel, text, (2, int(a[1]) + 3), 0.28)
    cv2.polylines(panel, [place(steps, shown)], False, _FAINT, 1, cv2.LINE_AA)
    cv2.polylines(panel, [place(steps, _smoothed(shown))], False, _LINE, 1, cv2.LINE_AA)
    _write(panel, f"{name}  {values[-1]:.4g}", (_MARGIN, 20), 0.45)
    _write(panel, f"{int(last)} steps", (_WIDTH - 90, _HEIGHT - 12), 0.35)
    return panel


def _limits(shown: np.ndarray) -> tuple[float, float]:
    """Of the axis: what nearly all points need, so that the first steps do not flatten the rest."""
    low, high = (float(np.quantile(shown, share)) for share in (0.005, 0.98))
    room = 0.05 * (high - low) or max(abs(high), 1.0) * 0.05
    return low - room, high + room


def _smoothed(values: np.ndarray) -> np.ndarray:
    if len(values) < 20:
        return values
    smooth = np.empty_like(values)
    state = values[:5].mean()
    for index, value in enumerate(values):
        state = SMOOTH * state + (1.0 - SMOOTH) * value
        smooth[index] = state
    return smooth


def _write(panel: np.ndarray, text: str, where: tuple[int, int], scale: float) -> None:
    cv2.putText(panel, text, where, cv2.FONT_HERSHEY_SIMPLEX, scale, _INK, 1, cv2.LINE_AA)
