"""A result directory to 3D files, without a window. For `build_addon.py` and scripts in bpy."""

from collections.abc import Sequence
from pathlib import Path

import bpy

from ..engine.protocol.errors import EngineError, ErrorCode
from ..engine.protocol.result import read_result
from . import registration
from .declarations import PROPERTY
from .export.head import Format, export_head
from .scene.build import build_scene

FORMATS = ("blend", *(each.value[1:] for each in Format))


def build_head(result: Path, folder: Path, formats: Sequence[str]) -> tuple[Path, ...]:
    """Build the head of a result directory in an empty file and write `folder`/head.<format>.

    formats: any of `FORMATS`. Returns the written paths. Replaces what is open in this Blender,
    so it belongs in a process of its own. Raises EngineError.
    """
    unknown = [name for name in formats if name not in FORMATS]
    if unknown:
        raise EngineError(
            ErrorCode.BAD_SETTINGS,
            f"Expected formats out of {', '.join(FORMATS)}, got {unknown[0]}.",
        )
    package = read_result(result)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    _register()
    built = build_scene(package, bpy.context)
    written = []
    for name in formats:
        path = folder / f"head.{name}"
        if name == "blend":
            _save(path)
        else:
            export_head(built.root, path, bpy.context)
        written.append(path)
    return tuple(written)


def _register() -> None:
    """Register the add-on unless it is: its properties are saved on the head."""
    if not hasattr(bpy.types.Object, PROPERTY):
        registration.register()


def _save(path: Path) -> None:
    try:
        bpy.ops.wm.save_as_mainfile(filepath=str(path), compress=True)
    except RuntimeError as error:
        raise EngineError(
            ErrorCode.BAD_OUTPUT,
            f"{path.name} could not be written: {str(error).strip()}",
            "Choose a folder that can be written to.",
        ) from error
