"""A pack that the engine has written takes its place among the user's packs."""

import os
import shutil
from pathlib import Path

from ...engine.protocol.errors import EngineError, ErrorCode
from ...engine.protocol.pack_manifest import read_manifest

STAGING = ".importing-"
"""How the name of a folder begins that is no pack yet: lists of packs leave such folders out."""


def adopt(folder: Path) -> str:
    """Rename a new pack's folder to the pack's id, by which the engine finds it; a pack that had
    this id goes. Returns the id. Raises EngineError; the new pack is gone then."""
    try:
        id = read_manifest(folder)[0].id
        target, old = folder.parent / id, folder.parent / f"{STAGING}old-{id}"
        if target == folder:
            return id
        if target.exists():
            os.replace(target, old)
        os.replace(folder, target)
        shutil.rmtree(old, ignore_errors=True)
    except (OSError, EngineError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, EngineError):
            raise
        raise EngineError(
            ErrorCode.BAD_OUTPUT,
            f"The pack could not be put into {folder.parent}: {error.strerror}.",
            "Close programs that use it, then import it again.",
        ) from error
    return id
