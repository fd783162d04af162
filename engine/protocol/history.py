"""How a result came about: the fit of the photos and each refit, with what a person asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from .albedo import CHANNELS
from .edits import EDITABLE, Edits
from .errors import EngineError, ErrorCode
from .landmarks68 import Pin

MOST_STEPS = 100
"""Fits of one head that are remembered. Ours: with the largest models they take 3 MB."""


@dataclass(frozen=True)
class FitStep:
    """One fit. seed, sizes, locks, pins: as in `FitJob`. edits: values of the arrays of `Edits`
    that were changed, by name, row by row; 32-bit numbers in their shortest decimals."""

    seed: int
    texture_size: int
    fine_size: int
    locks: tuple[str, ...] = ()
    pins: tuple[Pin, ...] = ()
    edits: dict[str, tuple[float, ...]] = field(default_factory=dict)


def edits_to_plain(edits: Edits | None) -> Mapping[str, tuple[float, ...]]:
    """`FitStep.edits`."""
    arrays = {} if edits is None else {name: getattr(edits, name) for name in EDITABLE}
    return {
        name: tuple(float(str(value)) for value in array.astype(np.float32).ravel())
        for name, array in arrays.items()
        if array is not None
    }


def edits_from_plain(values: Mapping[str, tuple[float, ...]]) -> Edits | None:
    """Inverse of `edits_to_plain`. Raises EngineError(BAD_SETTINGS)."""
    arrays = {}
    for name, numbers in values.items():
        if name not in EDITABLE or (EDITABLE[name] == 2 and len(numbers) % CHANNELS):
            words = f"The edits of {name[:60]!r} in this recipe cannot be used."
            raise EngineError(ErrorCode.BAD_SETTINGS, words)
        array = np.array(numbers, np.float32)
        arrays[name] = array.reshape(CHANNELS, -1) if EDITABLE[name] == 2 else array
    return Edits(**arrays) if arrays else None


def with_step(before: tuple[FitStep, ...], step: FitStep) -> tuple[FitStep, ...]:
    """The history of a result. Of a longer one than `MOST_STEPS` nothing is kept: the middle of a
    chain does not make the same head."""
    return (*before, step) if len(before) < MOST_STEPS else ()
