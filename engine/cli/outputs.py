"""What commands check before long work and do after it: numbers, and the files they write."""

from pathlib import Path

from ..protocol.errors import EngineError, ErrorCode


def check_at_least(least: int, **values: int | None) -> None:
    """Options by name. Raises EngineError(BAD_SETTINGS) for one below `least`; None is no option
    given."""
    for name, value in values.items():
        if value is not None and value < least:
            raise EngineError(
                ErrorCode.BAD_SETTINGS, f"--{name} must be {least} or more, got {value}."
            )


def check_output(path: Path | None) -> None:
    """A wrong folder should not come to light when the work is done. None: nothing to write.

    Raises EngineError(BAD_OUTPUT).
    """
    if path is None:
        return
    folder = path.absolute().parent
    if not folder.is_dir() or path.is_dir():
        what = f"{path} is a folder" if path.is_dir() else f"There is no folder {folder}"
        raise EngineError(ErrorCode.BAD_OUTPUT, f"{what}.", "Name a file to write.")


def write_output(path: Path, data: bytes) -> None:
    """Raises EngineError(BAD_OUTPUT)."""
    try:
        path.write_bytes(data)
    except OSError as error:
        raise EngineError(
            ErrorCode.BAD_OUTPUT,
            f"{path} cannot be written: {error.strerror}.",
            "Check the free space and the permissions of that folder.",
        ) from error
