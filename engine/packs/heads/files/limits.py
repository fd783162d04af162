"""Bytes of a user's file, bounded, with its hash."""

import hashlib
from pathlib import Path

from ..source import source_error

MOST_BYTES = 4 << 30
"""The largest released head models are 2 GB."""


def read_file(path: Path, limit: int = MOST_BYTES) -> tuple[bytes, str]:
    """The bytes of a file and their sha256. Raises EngineError(PACK_INVALID) when it cannot be
    read or holds more than `limit` bytes."""
    try:
        with open(path, "rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        found = error.strerror or "none"
        raise source_error(path.name, "", "a readable file", found) from error
    if len(data) > limit:
        raise source_error(path.name, "", f"at most {limit >> 20} MB", "a larger file")
    return data, hashlib.sha256(data).hexdigest()
