"""Figures of a regressor on samples that it was not trained on."""

from dataclasses import dataclass

import numpy as np

from ...fit.shape.landmark_basis import LandmarkBasis
from ...nets.regressor import UNIT, RegressorInfo, align

MILLIMETRES = 1000.0


@dataclass(frozen=True, eq=False)
class Held:
    """out (n, 2, total) of the net; targets (n, total); identity (n, K): all coefficients."""

    out: np.ndarray
    targets: np.ndarray
    identity: np.ndarray


def figures_of(held: Held, basis: LandmarkBasis, info: RegressorInfo) -> dict[str, float]:
    """Named figures.

    shape_mm, shape_mean_mm: mean distance of the head's landmarks after a similarity alignment, of
    the told identity and of the mean head. points_mm, points_before_mm: error of the landmarks
    along an axis after and before the correction, rms. ..._rms: error in the group's units.
    ..._calibration: rms of error over standard deviation, 1 where the net knows what it knows.
    """
    ends = np.cumsum([0, *info.groups().values()])
    figures = {}
    for name, first, last in zip(info.groups(), ends[:-1], ends[1:], strict=True):
        part = slice(first, last)
        error = held.targets[:, part] - held.out[:, 0, part]
        figures[f"held_{name}_rms"] = _rms(error)
        figures[f"held_{name}_calibration"] = _rms(error / np.exp(held.out[:, 1, part]))
    told = np.zeros_like(held.identity)
    told[:, : info.identity] = held.out[:, 0, : info.identity]
    figures["held_shape_mm"] = shape_error(told, held.identity, basis)
    figures["held_shape_mean_mm"] = shape_error(np.zeros_like(told), held.identity, basis)
    to_millimetres = MILLIMETRES / UNIT
    figures["held_points_mm"] = figures.pop("held_points_rms") * to_millimetres
    figures["held_points_before_mm"] = _rms(held.targets[:, ends[-2] :]) * to_millimetres
    return figures


def picture_figures(held: Held, basis: LandmarkBasis, info: RegressorInfo) -> dict[str, float]:
    """The identity that is told without the points, as in `figures_of`."""
    told = np.zeros_like(held.identity)
    told[:, : info.identity] = held.out[:, 0, : info.identity]
    error = (held.targets - held.out[:, 0])[:, : info.identity]
    spread = np.exp(held.out[:, 1, : info.identity])
    return {
        "held_picture_shape_mm": shape_error(told, held.identity, basis),
        "held_picture_calibration": _rms(error / spread),
    }


def shape_error(told: np.ndarray, truth: np.ndarray, basis: LandmarkBasis) -> float:
    """Mean distance in millimetres of landmarks of two identities (n, K), aligned."""
    modes = basis.identity.reshape(len(basis.identity), -1)
    ours, theirs = (basis.mean + (z @ modes).reshape(len(z), -1, 3) for z in (told, truth))
    total = 0.0
    for one, other in zip(ours, theirs, strict=True):
        aligned = align(other[None], one, basis.weight)
        distance = np.linalg.norm(aligned.offset[0], axis=1)
        total += float(basis.weight @ distance / basis.weight.sum())
    return MILLIMETRES * total / len(told)


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(values))))
