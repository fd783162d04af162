"""The values that a pickle file may build here: names, arrays, and a few known objects.

chumpy (the array package of SMPL and FLAME): a `Ch` keeps its array under the key x of its state,
a `Select` picks `idxs` of the flat `a` and gives them `preferred_shape` (public source of chumpy,
ch.py and reordering.py). scipy's sparse matrices keep data, indices, indptr, _shape (or shape).
"""

from dataclasses import dataclass
from enum import Enum
from math import prod
from typing import Any

import numpy as np

MOST_DIMENSIONS = 8
MOST_NESTED = 8
MOST_DENSE = 2**22
"""Entries of a sparse table that is written out. A joint regressor of SMPL has 165 360."""
_RECONSTRUCT_MODULES = ("numpy.core.multiarray", "numpy._core.multiarray")
_BUFFER_MODULES = ("numpy.core.numeric", "numpy._core.numeric")


class PickleRefused(Exception):
    """The file holds something else than is expected of it; the text says what."""


class Name(Enum):
    """What a name in the file stands for here."""

    ARRAY = "numpy.ndarray"
    DTYPE = "numpy.dtype"
    RECONSTRUCT = "an empty array, filled by the next BUILD (numpy, protocols 2 to 4)"
    BUFFER = "an array from its bytes (numpy, protocol 5)"
    SCALAR = "one number (numpy)"
    ENCODE = "bytes written as text (Python 3, protocol 2)"
    SET = "a set; what is in it is of no use here"
    CHUMPY = "an array of chumpy"
    SELECT = "a selection of an array of chumpy"
    COLUMNS = "a sparse matrix of scipy by columns"
    ROWS = "a sparse matrix of scipy by rows"


NAMES = {
    ("numpy", "ndarray"): Name.ARRAY,
    ("numpy", "dtype"): Name.DTYPE,
    **{(module, "_reconstruct"): Name.RECONSTRUCT for module in _RECONSTRUCT_MODULES},
    **{(module, "scalar"): Name.SCALAR for module in _RECONSTRUCT_MODULES},
    **{(module, "_frombuffer"): Name.BUFFER for module in _BUFFER_MODULES},
    ("_codecs", "encode"): Name.ENCODE,
}
OBJECT_NAMES = {
    ("builtins", "set"): Name.SET,
    ("__builtin__", "set"): Name.SET,
    ("chumpy.ch", "Ch"): Name.CHUMPY,
    ("chumpy", "Ch"): Name.CHUMPY,
    ("chumpy.reordering", "Select"): Name.SELECT,
    **{(f"scipy.sparse.{m}", "csc_matrix"): Name.COLUMNS for m in ("csc", "_csc")},
    **{(f"scipy.sparse.{m}", "csr_matrix"): Name.ROWS for m in ("csr", "_csr")},
}
"""Further names, of files that hold head models."""
MAKES_OBJECTS = (Name.CHUMPY, Name.SELECT, Name.COLUMNS, Name.ROWS)


@dataclass
class Dtype:
    """A numpy type that is being built: "f4", then its byte order."""

    code: str
    order: str = "<"

    def made(self) -> np.dtype:
        """The finished type."""
        return np.dtype(self.order + self.code)


@dataclass
class Array:
    """An array that is being built."""

    value: np.ndarray | None = None


@dataclass
class Made:
    """A known object that is being built."""

    name: Name
    state: dict[str, Any] | None = None


@dataclass
class Bag:
    """A list or set; what is put in is left out."""


def filled_array(raw: bytes | bytearray, kind: Dtype, shape: tuple, order: Any) -> np.ndarray:
    """A read-only array of bytes. Raises PickleRefused unless the bytes fill it exactly."""
    sizes_fit = len(shape) <= MOST_DIMENSIONS and all(type(n) is int and n >= 0 for n in shape)
    if not sizes_fit or order not in ("C", "F"):
        raise PickleRefused("it has an array with a shape that is none")
    dtype = kind.made()
    if prod(shape) * dtype.itemsize != len(raw):
        found = f"{len(raw)} bytes for shape {shape}"
        raise PickleRefused(f"it has an array that does not fit its values: {found}"[:200])
    values = np.frombuffer(raw, dtype).reshape(shape, order=order)
    values.flags.writeable = False
    return values


