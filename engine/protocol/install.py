"""What the add-on and the installer of the engine's environment say to each other.

The installer is a process of its own, run by any Python 3.11 or 3.13: standard library only. It
writes one JSON object a line: steps, and `Installed`, `Removed` or `InstallFailed`.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from .errors import EngineError, ErrorCode
from .strict import from_plain, parse_json, shown, to_plain

MARK = "uvapm-engine.json"
"""In a finished environment, written last: without it the environment is half-made."""
REMOVED = ".removed"
"""End of the name, a number may follow, of a folder of the installer that is being deleted."""
CACHE = "engine-cache"
"""Beside the environment: what was fetched, until all is installed."""
PART = ".part"
"""End of the name of a fetched file that is not whole yet; the next run goes on with it."""
MAX_LINE = 2**16


@dataclass(frozen=True)
class InstallStep:
    """`done` of `total` of the step `text`, in bytes of wheels; 0 of 0 where nobody knows."""

    text: str
    done: int
    total: int


@dataclass(frozen=True)
class Installed:
    """The environment is ready. python: its interpreter. torch: version. device: "cuda", "mps"
    or "cpu", what torch will compute on there."""

    python: str
    torch: str
    device: str


@dataclass(frozen=True)
class InstallFailed:
    """Nothing usable was made; what was fetched is kept for the next try."""

    code: ErrorCode
    message: str
    hint: str


@dataclass(frozen=True)
class Removed:
    """The environment and all that was fetched for it count no more. Steps of the deletion of
    their files may follow; the next run deletes what a killed or cancelled one left."""


InstallLine = InstallStep | Installed | Removed | InstallFailed
_TYPES: dict[str, type[InstallLine]] = {
    "step": InstallStep,
    "installed": Installed,
    "removed": Removed,
    "failed": InstallFailed,
}
_NAMES = {kind: name for name, kind in _TYPES.items()}


@dataclass(frozen=True)
class EnvironmentMark:
    """What a finished environment says of itself. wheels: `wheel_lock.wheels_digest` of what is
    in it; target: its key in the lock; base: the interpreter that it stands on."""

    wheels: str
    target: str
    base: str
    torch: str
    device: str


def encode_line(line: InstallLine) -> bytes:
    """One ASCII line with its newline."""
    plain = cast(dict[str, object], to_plain(line))
    return json.dumps({"type": _NAMES[type(line)], **plain}).encode("ascii") + b"\n"


def decode_line(line: bytes) -> InstallLine:
    """Strict inverse of `encode_line`. Raises EngineError(PROTOCOL)."""

    def fail(why: str) -> EngineError:
        return EngineError(ErrorCode.PROTOCOL, f"The installer cannot be understood: {why}.")

    if len(line) > MAX_LINE:
        raise fail(f"a line of {len(line)} bytes")
    plain = parse_json(line, fail)
    kind = _TYPES.get(str(plain.pop("type", None))) if isinstance(plain, dict) else None
    if kind is None:
        raise fail(f"the line {shown(line)}")
    found: InstallLine = from_plain(kind, plain, "line", fail)
    return found


def read_mark(environment: Path) -> EnvironmentMark | None:
    """What a finished environment says of itself; None for a half-made or missing one."""

    def fail(why: str) -> EngineError:
        return EngineError(ErrorCode.ENGINE_MISSING, f"{MARK} is damaged: {why}.")

    try:
        text = (environment / MARK).read_bytes()
        found: EnvironmentMark = from_plain(EnvironmentMark, parse_json(text, fail), "mark", fail)
    except (OSError, EngineError):
        return None
    return found
