"""Tensors of a pack file with the names, types, shapes and values that they must have."""

from pathlib import Path

import numpy as np

from .pack_manifest import pack_error
from .safetensors import read_safetensors

Schema = dict[str, tuple[str, tuple[str | int, ...]]]
"""Name of a tensor -> dtype code of numpy and shape; a symbol stands for a named extent."""


def read_at_most(folder: Path, file: str, limit: int) -> dict[str, np.ndarray]:
    """All tensors of `folder/file`. Raises EngineError(PACK_INVALID), also above `limit` bytes."""
    path = Path(folder) / file
    if path.is_file() and path.stat().st_size > limit:
        raise pack_error(file, "", f"at most {limit >> 20} MB", f"{path.stat().st_size >> 20} MB")
    return read_safetensors(path)


def checked_tensors(
    folder: Path, file: str, schema: Schema, sizes: dict[str, int]
) -> dict[str, np.ndarray]:
    """Tensors of `folder/file` that match `schema`; all numbers finite.

    sizes: known extents by symbol; symbols met for the first time are bound to what is found.
    Raises EngineError(PACK_INVALID) with file, tensor, expected and found.
    """
    tensors = read_safetensors(folder / file)
    check_tensors(file, tensors, schema, sizes)
    return tensors


def check_tensors(
    file: str, tensors: dict[str, np.ndarray], schema: Schema, sizes: dict[str, int]
) -> None:
    """The same for tensors that were read already. Raises EngineError(PACK_INVALID)."""
    for name in sorted(tensors.keys() ^ schema.keys()):
        wanted, got = ("no such tensor", "one") if name in tensors else ("this tensor", "none")
        raise pack_error(file, name, wanted, got)
    for name, (kind, shape) in schema.items():
        array = tensors[name]
        if array.dtype != np.dtype(kind):
            raise pack_error(file, name, np.dtype(kind).name, array.dtype.name)
        wanted = array.shape if len(shape) == array.ndim else (None,) * len(shape)
        filled = tuple(
            extent if isinstance(extent, int) else sizes.setdefault(extent, found)
            for extent, found in zip(shape, wanted, strict=True)
        )
        if array.shape != filled:
            raise pack_error(file, name, f"shape {filled}", f"shape {array.shape}")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise pack_error(file, name, "finite numbers", "infinite or undefined ones")


def check_range(
    file: str, name: str, array: np.ndarray, low: float, high: float, slack: float = 0.0
) -> None:
    """Every value in [low - slack, high + slack]. Raises EngineError(PACK_INVALID)."""
    if array.size and (array.min() < low - slack or array.max() > high + slack):
        span = f"{array.min():g} to {array.max():g}"
        raise pack_error(file, name, f"values from {low:g} to {high:g}", span)
