"""A file of the result that a head was made of."""

from pathlib import Path

import bpy

from ...engine.protocol.errors import EngineError, ErrorCode
from ...engine.protocol.result import file_sha256, read_manifest
from ..declarations import PROPERTY


def result_file(root: bpy.types.Object, name: str) -> Path:
    """Path of a file as the fit wrote it. Raises EngineError(BAD_INPUT)."""
    folder = Path(bpy.path.abspath(getattr(root, PROPERTY).result_folder))
    digest = read_manifest(folder).files.get(name)
    if digest is None:
        raise EngineError(ErrorCode.BAD_INPUT, f"The result has no {name}.", "Refit the head.")
    try:
        same = file_sha256(folder / name) == digest
    except OSError as error:
        raise EngineError(ErrorCode.BAD_INPUT, f"{name} was not found in {folder}.") from error
    if not same:
        raise EngineError(ErrorCode.BAD_INPUT, f"{name} in {folder} was changed since.")
    return folder / name
