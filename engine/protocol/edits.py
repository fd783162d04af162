"""What a person changed on a head by sliders, for a fit that goes on from there: one file."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .errors import EngineError, ErrorCode
from .safetensors import read_safetensors, write_safetensors

EDITABLE: Mapping[str, int] = {"identity": 1, "expression": 1, "albedo": 2}
"""Arrays of the file, with their number of dimensions; each may be left out."""
MAX_SIGMAS = 20.0
"""Largest coefficient that is taken. Ours: sliders end far below, a wrong unit is far above."""


@dataclass(frozen=True, eq=False)
class Edits:
    """identity (K,) and albedo (3, K) in standard deviations, expression (E,) weights in [0, 1] of
    the main photo: absolute values, None where nothing was changed."""

    identity: np.ndarray | None = None
    expression: np.ndarray | None = None
    albedo: np.ndarray | None = None


def write_edits(path: Path, edits: Edits) -> None:
    """The file that `read_edits` reads. Raises OSError."""
    arrays = {name: getattr(edits, name) for name in EDITABLE}
    write_safetensors(
        path, {name: a.astype(np.float32) for name, a in arrays.items() if a is not None}
    )


def read_edits(path: Path) -> Edits:
    """A file of edits, checked but for its sizes. Raises EngineError(BAD_INPUT)."""
    try:
        arrays = read_safetensors(path)
    except (EngineError, OSError) as error:
        raise _bad(f"it cannot be read ({error})") from error
    for name, array in arrays.items():
        if name not in EDITABLE:
            raise _bad(f"it holds {name[:60]!r} (can hold: {', '.join(EDITABLE)})")
        if array.ndim != EDITABLE[name] or array.dtype.kind != "f":
            raise _bad(f"{name} must have {EDITABLE[name]} dimensions of real numbers")
        low, high = (0.0, 1.0) if name == "expression" else (-MAX_SIGMAS, MAX_SIGMAS)
        if not ((array >= low) & (array <= high)).all():  # also refuses what is not a number
            raise _bad(f"{name} must lie between {low:g} and {high:g}")
    single = {name: array.astype(np.float32) for name, array in arrays.items()}  # as recipes keep
    return Edits(**{name: array.astype(np.float64) for name, array in single.items()})


def check_sizes(edits: Edits, sizes: Mapping[str, tuple[int, ...]]) -> None:
    """sizes: shape of each array in the models. Raises EngineError(BAD_INPUT)."""
    for name in EDITABLE:
        array = getattr(edits, name)
        if array is not None and array.shape != sizes[name]:
            raise _bad(f"{name} must have shape {sizes[name]}, got {array.shape}")


def _bad(why: str) -> EngineError:
    return EngineError(
        ErrorCode.BAD_INPUT,
        f"The file of edits cannot be used: {why}.",
        "Give the values of a head that was made with the same packs.",
    )
