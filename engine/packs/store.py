"""Write a pack folder: into a temporary folder, pack.json last, then renamed into place."""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..protocol.errors import EngineError, ErrorCode
from ..protocol.pack_manifest import (
    PACK_JSON,
    PACK_SCHEMA,
    UV_LAYOUT,
    PackManifest,
    PackPart,
    file_sha256,
)
from ..protocol.safetensors import write_safetensors
from ..protocol.strict import to_plain


def headless_manifest(
    id: str, version: str, parts: tuple[PackPart, ...], recipe: str
) -> PackManifest:
    """A manifest without a head, to be completed with what the pack holds (`dataclasses.replace`).

    recipe: how that was made, in words.
    """
    return PackManifest(PACK_SCHEMA, id, version, UV_LAYOUT, parts, {}, head=None, recipe=recipe)


def write_pack(
    folder: Path,
    manifest: PackManifest,
    tensors: Mapping[str, Mapping[str, np.ndarray]],
    blobs: Mapping[str, bytes],
) -> Path:
    """Write a pack atomically and return its folder; an older pack of that name is replaced.

    tensors: file name -> arrays (safetensors). blobs: file name -> bytes (PNG, JSON).
    manifest.files is filled in here. Raises EngineError(BAD_OUTPUT) when the disk refuses.
    """
    folder = Path(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            _fill(draft, manifest, tensors, blobs)
            _swap(draft, folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    except OSError as error:
        raise EngineError(
            ErrorCode.BAD_OUTPUT,
            f"The pack cannot be written to {folder}: {error.strerror or error}.",
            "Check the free space and the permissions of that folder.",
        ) from error
    return folder


def check_replaceable(folder: Path) -> None:
    """Raise EngineError(BAD_OUTPUT) unless `folder` is absent, empty or a pack: a pack that is
    written takes the whole folder, and must not take somebody's own files with it."""
    try:
        if folder.exists() and not (folder / PACK_JSON).is_file() and any(folder.iterdir()):
            raise EngineError(
                ErrorCode.BAD_OUTPUT,
                f"{folder} holds files that are not a pack.",
                "Give a new folder for the pack.",
            )
    except OSError as error:
        raise EngineError(
            ErrorCode.BAD_OUTPUT,
            f"The pack cannot be written to {folder}: {error.strerror or error}.",
            "Give a new folder for the pack.",
        ) from error


def _fill(
    draft: Path,
    manifest: PackManifest,
    tensors: Mapping[str, Mapping[str, np.ndarray]],
    blobs: Mapping[str, bytes],
) -> None:
    for name, arrays in tensors.items():
        (draft / name).parent.mkdir(exist_ok=True)
        write_safetensors(draft / name, arrays)
    for name, data in blobs.items():
        (draft / name).parent.mkdir(exist_ok=True)
        (draft / name).write_bytes(data)
    files = {name: file_sha256(draft / name, name) for name in sorted([*tensors, *blobs])}
    text = json.dumps(to_plain(replace(manifest, files=files)), indent=2)
    (draft / PACK_JSON).write_text(text + "\n", encoding="utf-8")
    draft.chmod(0o755)


def _swap(draft: Path, folder: Path) -> None:
    """Put `draft` at `folder`. Both renames are on one disk; the old pack goes last."""
    if not folder.exists():
        os.replace(draft, folder)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name}-old-", dir=folder.parent))
    try:
        os.replace(folder, old / folder.name)
        try:
            os.replace(draft, folder)
        except OSError:
            os.replace(old / folder.name, folder)
            raise
    finally:
        shutil.rmtree(old, ignore_errors=True)
