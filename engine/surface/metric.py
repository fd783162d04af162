"""How large the texels of the layout are on the skin, so that slopes and pores are true to size."""

from dataclasses import dataclass

import cv2
import numpy as np

FARTHEST_STEP = 0.006
"""Metres. Neighbour texels farther apart lie on different islands. Ours: texels at 512 are 0.4 to
1.7 mm wide on the face of the default head."""
SMALLEST_TEXEL = 5e-5
"""Metres at 512. Keeps slopes finite where the layout has a pole."""
_SMOOTHING = 2.0
"""Texels. Positions are flat within a triangle, so their differences jump at its edges."""
_REFERENCE = 512


@dataclass(frozen=True, eq=False)
class TexelMetric:
    """Size of texels, each (S, S) float32, metres a texel.

    along: length of a step along u. across: of a step along v (upwards), the part that is at a
    right angle to u. shear: the part of that step along u. Every texel has a value; those outside
    the islands have the nearest one's.
    """

    along: np.ndarray
    across: np.ndarray
    shear: np.ndarray

    @property
    def size(self) -> np.ndarray:
        """(S, S) side of a square of the texel's area, metres."""
        return np.sqrt(self.along * self.across)


def nearest_filled(values: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """(S, S, ...) with the values of texels that are not valid taken from the nearest valid one.

    valid: (S, S) bool with at least one True.
    """
    holes = (~valid).astype(np.uint8)
    _, label = cv2.distanceTransformWithLabels(
        holes, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    source = np.zeros(int(label.max()) + 1, np.int64)
    flat = np.flatnonzero(valid)
    source[label.reshape(-1)[flat]] = flat
    return values.reshape(-1, *values.shape[2:])[source[label]]


def texel_metric(position: np.ndarray, valid: np.ndarray) -> TexelMetric:
    """Metric of a layout from the surface points of its texels.

    position: (S, S, 3) metres, row 0 on top (v is up). valid: (S, S) bool. With P_u and P_v the
    steps of position along u and v: along = |P_u|, shear = P_v . T, across = |P_v - shear T|, where
    T = P_u / |P_u| is the tangent that programs build normal maps on (Mikkelsen 2008).
    """
    step_u = _differences(position, valid, 1)
    step_v = -_differences(position, valid, 0)  # rows count downwards, v upwards
    long = np.linalg.norm(step_u, axis=-1)
    tangent = step_u / np.maximum(long, 1e-9)[..., None]
    shear = (step_v * tangent).sum(-1)
    rest = np.linalg.norm(step_v - shear[..., None] * tangent, axis=-1)
    sound = (long > 0.0) & (rest > 0.0) & (long < FARTHEST_STEP) & (rest < FARTHEST_STEP)
    weight = sound.astype(np.float32)
    total = cv2.GaussianBlur(weight, (0, 0), _SMOOTHING)
    near = total > 1e-3
    least = SMALLEST_TEXEL * _REFERENCE / len(position)

    def smooth(values: np.ndarray) -> np.ndarray:
        blurred = cv2.GaussianBlur((values * weight).astype(np.float32), (0, 0), _SMOOTHING)
        return nearest_filled(blurred / np.maximum(total, 1e-6), near)

    along, across = (np.maximum(smooth(values), least) for values in (long, rest))
    return TexelMetric(along, across, smooth(shear))


def _differences(position: np.ndarray, valid: np.ndarray, axis: int) -> np.ndarray:
    """(S, S, 3) half the difference of the next and the last texel, 0 where one is not valid."""
    inner = [slice(None), slice(None)]
    last, following = list(inner), list(inner)
    inner[axis], last[axis], following[axis] = slice(1, -1), slice(None, -2), slice(2, None)
    both = valid[tuple(last)] & valid[tuple(following)]
    result = np.zeros(position.shape, np.float32)
    difference = (position[tuple(following)] - position[tuple(last)]) / 2
    result[tuple(inner)] = difference * both[..., None]
    return result


def resized_metric(metric: TexelMetric, size: int) -> TexelMetric:
    """The same layout at another number of texels a side."""
    factor = np.float32(len(metric.along) / size)
    along, across, shear = (
        cv2.resize(values, (size, size), interpolation=cv2.INTER_LINEAR) * factor
        for values in (metric.along, metric.across, metric.shear)
    )
    return TexelMetric(along, across, shear)
