"""What commands check before long work and do after it: numbers, and the files they write."""

import json
import os
import re
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


def check_pack_output(out: Path) -> None:
    """Before hours of training: the pack can be written, and replaces nothing but a pack.

    Raises EngineError(BAD_OUTPUT).
    """
    if out.exists() and not (out / "pack.json").is_file() and not _is_empty(out):
        raise EngineError(
            ErrorCode.BAD_OUTPUT, f"{out} exists and is no pack.", "Name another folder with --out."
        )
    if not out.parent.is_dir() or not os.access(out.parent, os.W_OK):
        raise EngineError(
            ErrorCode.BAD_OUTPUT,
            f"There is no folder {out.parent} to write to.",
            "Make it, or name another folder with --out.",
        )


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and not any(folder.iterdir())


def pack_id(out: Path, otherwise: str) -> str:
    """The id of a pack that is written to `out`, from the folder's name."""
    return re.sub(r"[^a-z0-9_-]+", "-", out.name.lower()).strip("-_")[:64] or otherwise


def work_path(out: Path) -> Path:
    """The folder of an unfinished training beside its pack."""
    return out.with_name(out.name + ".work")


def report_path(out: Path) -> Path:
    """The report of a training beside its pack."""
    return out.with_name(out.name + ".training.json")


def write_json(path: Path, report: dict[str, object]) -> None:
    """Whole or not at all."""
    draft = path.with_name(path.name + ".part")
    draft.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    draft.replace(path)
