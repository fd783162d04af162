"""A folder that appears in one piece or not at all."""

import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ..failure import disk_full
from ..protocol.errors import EngineError, ErrorCode
from ..protocol.result import listed_files
from ..protocol.result_schema import MANIFEST_NAME

SYSTEM_FILES = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
"""What file managers drop into folders by themselves."""


@dataclass(frozen=True)
class FolderKind:
    """A kind of folder that we write. manifest: the file by which it is known; files: reads it and
    gives the names of the others, or raises EngineError."""

    manifest: str
    files: Callable[[Path], Iterable[str]]


RESULT = FolderKind(MANIFEST_NAME, listed_files)


def check_output(output: Path, kind: FolderKind = RESULT) -> Path:
    """The absolute path, when a folder of that kind may be written there; call it before a long
    job.

    Free are: a path that does not exist, an empty folder, and a folder of that kind that holds
    nothing else. An older one that a killed process left under another name comes back first.
    Raises EngineError(BAD_OUTPUT).
    """
    try:
        output = Path(output).expanduser().resolve()
        _restore(output)
        if output.exists() and not output.is_dir():
            raise _bad(f"{output} is a file, a folder was expected.")
        foreign = _foreign(output, kind) if output.exists() else None
        if foreign is not None:
            raise _bad(f"{output} holds {foreign}, which is not part of a result.")
        parent = next(each for each in output.parents if each.exists())
    except (OSError, RuntimeError, ValueError) as error:
        raise _bad(f"{output} cannot be used as output folder ({error}).") from error
    if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
        raise _bad(f"Nothing can be written in {parent}.")
    return output


def _bad(message: str) -> EngineError:
    return EngineError(ErrorCode.BAD_OUTPUT, message, "Choose another output folder.")


def _foreign(folder: Path, kind: FolderKind) -> str | None:
    """Name of something in the folder that one of ours of that kind does not explain."""
    found = sorted(path.name for path in folder.iterdir() if path.name not in SYSTEM_FILES)
    if kind.manifest not in found:
        return found[0] if found else None  # looked at no deeper: it may be a whole home folder
    try:
        ours = {kind.manifest, *kind.files(folder)}
    except EngineError:
        return f"an unreadable {kind.manifest}"
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        plain_folder = path.is_dir() and not path.is_symlink()
        if name not in ours and path.name not in SYSTEM_FILES and not plain_folder:
            return name
    return None


@contextmanager
def replaced_folder(output: Path, kind: FolderKind = RESULT) -> Iterator[Path]:
    """A draft folder beside `output` that takes its place when the block ends well.

    On any exception the draft, and parents made for it, are removed and `output` is as before.
    Raises EngineError(BAD_OUTPUT) when the disk refuses.
    """
    output = check_output(output, kind)
    if output.parent.exists():
        remove_drafts(output.parent, [output.name], DRAFT_AGE)
    made = [each for each in output.parents if not each.exists()]
    draft = output.parent / f".{output.name}.{secrets.token_hex(4)}.part"
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        draft.mkdir()
        yield draft
        _swap(draft, output)
    except OSError as error:
        reason = "the disk is full" if disk_full(error) else error.strerror or str(error)
        raise EngineError(
            ErrorCode.BAD_OUTPUT,
            f"The result cannot be written to {output}: {reason}.",
            "Check the free space and the permissions of that folder, and close programs that "
            "use it.",
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        with suppress(OSError):  # not empty: the result is there
            for parent in made:
                parent.rmdir()


DRAFT_AGE = 3600.0
"""Seconds after which a draft belongs to a killed process. Ours: writing takes seconds."""
_DRAFT = re.compile(r"\.(.+)\.[0-9a-f]{8}\.part")


def remove_drafts(parent: Path, names: Collection[str], age: float) -> None:
    """Remove what killed processes have left of results of these names in `parent`.

    age: seconds since a draft was made below which it may still be worked on.
    """
    names, oldest = frozenset(names), time.time() - age
    for path in list(parent.iterdir()):
        found = _DRAFT.fullmatch(path.name)
        with suppress(OSError):
            if found and found[1] in names and path.stat().st_mtime <= oldest:
                shutil.rmtree(path, ignore_errors=True)


def _restore(output: Path) -> None:
    """Bring back an older folder that a process killed between the two renames of `_swap` left
    under another name; so no earlier result is lost, whatever becomes of the next one."""
    pattern = re.compile(rf"\.{re.escape(output.name)}\.[0-9a-f]{{8}}\.old")
    with suppress(OSError):
        left = [path for path in output.parent.iterdir() if pattern.fullmatch(path.name)]
        for old in left:
            if output.exists():
                shutil.rmtree(old, ignore_errors=True)  # killed later, while it was removed
            else:
                os.rename(old, output)


def _swap(draft: Path, output: Path) -> None:
    """Rename into place; an older folder is renamed away first and comes back on failure."""
    old = draft.with_suffix(".old")
    if output.exists():
        os.rename(output, old)
    try:
        os.rename(draft, output)
    except BaseException:
        if old.exists():
            os.rename(old, output)
        raise
    shutil.rmtree(old, ignore_errors=True)
