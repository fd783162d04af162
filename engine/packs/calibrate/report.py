"""Figures about the tables, in words."""

import numpy as np

from ...register.registration import Registration
from .conformal import corner_areas, corner_stretch
from .head_patches import HeadPatches
from .identity_fit import Calibration, DenseLink
from .landmark_table import Landmarks468
from .landmark_turn import LearnedTurn

NECK_EDGE = 0.05
"""Metres above the lowest vertex: below, the template's shoulders have nothing to lie on."""


def uv_report(corner_uv: np.ndarray, head: HeadPatches, registered: Registration) -> str:
    """Flipped faces and stretch of the UVs (F, 4, 2), distance of the registered template."""
    lines = []
    areas = corner_areas(corner_uv)
    sockets = head.socket_left | head.socket_right
    for name, faces in (("skin", head.outside), ("sockets", sockets), ("mouth bag", head.mouth)):
        flipped = int((areas[faces] <= 0.0).any(axis=1).sum())
        lines.append(f"{name}: {int(faces.sum())} faces, {flipped} flipped")
    stretch = corner_stretch(corner_uv, head.vertices[head.quads])[head.outside]
    ratio = np.percentile(stretch[..., 0] / stretch[..., 1], [50, 95, 99])
    lines.append("stretch ratio of the skin, median, 95 %, 99 %: " + _numbers(ratio))
    low = head.vertices[:, 1].min() + NECK_EDGE
    above = registered.vertices[:, 1] > low
    distance = 1e3 * np.nanpercentile(registered.distance[above], [50, 95, 99])
    lines.append("template to head, mm, median, 95 %, 99 %: " + _numbers(distance))
    return "\n".join(lines)


def landmark_report(found: Landmarks468, renders: int) -> str:
    """Scatter of the sightings, distance of the two routes, landmarks not used."""
    finite = found.spread[np.isfinite(found.spread)]
    spread = 1e3 * np.percentile(finite, [50, 95, 100])
    routes = 1e3 * np.nanpercentile(found.disagreement, [50, 95, 100])
    unused = np.flatnonzero(found.embedding.weight == 0.0).tolist()
    return "\n".join(
        [
            f"{renders} renders",
            "scatter, mm, median, 95 %, largest: " + _numbers(spread),
            "distance of the two routes, mm, median, 95 %, largest: " + _numbers(routes),
            f"mean weight {found.embedding.weight.mean():.2f}, not used: {unused}",
        ]
    )


def identity_report(found: Calibration, link: DenseLink) -> str:
    """Size of the shift, error of the fits, how fast the variance falls."""
    share = np.cumsum(found.explained)[[0, 4, 9, 19, 39, 79]]
    rms, largest = np.sqrt((found.mean**2).mean()), np.abs(found.mean).max()
    lines = [
        f"{len(link.rows)} vertices linked, rms of the fits {1e3 * found.residual:.2f} mm",
        f"shift of the mean, raw standard deviations: rms {rms:.2f}, largest {largest:.2f}",
        "variance in the first 1, 5, 10, 20, 40, 80 components: " + _numbers(share),
    ]
    return "\n".join(lines)


def turn_report(found: LearnedTurn) -> str:
    """How far the landmarks of turned heads are off, on heads that were held out."""
    before, after = (_numbers(1e3 * figures) for figures in (found.before, found.after))
    return (
        f"{found.heads} heads; error of landmarks of turned heads along x, y, z, mm, rms: "
        f"{before}, corrected: {after}"
    )


def _numbers(values: np.ndarray) -> str:
    return ", ".join(f"{value:.2f}" for value in values)
