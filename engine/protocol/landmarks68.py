"""The 68 points of a face that people set by hand: their names, and what a pin is.

The scheme is that of the iBUG 300-W set (Sagonas et al. 2013, figure 2). Right and left are the
person's own.
"""

import math
from dataclasses import dataclass

from .errors import EngineError, ErrorCode


def _row(name: str, count: int) -> tuple[str, ...]:
    return tuple(f"{name} {number}" for number in range(1, count + 1))


_EYE = ("upper lid outside", "upper lid inside", "lower lid inside", "lower lid outside")

LANDMARK_NAMES: tuple[str, ...] = (
    *_row("Right jaw", 8),
    "Chin",
    *reversed(_row("Left jaw", 8)),
    *_row("Right brow", 5),
    *reversed(_row("Left brow", 5)),
    *_row("Nose bridge", 3),
    "Nose tip",
    *("Right nostril", "Right base of the nose", "Middle of the nose's base"),
    *("Left base of the nose", "Left nostril"),
    *("Right eye, outer corner", f"Right eye, {_EYE[0]}", f"Right eye, {_EYE[1]}"),
    *("Right eye, inner corner", f"Right eye, {_EYE[2]}", f"Right eye, {_EYE[3]}"),
    *("Left eye, inner corner", f"Left eye, {_EYE[1]}", f"Left eye, {_EYE[0]}"),
    *("Left eye, outer corner", f"Left eye, {_EYE[3]}", f"Left eye, {_EYE[2]}"),
    *("Right corner of the mouth", "Upper lip, far right", "Upper lip, right peak"),
    *("Upper lip, middle", "Upper lip, left peak", "Upper lip, far left"),
    *("Left corner of the mouth", "Lower lip, far left", "Lower lip, left"),
    *("Lower lip, middle", "Lower lip, right", "Lower lip, far right"),
    *("Inner right corner of the mouth", "Upper lip's edge, right", "Upper lip's edge, middle"),
    *("Upper lip's edge, left", "Inner left corner of the mouth", "Lower lip's edge, left"),
    *("Lower lip's edge, middle", "Lower lip's edge, right"),
)
"""By index: jaw from ear to ear (0 to 16), brows, nose, eyes, lips outside (48) and inside (60)."""

CURVES: tuple[tuple[int, ...], ...] = (
    tuple(range(17)),
    tuple(range(17, 22)),
    tuple(range(22, 27)),
    tuple(range(27, 31)),
    tuple(range(31, 36)),
    (*range(36, 42), 36),
    (*range(42, 48), 42),
    (*range(48, 60), 48),
    (*range(60, 68), 60),
)
"""Points that lie on one line of the face, in order; closed ones end where they begin."""


@dataclass(frozen=True)
class Pin:
    """Where one of the 68 points is in the main photo, as a person says.

    index: into `LANDMARK_NAMES`; x, y: pixels of the photo from its top left corner. Raises
    EngineError(BAD_SETTINGS).
    """

    index: int
    x: float
    y: float

    def __post_init__(self) -> None:
        if not 0 <= self.index < len(LANDMARK_NAMES):
            last = len(LANDMARK_NAMES) - 1
            raise _bad(f"a pin is one of the points 0 to {last}, got {self.index}")
        if not (math.isfinite(self.x) and math.isfinite(self.y)):
            raise _bad(f"the pin of point {self.index} has no place in the photo")


def check_pins(pins: tuple[Pin, ...]) -> None:
    """Raises EngineError(BAD_SETTINGS) when a point has two pins."""
    indices = [pin.index for pin in pins]
    twice = [LANDMARK_NAMES[index] for index in set(indices) if indices.count(index) > 1]
    if twice:
        raise _bad(f"there are two pins of one point ({min(twice)})")


def check_inside(pins: tuple[Pin, ...], width: int, height: int) -> None:
    """Raises EngineError(BAD_SETTINGS) when a pin lies outside a photo of that size."""
    for pin in pins:
        if not (0.0 <= pin.x <= width and 0.0 <= pin.y <= height):
            name = LANDMARK_NAMES[pin.index]
            raise _bad(
                f"the pin of {name!r} at {pin.x:.0f}, {pin.y:.0f} lies outside the photo "
                f"({width} x {height} pixels)"
            )


def _bad(why: str) -> EngineError:
    return EngineError(ErrorCode.BAD_SETTINGS, f"The job cannot be run: {why}.")
