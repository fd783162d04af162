"""dataset.json: what a folder of generated skin maps holds, and whether work on it may go on."""

import hashlib
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ..failure import disk_full
from ..protocol.errors import EngineError, ErrorCode
from ..protocol.strict import from_plain, parse_json, to_plain
from ..protocol.version import engine_version

DATASET_JSON = "dataset.json"
DATASET_SCHEMA = 1
_SYSTEM_FILES = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
_NOT_DRAWING = frozenset({"dataset.py", "dataset_info.py", "statistics.py"})
"""Modules of this folder that do not change what a map looks like."""


@dataclass(frozen=True)
class DatasetInfo:
    """seed, size: of every map. count: maps asked for so far; the files tell which are done.

    generator: see `generator_hash`.
    """

    schema: int
    seed: int
    size: int
    count: int
    generator: str


def generator_hash() -> str:
    """sha256 over the product's version and the code that draws skin maps."""
    digest = hashlib.sha256(engine_version().encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        if path.name not in _NOT_DRAWING:
            text = path.read_bytes().replace(b"\r\n", b"\n")  # as git may write them on Windows
            digest.update(path.name.encode() + b"\0" + text + b"\0")
    return digest.hexdigest()


def read_info(folder: Path) -> DatasetInfo | None:
    """The folder's dataset.json, None without one. Raises BAD_INPUT when it cannot be used."""
    path = Path(folder) / DATASET_JSON

    def fail(why: str) -> EngineError:
        return EngineError(
            ErrorCode.BAD_INPUT,
            f"{path} is not the description of a set of skin maps: {why}.",
            "Choose another folder, or delete this one.",
        )

    try:
        text = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise fail(error.strerror or "it cannot be read") from error
    plain = parse_json(text, fail)
    found = plain.get("schema") if isinstance(plain, dict) else None
    if found != DATASET_SCHEMA:
        raise fail(f"schema {DATASET_SCHEMA} was expected, found {found!r}")
    return from_plain(DatasetInfo, plain, "dataset", fail)


def write_info(folder: Path, info: DatasetInfo) -> None:
    """Write dataset.json in one piece. May raise OSError."""
    write_whole(folder / DATASET_JSON, (json.dumps(to_plain(info), indent=1) + "\n").encode())


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that appears in one piece or not at all. May raise OSError."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        draft.write_bytes(data)
        os.replace(draft, path)
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def claim_folder(folder: Path, wanted: DatasetInfo) -> DatasetInfo:
    """Make or take over `folder` for the maps of `wanted`; returns what dataset.json says now.

    count only ever grows. Raises BAD_OUTPUT for a folder of other maps or of anything else, and
    when the disk refuses.
    """
    found = read_info(folder)
    if found is None:
        _check_empty(folder)
    else:
        _check_same(folder, found, wanted)
        wanted = DatasetInfo(**{**vars(wanted), "count": max(found.count, wanted.count)})
    with plain_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        if wanted != found:
            write_info(folder, wanted)
    return wanted


def _check_empty(folder: Path) -> None:
    with plain_errors(folder):
        if not folder.exists():
            return
        foreign = sorted(p.name for p in folder.iterdir() if p.name not in _SYSTEM_FILES)
    if foreign:
        raise EngineError(
            ErrorCode.BAD_OUTPUT,
            f"{folder} holds {foreign[0]} and no {DATASET_JSON}, so it is no set of skin maps.",
            "Choose an empty or a new folder.",
        )


def _check_same(folder: Path, found: DatasetInfo, wanted: DatasetInfo) -> None:
    differing = [
        f"{name} {getattr(found, name)} (asked for: {getattr(wanted, name)})"
        for name in ("seed", "size")
        if getattr(found, name) != getattr(wanted, name)
    ]
    if found.generator != wanted.generator:
        differing.append("another version of the generator")
    if differing:
        raise EngineError(
            ErrorCode.BAD_OUTPUT,
            f"{folder} holds {found.count} skin maps made with {', '.join(differing)}.",
            "Choose another folder, or delete this one.",
        )


@contextmanager
def plain_errors(folder: Path, kept: str = "") -> Iterator[None]:
    """OSErrors of writing into `folder` become EngineError(BAD_OUTPUT); `kept` ends its hint."""
    try:
        yield
    except OSError as error:
        reason = "the disk is full" if disk_full(error) else error.strerror or str(error)
        raise EngineError(
            ErrorCode.BAD_OUTPUT,
            f"Skin maps cannot be written to {folder}: {reason}.",
            f"Check the free space and the permissions of that folder. {kept}".rstrip(),
        ) from error
