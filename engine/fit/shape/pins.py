"""Pins in the shape fit: points that a person put in their places in the photo.

A pin is stronger than the net in two ways. The net's points near it move along, as if the net
had been wrong there by the same amount; then the last round of the fit has a residual for the pin
itself, with a small spread and without the robust cost that would take it for an outlier.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...photo.landmark_link import LandmarkLink, link_points, move_dense
from ...protocol.headpack import HeadPack
from ...protocol.landmarks68 import LANDMARK_NAMES, Pin
from .landmark_basis import LandmarkBasis, landmark_basis
from .view import (
    Linearised,
    ShapeView,
    ViewState,
    eye_distance,
    pixel_errors,
    residuals,
)

PIN_NOISE = 0.01
"""Variance of a pin's place over that of the net's errors. Ours: nearly exact, but two pins side
by side must not tear the points between them."""


@dataclass(frozen=True, eq=False)
class PinnedPoints:
    """The pins of a photo. indices (n,) of the 68; basis: of these points; target (n, 2) photo
    pixels; link: to the net's points."""

    indices: tuple[int, ...]
    basis: LandmarkBasis
    target: np.ndarray
    link: LandmarkLink


def pinned_points(head: HeadPack, dense: LandmarkBasis, pins: Sequence[Pin]) -> PinnedPoints | None:
    """What pins mean on a head; None for no pins. dense: of the net's points."""
    if not pins:
        return None
    indices = tuple(pin.index for pin in pins)
    sparse = landmark_basis(head, head.landmarks68)
    chosen = list(indices)
    basis = LandmarkBasis(
        sparse.mean[chosen],
        sparse.identity[:, chosen],
        sparse.expression[:, chosen],
        sparse.normals[chosen],
        np.ones(len(chosen)),
    )
    target = np.array([(pin.x, pin.y) for pin in pins], dtype=np.float64)
    link = link_points(dense.mean, basis.mean, np.full(len(chosen), PIN_NOISE))
    return PinnedPoints(indices, basis, target, link)


def moved_to_pins(view: ShapeView, pinned: PinnedPoints | None) -> ShapeView:
    """The view with the net's points near the pins moved along with them."""
    if pinned is None:
        return view
    points = move_dense(view.landmarks.astype(np.float64), pinned.target, pinned.link)
    return replace(view, landmarks=points)


def with_pins(
    part: Linearised,
    pinned: PinnedPoints,
    dense: LandmarkBasis,
    view: ShapeView,
    identity: np.ndarray,
    own: ViewState,
    scale: float,
    sigma: float,
) -> Linearised:
    """The linearised landmarks with the pins below them. sigma: standard deviation of a pin,
    fraction of the outer-eye distance; scale: pixels a metre."""
    depth = np.zeros((len(pinned.target), 1))  # a pin tells nothing of the depth
    there = replace(view, landmarks=np.hstack([pinned.target, depth]))
    residual, jacobian = residuals(pinned.basis, there, identity, own, scale)
    residual[:, 2], jacobian[:, 2] = 0.0, 0.0
    spread = sigma * eye_distance(dense)
    residual, jacobian = residual / spread, jacobian / spread
    return Linearised(
        part.cost + float((residual**2).sum()),
        np.vstack([part.residual, residual]),
        np.concatenate([part.jacobian, jacobian]),
        np.concatenate([part.weight, np.ones(len(residual))]),
    )


def missed_pins(
    pinned: PinnedPoints, view: ShapeView, identity: np.ndarray, own: ViewState, far: float
) -> list[str]:
    """A sentence for each pin that the fit stayed away from, worst first.

    view: of the photo; far: fraction of its outer-eye distance.
    """
    there = replace(view, landmarks=pinned.target)
    errors = pixel_errors(pinned.basis, there, identity, own)
    return [
        f"The pin of {LANDMARK_NAMES[pinned.indices[row]]!r} is {errors[row]:.0f} pixels away from "
        "the head: no shape that people have comes closer, or what would have to move is locked."
        for row in np.argsort(-errors)
        if errors[row] > far * view.outer_eye_pixels
    ]
