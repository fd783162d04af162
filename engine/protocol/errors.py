"""Typed errors with plain words: what was expected, what came, what to do."""

from enum import StrEnum


class ErrorCode(StrEnum):
    """Why a job failed. The value travels in messages and result files."""

    BAD_INPUT = "bad_input"  # unreadable, too small, too large, wrong kind of file
    NO_FACE = "no_face"
    BAD_SETTINGS = "bad_settings"  # unknown key, value out of range
    BAD_OUTPUT = "bad_output"  # folder not writable, disk full
    PACK_MISSING = "pack_missing"
    PACK_INVALID = "pack_invalid"
    ENGINE_MISSING = "engine_missing"  # no interpreter, torch not installed
    PROTOCOL = "protocol"  # malformed or unexpected message
    CANCELLED = "cancelled"
    OUT_OF_MEMORY = "out_of_memory"
    INTERNAL = "internal"  # a defect of ours; the log has the trace


EXIT_OK = 0
EXIT_BAD_INPUT = 2
EXIT_NOT_USABLE = 3
EXIT_CANCELLED = 130

_EXIT_CODES = {
    ErrorCode.BAD_INPUT: EXIT_BAD_INPUT,
    ErrorCode.NO_FACE: EXIT_BAD_INPUT,
    ErrorCode.BAD_SETTINGS: EXIT_BAD_INPUT,
    ErrorCode.BAD_OUTPUT: EXIT_BAD_INPUT,
    ErrorCode.CANCELLED: EXIT_CANCELLED,
}


class EngineError(Exception):
    """An error meant for people.

    code: the kind of failure. message: one line, what was expected and what came.
    hint: one line, what to do ("" when there is nothing to do).
    """

    def __init__(self, code: ErrorCode, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = ErrorCode(code)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()

    @property
    def exit_code(self) -> int:
        """Process exit code of the command line for this error (DESIGN: exit codes)."""
        return _EXIT_CODES.get(self.code, EXIT_NOT_USABLE)


class Cancelled(EngineError):
    """Raised inside a stage when the user cancelled the job."""

    def __init__(self) -> None:
        super().__init__(ErrorCode.CANCELLED, "The job was cancelled.")
