"""Folders that the installer made: only these does it take away."""

import os
import shutil
from pathlib import Path

from ..protocol.errors import EngineError, ErrorCode
from ..protocol.install import MARK

OWN = "uvapm-installer.txt"
"""In each folder that the installer makes, from its first moment on."""
_TEXT = "Made by UVAPM's Install Engine. Uninstall Engine removes this folder with all in it.\n"
_GONE = ".removed"
"""End of the name of a folder that is being removed."""


def make_own(folder: Path) -> None:
    """Make a folder, or take one over that is empty or our own. Raises EngineError."""
    _refuse_foreign(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / OWN).write_text(_TEXT, encoding="utf-8")


def remove_own(folder: Path) -> None:
    """Take a folder away with all in it; at once, as far as others see. Raises EngineError.

    It gets another name first: where a program uses it, Windows refuses that, and nothing is lost.
    """
    gone = folder.with_name(folder.name + _GONE)
    try:
        if gone.exists():
            shutil.rmtree(gone)
        if folder.is_symlink() or folder.exists():
            _refuse_foreign(folder)
            (folder / OWN).touch()
            os.replace(folder, gone)
            (gone / MARK).unlink(missing_ok=True)
            shutil.rmtree(gone)
    except OSError as error:
        raise EngineError(
            ErrorCode.BAD_OUTPUT,
            f"{folder} could not be removed: {error.strerror or error}.",
            "Close programs that use it, then try again.",
        ) from error


def _refuse_foreign(folder: Path) -> None:
    if not folder.is_symlink() and not folder.exists():
        return
    ours = folder.is_dir() and not folder.is_symlink()
    if not ours or (any(folder.iterdir()) and not (folder / OWN).is_file()):
        raise EngineError(
            ErrorCode.BAD_OUTPUT,
            f"{folder} was not made by Install Engine: it may hold somebody's files.",
            "Move it away, or choose another folder.",
        )
