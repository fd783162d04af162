"""Files of strangers: only plain ones are opened, and only up to a size.

A pipe or a device in the place of a file would never end, and a file with holes is terabytes long
on a small disk.
"""

import errno
import hashlib
import os
import stat
from pathlib import Path
from typing import BinaryIO

MOST_BYTES = 4 * 2**30
"""Largest file of a pack or a result. Ours: an albedo model of 300 components at 2048 texels."""
ANY_SIZE = 2**62
"""For files of our own: checkpoints of training may be larger."""


def open_plain(path: Path, most: int = MOST_BYTES) -> BinaryIO:
    """A plain file of at most `most` bytes, opened for reading. Raises OSError."""
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
    number = os.open(path, flags)  # without waiting for somebody to write into a pipe
    try:
        found = os.fstat(number)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "it is not a plain file", str(path))
        if found.st_size > most:
            raise OSError(errno.EFBIG, f"it is larger than {_words(most)}", str(path))
        return os.fdopen(number, "rb")
    except BaseException:
        os.close(number)
        raise


def _words(size: int) -> str:
    return f"{size >> 20} MB" if size >= 2**20 else f"{size} bytes"


def read_plain(path: Path, most: int) -> bytes:
    """The bytes of such a file. Raises OSError."""
    with open_plain(path, most) as file:
        return file.read(most)


def sha256_of(path: Path, most: int = MOST_BYTES) -> str:
    """Hexadecimal sha256 of such a file. Raises OSError."""
    with open_plain(path, most) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
