"""Messages between the add-on (client) and the worker: one JSON object per line.

Client to worker: job, cancel, shutdown. Worker to client: hello first; then, for each job,
stage, progress, preview and warning, and exactly one of result, cancelled, error.
Images and arrays never travel in messages; paths do.
"""

import json
from dataclasses import dataclass
from typing import cast

from .errors import EngineError, ErrorCode
from .job import FitJob
from .strict import from_plain, parse_json, shown, to_plain

MAX_LINE_BYTES = 2**20
"""Longest line either side reads, newline included. A job with 16 long paths needs 1/4 of it."""

MAX_ID_LENGTH = 64


@dataclass(frozen=True)
class JobRequest:
    """Run `job`; every answer carries `id` (1 to 64 characters, chosen by the client)."""

    id: str
    job: FitJob

    def __post_init__(self) -> None:
        if not 1 <= len(self.id) <= MAX_ID_LENGTH:
            raise _malformed(f"a job id has 1 to {MAX_ID_LENGTH} characters, got {len(self.id)}")


@dataclass(frozen=True)
class CancelRequest:
    """Stop the job `id` at the next step. Ignored when that job is neither running nor waiting."""

    id: str


@dataclass(frozen=True)
class Shutdown:
    """Cancel what runs and end the process."""


@dataclass(frozen=True)
class Hello:
    """First message of a worker. device: "cpu", "cuda" or "mps"; packs: ids ready to use."""

    protocol: int
    engine: str
    device: str
    packs: tuple[str, ...]


@dataclass(frozen=True)
class StageStarted:
    """Stage number `index` (from 0) of `total` began."""

    id: str
    stage: str
    index: int
    total: int


@dataclass(frozen=True)
class Progress:
    """`step` of `total` steps of the current stage are done."""

    id: str
    stage: str
    step: int
    total: int


@dataclass(frozen=True)
class Preview:
    """A picture of the fit so far, at `path` until the next preview or the end of the job."""

    id: str
    path: str


@dataclass(frozen=True)
class Warned:
    """Something the user should know; the job goes on."""

    id: str
    text: str


@dataclass(frozen=True)
class Finished:
    """The result directory at `path` is complete. Terminal."""

    id: str
    path: str


@dataclass(frozen=True)
class WasCancelled:
    """The job stopped on request and left nothing behind. Terminal."""

    id: str


@dataclass(frozen=True)
class Failed:
    """The job failed. Terminal. `id` is "" when a line could not be understood at all."""

    id: str
    code: ErrorCode
    message: str
    hint: str


ClientMessage = JobRequest | CancelRequest | Shutdown
WorkerMessage = (
    Hello | StageStarted | Progress | Preview | Warned | Finished | WasCancelled | Failed
)
Message = ClientMessage | WorkerMessage

TERMINAL = (Finished, WasCancelled, Failed)
"""Message types that end a job."""

_TYPES: dict[str, type[Message]] = {
    "job": JobRequest,
    "cancel": CancelRequest,
    "shutdown": Shutdown,
    "hello": Hello,
    "stage": StageStarted,
    "progress": Progress,
    "preview": Preview,
    "warning": Warned,
    "result": Finished,
    "cancelled": WasCancelled,
    "error": Failed,
}
_NAMES = {kind: name for name, kind in _TYPES.items()}


def _malformed(why: str) -> EngineError:
    return EngineError(ErrorCode.PROTOCOL, f"A message cannot be understood: {why}.")


def encode(message: Message) -> bytes:
    """One ASCII line with its newline. Raises EngineError(PROTOCOL) above MAX_LINE_BYTES."""
    plain = cast(dict[str, object], to_plain(message))
    line = json.dumps({"type": _NAMES[type(message)], **plain}, allow_nan=False).encode("ascii")
    if len(line) + 1 > MAX_LINE_BYTES:
        raise _malformed(f"it has {len(line) + 1} bytes, the limit is {MAX_LINE_BYTES}")
    return line + b"\n"


def decode(line: bytes) -> Message:
    """Strict inverse of `encode`; the newline may be missing.

    Raises EngineError(PROTOCOL), or EngineError(BAD_SETTINGS) when only the job's values are
    wrong (then `request_id(line)` says whom to answer).
    """
    mapping = _mapping(line)
    name = mapping.pop("type", None)
    kind = _TYPES.get(name) if isinstance(name, str) else None
    if kind is None:
        raise _malformed(f"it has the unknown type {shown(name)}")
    message: Message = from_plain(kind, mapping, str(name), _malformed)
    return message


def request_id(line: bytes) -> str:
    """The id in a line that `decode` refused, or "" when there is none to be had."""
    try:
        value = _mapping(line).get("id")
    except EngineError:
        return ""
    return value if isinstance(value, str) and len(value) <= MAX_ID_LENGTH else ""


def _mapping(line: bytes) -> dict[str, object]:
    if len(line) > MAX_LINE_BYTES:
        raise _malformed(f"it is longer than {MAX_LINE_BYTES} bytes")
    value = parse_json(line, _malformed)
    if not isinstance(value, dict):
        raise _malformed(f"expected a JSON object, got {shown(value)}")
    return value
