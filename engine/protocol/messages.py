"""Messages between the add-on (client) and the worker: one JSON object per line.

Client to worker: a job (fit, wear, import, register), decode, cancel, shutdown. Worker to client:
hello first; then, for each job, stage, progress, preview and warning, and exactly one of result,
cancelled, error; for each decode exactly one of decoded, cancelled, error. Images and arrays never
travel in messages; paths do.
"""

import json
import math
from dataclasses import dataclass
from typing import cast

from .errors import EngineError, ErrorCode
from .strict import from_plain, parse_json, shown, to_plain
from .work import JOB_KINDS, Job

MAX_LINE_BYTES = 2**20
"""Longest line either side reads, newline included. A job with 16 long paths needs 1/4 of it."""

MAX_ID_LENGTH = 64
SLIDER_DIRECTIONS = 20
"""Principal directions of the detail's latent, the first ones, that can be moved along."""
MAX_OFFSET = 5.0
"""Standard deviations. Ours: one in a million lies further out."""


MOST_COUNT = 2**31 - 1
"""Of stages and steps. A Blender integer property holds it."""


def _check_counts(*counts: int) -> None:
    for count in counts:
        if not 0 <= count <= MOST_COUNT:
            raise _malformed(f"a count is 0 to {MOST_COUNT}, got {shown(count)}")


def _check_id(id: str) -> None:
    if not 1 <= len(id) <= MAX_ID_LENGTH:
        raise _malformed(f"an id has 1 to {MAX_ID_LENGTH} characters, got {len(id)}")


def _check_path(path: str | None) -> None:
    if path is None or not path.strip() or "\0" in path:
        raise _malformed("a path is empty or holds a zero character")


@dataclass(frozen=True)
class JobRequest:
    """Run `job`; every answer carries `id` (1 to 64 characters, chosen by the client).

    On the wire the message's type is the kind of the job.
    """

    id: str
    job: Job

    def __post_init__(self) -> None:
        _check_id(self.id)


@dataclass(frozen=True)
class DecodeRequest:
    """Make the detail map of a latent. Raises EngineError(PROTOCOL) on a value out of range.

    offsets: along the first principal directions, standard deviations, up to 20 of them, each
    within `MAX_OFFSET`. They start from the detail of the result directory `result`, made with
    that result's pack, or from the mean detail of the pack `pack` (id or folder); one of the two.
    A newer request takes the place of one that still waits, which is answered as cancelled. A
    running job goes on; the request waits for its end.
    """

    id: str
    offsets: tuple[float, ...]
    result: str | None = None
    pack: str | None = None

    def __post_init__(self) -> None:
        _check_id(self.id)
        object.__setattr__(self, "offsets", tuple(map(float, self.offsets)))
        if len(self.offsets) > SLIDER_DIRECTIONS:
            raise _malformed(f"expected up to {SLIDER_DIRECTIONS} offsets, got {len(self.offsets)}")
        for offset in self.offsets:
            if not math.isfinite(offset) or abs(offset) > MAX_OFFSET:
                raise _malformed(f"an offset lies within {MAX_OFFSET:g}, got {offset:g}")
        if (self.result is None) == (self.pack is None):
            raise _malformed("a decode names a result or a pack, not both")
        _check_path(self.pack if self.result is None else self.result)


@dataclass(frozen=True)
class CancelRequest:
    """Stop the job `id` at the next step, or drop the decode `id`. Ignored when it is neither
    running nor waiting."""

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

    def __post_init__(self) -> None:
        _check_counts(self.index, self.total)


@dataclass(frozen=True)
class Progress:
    """`step` of `total` steps of the current stage are done."""

    id: str
    stage: str
    step: int
    total: int

    def __post_init__(self) -> None:
        _check_counts(self.step, self.total)


@dataclass(frozen=True)
class Preview:
    """A picture of the fit so far, at `path` until the next preview or the end of the job."""

    id: str
    path: str

    def __post_init__(self) -> None:
        _check_path(self.path)


@dataclass(frozen=True)
class Warned:
    """Something the user should know; the job goes on."""

    id: str
    text: str


@dataclass(frozen=True)
class Finished:
    """What the job writes, the directory at `path`, is complete. Terminal."""

    id: str
    path: str

    def __post_init__(self) -> None:
        _check_path(self.path)


@dataclass(frozen=True)
class Decoded:
    """The detail map of a decode: a .npy file, (512, 512) float32 signed, until the end of the
    next decode or of the worker. Terminal."""

    id: str
    path: str

    def __post_init__(self) -> None:
        _check_path(self.path)


@dataclass(frozen=True)
class WasCancelled:
    """The job stopped on request and left nothing behind, or a newer decode came. Terminal."""

    id: str


@dataclass(frozen=True)
class Failed:
    """The job failed. Terminal. `id` is "" when a line could not be understood at all."""

    id: str
    code: ErrorCode
    message: str
    hint: str


ClientMessage = JobRequest | DecodeRequest | CancelRequest | Shutdown
WorkerMessage = (
    Hello | StageStarted | Progress | Preview | Warned | Finished | Decoded | WasCancelled | Failed
)
Message = ClientMessage | WorkerMessage

TERMINAL = (Finished, Decoded, WasCancelled, Failed)
"""Message types that end a job or a decode."""

_TYPES: dict[str, type[Message]] = {
    "decode": DecodeRequest,
    "cancel": CancelRequest,
    "shutdown": Shutdown,
    "hello": Hello,
    "stage": StageStarted,
    "progress": Progress,
    "preview": Preview,
    "warning": Warned,
    "result": Finished,
    "decoded": Decoded,
    "cancelled": WasCancelled,
    "error": Failed,
}
_NAMES = {kind: name for name, kind in _TYPES.items()}
_JOB_NAMES = {kind: name for name, kind in JOB_KINDS.items()}


def _malformed(why: str) -> EngineError:
    return EngineError(ErrorCode.PROTOCOL, f"A message cannot be understood: {why}.")


def encode(message: Message) -> bytes:
    """One ASCII line with its newline. Raises EngineError(PROTOCOL) above MAX_LINE_BYTES."""
    plain = cast(dict[str, object], to_plain(message))
    if isinstance(message, JobRequest):
        name = _JOB_NAMES[type(message.job)]
    else:
        name = _NAMES[type(message)]
    line = json.dumps({"type": name, **plain}, allow_nan=False).encode("ascii")
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
    if isinstance(name, str) and name in JOB_KINDS:
        return _job_request(name, mapping)
    kind = _TYPES.get(name) if isinstance(name, str) else None
    if kind is None:
        raise _malformed(f"it has the unknown type {shown(name)}")
    message: Message = from_plain(kind, mapping, str(name), _malformed)
    return message


def _job_request(name: str, mapping: dict[str, object]) -> JobRequest:
    if set(mapping) != {"id", "job"}:
        raise _malformed(f"{name} must have id and job, got {shown(sorted(mapping))}")
    id: str = from_plain(str, mapping["id"], f"{name}.id", _malformed)
    job: Job = from_plain(JOB_KINDS[name], mapping["job"], f"{name}.job", _malformed)
    return JobRequest(id, job)


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
