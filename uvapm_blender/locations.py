"""Folders: where the engine's files and the packs are, and where results go."""

import os
import re
import tempfile
from functools import cache
from pathlib import Path

import bpy

from ..engine.protocol.names import PACK_ID
from .declarations import BASE_PACKAGE

ROOT = Path(__file__).resolve().parents[1]
"""Root of the extension; holds `engine/`."""

ENGINE_ENVIRONMENT = "engine-env"
RESULTS = "results"
PACKS = "packs"
PACKS_VARIABLE = "UVAPM_PACKS"
"""Names folders of packs to the engine, before its own."""
MAX_NAME = 60
NO_PACK = "no-such-pack"


def user_folder(name: str) -> Path | None:
    """A folder in the extension's own user space (made when missing).

    None when the add-on does not run as an installed extension.
    """
    try:
        return Path(bpy.utils.extension_path_user(BASE_PACKAGE, path=name, create=True))
    except ValueError:
        return None


def managed_environment() -> Path | None:
    """Private environment of the engine, whether it exists or not."""
    base = user_folder("")
    return base / ENGINE_ENVIRONMENT if base else None


@cache
def own_packs() -> Path | None:
    """The user's folder of packs; None when the add-on does not run as an installed extension.

    Remembered from `register` on: threads may ask for packs, but not for Blender's settings.
    """
    return user_folder(PACKS)


def pack_folders() -> tuple[Path, ...]:
    """Where packs are looked for, the first wins: the environment's folders, the user's own, what
    came with the extension. The engine looks in the same ones."""
    named = os.environ.get(PACKS_VARIABLE, "").split(os.pathsep)
    own = own_packs()
    folders = [Path(folder) for folder in named if folder] + ([own] if own else [])
    return tuple(dict.fromkeys((*folders, ROOT / PACKS)))


def engine_environment() -> dict[str, str]:
    """Variables for the engine: Blender's own, and where packs are."""
    return os.environ | {PACKS_VARIABLE: os.pathsep.join(map(str, pack_folders()))}


def pack_folder(id: str) -> Path:
    """Folder of a pack, whether it exists or not. What is no id leads nowhere: ids come from
    .blend files and results of strangers."""
    name = id if PACK_ID.fullmatch(id) else NO_PACK
    found = (folder / name for folder in pack_folders() if (folder / name).is_dir())
    return next(found, ROOT / PACKS / name)


def pack_output(name: str) -> Path:
    """Folder of a pack to import, among the user's own."""
    return (own_packs() or ROOT / PACKS) / Path(name).name


def file_safe(name: str) -> str:
    """A name without what file systems or people stumble over; empty when nothing is left."""
    return re.sub(r"[^\w.-]+", "_", name)[:MAX_NAME].strip(". ")


def new_result_folder(photo: Path, chosen: str) -> Path:
    """A free folder for the result of a photo; not made, the engine does that.

    chosen: folder from the preferences. Without it: uvapm/ beside the saved .blend file, else
    the extension's user space, else a temporary folder.
    """
    parent = _results_parent(chosen)
    stem = file_safe(photo.stem) or "photo"
    folder, number = parent / stem, 1
    while folder.exists():
        number += 1
        folder = parent / f"{stem}-{number}"
    return folder


def _results_parent(chosen: str) -> Path:
    if chosen.strip():
        return Path(bpy.path.abspath(chosen.strip()))
    if bpy.data.filepath:
        return Path(bpy.path.abspath("//uvapm"))
    return user_folder(RESULTS) or Path(tempfile.gettempdir()) / "uvapm"
