"""A pack that cannot be used is moved aside, to be imported again. Nothing is deleted."""

import os
from pathlib import Path

from .errors import EngineError, ErrorCode
from .pack_manifest import check_files, read_manifest

ASIDE = "set aside"
"""Folder beside the packs; a pack's id has no space, and packs in it are not found."""


def trouble_of(folder: Path) -> str:
    """Why a pack cannot be used, by its pack.json and the sha256 of its files; "" for nothing."""
    try:
        manifest, _ = read_manifest(folder)
        check_files(folder, manifest)
    except EngineError as error:
        return error.message
    return ""


def set_aside(folder: Path) -> Path:
    """Move a pack's folder into `ASIDE` beside it and return where it is now. Raises
    EngineError(BAD_OUTPUT) when the disk refuses."""
    aside = folder.parent / ASIDE
    try:
        aside.mkdir(exist_ok=True)
        number, place = 1, aside / folder.name
        while place.exists():
            number += 1
            place = aside / f"{folder.name} {number}"
        os.replace(folder, place)
    except OSError as error:
        raise EngineError(
            ErrorCode.BAD_OUTPUT,
            f"The pack cannot be moved from {folder}: {error.strerror or error}.",
            "Close other programs that use it, and check the permissions of that folder.",
        ) from error
    return place
