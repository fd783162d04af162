"""Reads files of strangers, each in a process of its own, and measures it. Linux.

`python -m engine.hostile.file_trial CASES.json` prints a line of JSON a case: `Verdict`. The
process of a case is ended after `SECONDS` and may not map more than `ROOM` beyond what it began
with.
"""

import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from ..protocol.errors import EngineError
from ..protocol.headpack import read_pack
from ..protocol.result import read_result

SECONDS = 60
ROOM = 4 * 2**30
MEGABYTE = 2**20


@dataclass(frozen=True)
class Case:
    """A file or folder, and how it is read: "photo", "pack" or "result". refuse: it must not be
    taken; else it may be, when its values are right."""

    name: str
    reader: str
    path: str
    refuse: bool = True


@dataclass(frozen=True)
class Verdict:
    """end: "refused", "read", or how it failed; message: what people are told; seconds; peak:
    bytes of memory beyond those before the reading."""

    case: str
    end: str
    message: str
    seconds: float
    peak: int


def _read_photo(path: Path) -> None:
    from ..photo.load import load_photo

    pixels = load_photo(path).pixels
    if not (pixels.min() >= 0.0 and pixels.max() <= 1.0):
        raise AssertionError("pixels out of range")


READERS: dict[str, Callable[[Path], object]] = {
    "photo": _read_photo,
    "pack": read_pack,
    "result": read_result,
}


def attempt(case: Case) -> Verdict:
    """Read in a child of this process."""
    began = time.monotonic()
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ours)
        _limit()
        before = _memory("VmRSS")
        outcome = _outcome(case)
        os.write(theirs, json.dumps((*outcome, _memory("VmHWM") - before)).encode())
        os._exit(0)
    os.close(theirs)
    with os.fdopen(ours, "rb") as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    end, message, peak = json.loads(said) if said else ("killed", f"status {status}", 0)
    return Verdict(case.name, end, message, time.monotonic() - began, peak)


def _limit() -> None:
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(SECONDS)
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    room = pages * resource.getpagesize() + ROOM
    resource.setrlimit(resource.RLIMIT_AS, (room, room))


def _outcome(case: Case) -> tuple[str, str]:
    try:
        READERS[case.reader](Path(case.path))
    except EngineError as error:
        return "refused", str(error)
    except BaseException as error:  # noqa: BLE001 any other kind is a finding
        return type(error).__name__, str(error)[:300]
    return "read", ""


def _memory(field: str) -> int:
    """Bytes, of /proc/self/status (proc(5)); getrusage's figure is older than the process."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:"))


def main(cases: Path) -> Iterator[Verdict]:
    """All cases of a file."""
    _read_first_photo_code()
    for plain in json.loads(cases.read_text(encoding="utf-8")):
        yield attempt(Case(**plain))


def _read_first_photo_code() -> None:
    """So that its memory and time count for no case."""
    from ..photo import load

    assert load.FORMATS


if __name__ == "__main__":
    for verdict in main(Path(sys.argv[1])):
        sys.stdout.write(json.dumps(asdict(verdict)) + "\n")
        sys.stdout.flush()
