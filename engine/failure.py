"""Any exception of a job -> the EngineError that people see. Both front doors use it."""

import errno
import logging
import sys
from pathlib import Path

from .protocol.errors import EngineError, ErrorCode

LOG = logging.getLogger(__name__)

_MEMORY_WORDS = (
    *("out of memory", "can't allocate memory", "insufficient memory", "cuda error: 2["),
    "bad_alloc",
)
"""How PyTorch's, OpenCV's and nvdiffrast's own exceptions say it; none is a MemoryError."""

_FULL_DISK = (errno.ENOSPC, errno.EDQUOT) if hasattr(errno, "EDQUOT") else (errno.ENOSPC,)

OURS = __name__.split(".")[0]
REQUIREMENTS = Path(__file__).resolve().parents[1] / "wheels" / "requirements-engine.txt"


def explain(error: BaseException) -> EngineError:
    """The plain-words form of an exception; unknown ones are logged with their trace."""
    if isinstance(error, EngineError):
        return error
    if is_out_of_memory(error):
        return EngineError(
            ErrorCode.OUT_OF_MEMORY,
            "There was not enough memory for this photo.",
            "Close other programs, use a smaller photo or texture size, or the CPU as device.",
        )
    if isinstance(error, ImportError) and (error.name or "").split(".")[0] != OURS:
        return EngineError(
            ErrorCode.ENGINE_MISSING,
            f"The engine's Python lacks a package ({first_line(error)}).",
            f'Run: "{sys.executable}" -m pip install -r "{REQUIREMENTS}"',
        )
    if isinstance(error, OSError) and disk_full(error):
        return EngineError(ErrorCode.BAD_OUTPUT, "The disk is full.", "Free some space.")
    LOG.error("Unexpected error", exc_info=error)
    return EngineError(
        ErrorCode.INTERNAL,
        f"The engine met an unexpected error ({type(error).__name__}: {first_line(error)}).",
        "The log has the details; please report them.",
    )


def disk_full(error: OSError) -> bool:
    """True for "no space left" and for a spent quota."""
    return error.errno in _FULL_DISK


def first_line(error: BaseException) -> str:
    """First line of an exception's text, at most 200 characters."""
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else "no text"


def is_out_of_memory(error: BaseException) -> bool:
    """True when memory ended, the machine's or a card's."""
    if isinstance(error, MemoryError):
        return True
    words = str(error).lower()
    return isinstance(error, Exception) and any(word in words for word in _MEMORY_WORDS)