def finish(value: Any, done: dict[int, Any], depth: int = 0) -> Any:
    """`value` with finished arrays. done: what was met before, so that each is copied once."""
    if depth > MOST_NESTED:
        raise PickleRefused("its dictionaries are nested too deeply")
    if isinstance(value, dict | Made):
        if id(value) not in done:
            if isinstance(value, Made):
                done[id(value)] = _finish_object(value, done, depth)
            else:
                copy = {key: finish(item, done, depth + 1) for key, item in value.items()}
                done[id(value)] = copy
        return done[id(value)]
    if isinstance(value, Array):
        if value.value is None:
            raise PickleRefused("an array in it has no values")
        return value.value
    if isinstance(value, Name | Dtype):
        raise PickleRefused("it holds a name instead of numbers")
    return () if isinstance(value, Bag) else value


def _finish_object(made: Made, done: dict[int, Any], depth: int) -> np.ndarray:
    state = made.state or {}
    wanted = {
        Name.CHUMPY: ("x",),
        Name.SELECT: ("a", "idxs", "preferred_shape"),
    }.get(made.name, ("data", "indices", "indptr", "_shape" if "_shape" in state else "shape"))
    parts = [finish(state[key], done, depth + 1) if key in state else None for key in wanted]
    arrays = [part for part, key in zip(parts, wanted, strict=True) if "shape" not in key]
    if not all(isinstance(array, np.ndarray) for array in arrays):
        raise PickleRefused(f"it has {made.name.value} without its numbers")
    if made.name is Name.CHUMPY:
        return arrays[0]
    if made.name is Name.SELECT:
        return _selected(*arrays, shape=parts[-1])
    return _dense(*arrays, shape=parts[-1], rows=made.name is Name.ROWS)


def _selected(source: np.ndarray, index: np.ndarray, shape: Any) -> np.ndarray:
    """chumpy's Select: source flat, by index, in a shape."""
    flat = source.ravel()
    _check_index(index, flat.size)
    picked = flat[index.ravel()]
    if shape is None:
        return picked
    if not isinstance(shape, tuple) or not all(type(n) is int and n >= 0 for n in shape):
        raise PickleRefused("it has an array with a shape that is none")
    if prod(shape) != picked.size:
        raise PickleRefused("it has an array that does not fit its values")
    return picked.reshape(shape)


def _dense(
    data: np.ndarray, index: np.ndarray, start: np.ndarray, shape: Any, rows: bool
) -> np.ndarray:
    """A sparse matrix written out, float64."""
    if not isinstance(shape, tuple) or len(shape) != 2 or not all(type(n) is int for n in shape):
        raise PickleRefused("it has a sparse matrix with a shape that is none")
    if min(shape) < 1 or prod(shape) > MOST_DENSE:
        raise PickleRefused(f"it has a sparse matrix of shape {shape}"[:200])
    lines, across = shape if rows else shape[::-1]
    _check_index(index, across)
    lengths = np.diff(start.astype(np.int64)) if start.dtype.kind in "iu" else np.zeros(0)
    filled = len(start) == lines + 1 and np.all(lengths >= 0) and start[0] == 0
    if not filled or data.ndim != 1 or not len(data) == len(index) == start[-1]:
        raise PickleRefused("it has a sparse matrix that does not fit its values")
    dense = np.zeros((lines, across))
    np.add.at(dense, (np.repeat(np.arange(lines), lengths), index), data)
    return dense if rows else dense.T


def _check_index(index: np.ndarray, end: int) -> None:
    if index.dtype.kind not in "iu" or (index.size and not 0 <= index.min() <= index.max() < end):
        raise PickleRefused("it has an index that points nowhere")
