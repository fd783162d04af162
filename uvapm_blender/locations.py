"""Folders: where the engine's files are, and where results go."""

import re
import tempfile
from pathlib import Path

import bpy

from .declarations import BASE_PACKAGE

ROOT = Path(__file__).resolve().parents[1]
"""Root of the extension; holds `engine/`."""

ENGINE_ENVIRONMENT = "engine-env"
RESULTS = "results"
MAX_NAME = 60


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


def pack_folder(id: str) -> Path:
    """Folder of a head pack that came with the extension, whether it exists or not."""
    return ROOT / "packs" / Path(id).name


def new_result_folder(photo: Path, chosen: str) -> Path:
    """A free folder for the result of a photo; not made, the engine does that.

    chosen: folder from the preferences. Without it: uvapm/ beside the saved .blend file, else
    the extension's user space, else a temporary folder.
    """
    parent = _results_parent(chosen)
    stem = re.sub(r"[^\w.-]+", "_", photo.stem)[:MAX_NAME].strip(". ") or "photo"
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
