"""Matrices of MATLAB files, named one by one and checked before they are used.

Only plain matrices of real numbers are read; structures, cells, texts and objects are refused by
their header. What the header claims is compared with what is expected before anything is loaded,
so a file cannot make us hold more than that.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ....protocol.errors import EngineError
from ..source import source_error
from .mat5 import Entry, NoMat5, read_entries, read_entry

MOST_BYTES = 1 << 30
"""The published files have less than 400 MB."""
MOST_MATRICES = 256
NUMBERS = frozenset(
    "double single int8 uint8 int16 uint16 int32 uint32 int64 uint64 logical".split()
)
_HDF5 = b"\x89HDF"
_HDF5_AT = 512
"""MATLAB puts a text before the HDF5 content of its version 7.3."""


@dataclass(frozen=True)
class MatFile:
    """A file that was looked into: what its headers claim, and its hash."""

    path: Path
    headers: Mapping[str, Entry]
    sha256: str

    @property
    def name(self) -> str:
        """For people."""
        return self.path.name

    def refuse(self, key: str, expected: str, found: str) -> EngineError:
        """The complaint about one matrix."""
        return source_error(self.name, key, expected, found)

    def numbers(self, key: str, shape: tuple[int, ...]) -> np.ndarray:
        """A matrix (shape) of finite float32; (n,): a row or a column. Raises
        EngineError(PACK_INVALID)."""
        values = self._load(key, shape)
        with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite: refused
            values = values.astype(np.float32)
        if not np.isfinite(values).all():
            raise self.refuse(key, "finite numbers", "infinite or undefined ones")
        return values

    def indices(self, key: str, shape: tuple[int, ...], first: int, last: int) -> np.ndarray:
        """A matrix (shape) of whole numbers from first to last, as int64 counted from 0: `first`
        becomes 0. Raises EngineError(PACK_INVALID)."""
        values = self._load(key, shape)
        whole = values.astype(np.float64)
        if not (np.isfinite(whole).all() and (whole == np.round(whole)).all()):
            raise self.refuse(key, "whole numbers", "others")
        low, high = int(whole.min()), int(whole.max())
        if low < first or high > last:
            hint = " (it seems to count from 0)" if (first, low) == (1, 0) else ""
            hint = " (it seems to count from 1)" if (first, high) == (0, last + 1) else hint
            raise self.refuse(key, f"numbers from {first} to {last}", f"{low} to {high}{hint}")
        return values.astype(np.int64) - first

    def _load(self, key: str, shape: tuple[int, ...]) -> np.ndarray:
        header = self.headers.get(key)
        if header is None:
            present = ", ".join(sorted(self.headers)[:20]) or "nothing"
            raise self.refuse(key, "this matrix", f"none (the file has {present})")
        if header.kind not in NUMBERS or header.complex:
            found = "complex ones" if header.complex else f"one of the class {header.kind}"
            raise self.refuse(key, "a matrix of real numbers", found)
        claimed = _flat(header.shape) if len(shape) == 1 else header.shape
        if claimed != shape:
            expected = " x ".join(map(str, shape))
            raise self.refuse(key, f"shape {expected}", " x ".join(map(str, header.shape)))
        try:
            with open(self.path, "rb") as file:
                return read_entry(file, header).reshape(shape)
        except OSError as error:
            raise self.refuse(key, "a readable file", error.strerror or "none") from error
        except NoMat5 as error:
            raise self.refuse(key, "a matrix", str(error)) from error


def open_mat(path: Path) -> MatFile:
    """Look into a MATLAB file: names, shapes and classes of what it holds.

    Raises EngineError(PACK_INVALID) for what is no such file, or one of version 7.3 (HDF5).
    """
    path = Path(path)
    try:
        with open(path, "rb") as file:
            start = file.read(_HDF5_AT + len(_HDF5))
            if _HDF5 in (start[: len(_HDF5)], start[_HDF5_AT:]):
                found = "version 7.3 (save it again with -v7)"
                raise source_error(path.name, "", "a MATLAB file of version 5", found)
            size = file.seek(0, 2)
            if size > MOST_BYTES:
                expected = f"at most {MOST_BYTES >> 20} MB"
                raise source_error(path.name, "", expected, f"{size >> 20} MB")
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(0)
            entries = read_entries(file, MOST_MATRICES)
    except OSError as error:
        found = error.strerror or "none"
        raise source_error(path.name, "", "a readable file", found) from error
    except NoMat5 as error:
        raise source_error(path.name, "", "a MATLAB file of version 5", str(error)) from error
    return MatFile(path, {entry.name: entry for entry in entries}, digest)


def _flat(shape: tuple[int, ...]) -> tuple[int, ...]:
    """(n,) of a row or a column, others as they are."""
    return (max(shape),) if len(shape) == 2 and min(shape) == 1 else shape
