"""Folders that the installer made: only these does it take away."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from ..protocol.errors import EngineError, ErrorCode
from ..protocol.install import MARK, REMOVED
from .stop import Stop

OWN = "uvapm-installer.txt"
"""In each folder that the installer makes, from its first moment to its last."""
_TEXT = "Made by UVAPM's Install Engine. Uninstall Engine removes this folder with all in it.\n"
Deleted = Callable[[int, int], None]
"""Called with the bytes that are deleted and the bytes that were there."""


def make_own(folder: Path) -> None:
    """Make a folder, or take one over that is empty or our own. Raises EngineError."""
    refuse_foreign(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / OWN).write_text(_TEXT, encoding="utf-8")


def put_away(folder: Path) -> None:
    """Give a folder another name, under which nobody looks for an engine. Raises EngineError.

    That is done at once or not at all: where a program uses it, Windows refuses.
    """
    refuse_foreign(folder)
    if not folder.exists():
        return
    names = (folder.with_name(f"{folder.name}{REMOVED}{number or ''}") for number in count())
    with _in_words(folder):
        (folder / OWN).touch()
        os.replace(folder, next(name for name in names if not name.exists()))


def delete_put_away(folder: Path, stop: Stop, told: Deleted) -> None:
    """Delete all that ever was put away of `folder`. Raises EngineError, Cancelled.

    A killed or cancelled deletion is gone on with by the next one.
    """
    gone = [path for path in folder.parent.glob(f"{folder.name}{REMOVED}*") if _is_own(path)]
    files = [file for path in gone for file in _files(path)]
    total = sum(size for _, size in files)
    done = 0
    with _in_words(folder):
        for path, size in files:
            stop.check()
            os.unlink(path)
            done += size
            told(done, total)
        for path in gone:
            _delete_empty(path)


def remove_own(folder: Path, stop: Stop | None = None) -> None:
    """Take a folder away with all in it. Raises EngineError; Cancelled when `stop` was asked."""
    put_away(folder)
    delete_put_away(folder, stop or Stop(), lambda done, total: None)


def refuse_foreign(folder: Path) -> None:
    """Raises EngineError for what is there and was not made by the installer."""
    if (folder.is_symlink() or folder.exists()) and not _is_own(folder):
        raise EngineError(
            ErrorCode.BAD_OUTPUT,
            f"{folder} was not made by Install Engine: it may hold somebody's files.",
            "Move it away, or choose another folder.",
        )


def _is_own(folder: Path) -> bool:
    ours = folder.is_dir() and not folder.is_symlink()
    return ours and (not any(folder.iterdir()) or (folder / OWN).is_file())


def _files(folder: Path) -> Iterator[tuple[str, int]]:
    """Paths and sizes of files and links, the mark first, without the installer's own file."""
    mark = folder / MARK
    if mark.is_file():
        yield str(mark), mark.stat().st_size
    for place, folders, names in os.walk(folder):
        links = [name for name in folders if os.path.islink(os.path.join(place, name))]
        for name in names + links:
            path = os.path.join(place, name)
            if path not in (str(mark), str(folder / OWN)):
                yield path, os.lstat(path).st_size


def _delete_empty(folder: Path) -> None:
    """Folders without files, the inner ones first; the installer's own file last of all."""
    for place, folders, _ in os.walk(folder, topdown=False):
        for name in folders:
            os.rmdir(os.path.join(place, name))
    (folder / OWN).unlink(missing_ok=True)
    folder.rmdir()


@contextmanager
def _in_words(folder: Path) -> Iterator[None]:
    """Turn what the system refuses into words."""
    try:
        yield
    except OSError as error:
        raise EngineError(
            ErrorCode.BAD_OUTPUT,
            f"{folder} could not be removed: {error.strerror or error}.",
            "Close programs that use it, then try again.",
        ) from error
