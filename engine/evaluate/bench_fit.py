"""`bench fit`: how long a warm worker needs for a photo, and how much memory it holds."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..protocol.errors import EngineError, ErrorCode
from ..protocol.job import FitJob
from ..protocol.messages import (
    Failed,
    Finished,
    Hello,
    JobRequest,
    Preview,
    Shutdown,
    StageStarted,
    WasCancelled,
    decode,
    encode,
)

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class FitTiming:
    """Seconds of one job in a worker: to the first preview, to the result, and by stage."""

    preview: float
    result: float
    stages: dict[str, float]


@dataclass(frozen=True)
class FitBench:
    """start: seconds to hello; jobs: the first is cold; resident: bytes at the end."""

    start: float
    jobs: tuple[FitTiming, ...]
    resident: int
    peak: int


def _memory(process: subprocess.Popen[bytes], field: str) -> int:
    """A figure of /proc/PID/status in bytes; 0 where there is none (not Linux)."""
    try:
        text = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0
    lines = [line for line in text.splitlines() if line.startswith(f"{field}:")]
    return int(lines[0].split()[1]) * 1024 if lines else 0


def _messages(process: subprocess.Popen[bytes]) -> Iterator[object]:
    assert process.stdout is not None
    for line in process.stdout:
        yield decode(line)
    raise EngineError(ErrorCode.INTERNAL, "The worker ended without an answer.")


def _time_job(process: subprocess.Popen[bytes], job: FitJob, number: int) -> FitTiming:
    assert process.stdin is not None
    process.stdin.write(encode(JobRequest(str(number), job)))
    process.stdin.flush()
    start = time.perf_counter()
    preview, stages, stage, since = 0.0, {}, "", start
    for message in _messages(process):
        now = time.perf_counter()
        if isinstance(message, Preview) and not preview:
            preview = now - start
        if isinstance(message, StageStarted | Finished) and stage:
            stages[stage] = now - since
        if isinstance(message, StageStarted):
            stage, since = message.stage, now
        if isinstance(message, Finished):
            return FitTiming(preview, now - start, stages)
        if isinstance(message, Failed):
            raise EngineError(message.code, message.message, message.hint)
        if isinstance(message, WasCancelled):
            raise EngineError(ErrorCode.CANCELLED, "The job was cancelled.")
    raise AssertionError("unreachable: _messages ends by raising")


def bench_fit(photo: Path, repeats: int, pack: str) -> FitBench:
    """Start a worker, run the same job `repeats` + 1 times, measure. Raises EngineError."""
    command = [sys.executable, "-u", "-m", "engine", "worker"]
    began = time.perf_counter()
    with (
        tempfile.TemporaryDirectory(prefix="uvapm-bench-") as folder,
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=ROOT,
        ) as process,
    ):
        hello = next(_messages(process))
        start = time.perf_counter() - began
        if not isinstance(hello, Hello):
            raise EngineError(ErrorCode.PROTOCOL, "The worker did not say hello first.")
        job = FitJob((str(photo.resolve()),), str(Path(folder, "result")), pack=pack)
        jobs = tuple(_time_job(process, job, number) for number in range(repeats + 1))
        resident, peak = _memory(process, "VmRSS"), _memory(process, "VmHWM")
        assert process.stdin is not None
        process.stdin.write(encode(Shutdown()))
        process.stdin.close()
        return FitBench(start, jobs, resident, peak)
