"""`bench fit`: how long a warm worker needs for a photo, and how much memory it holds."""

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from ..protocol.errors import EngineError, ErrorCode
from ..protocol.job import FitJob
from ..protocol.messages import (
    Failed,
    Finished,
    JobRequest,
    Preview,
    StageStarted,
    WasCancelled,
)
from .bench_worker import BenchWorker, bench_worker


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


def _time_job(worker: BenchWorker, job: FitJob, number: int) -> FitTiming:
    worker.send(JobRequest(str(number), job))
    start = time.perf_counter()
    preview, stages, stage, since = 0.0, {}, "", start
    for message in worker.messages():
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
    raise AssertionError("unreachable: messages() ends by raising")


def bench_fit(photo: Path, repeats: int, pack: str) -> FitBench:
    """Start a worker, run the same job `repeats` + 1 times, measure. Raises EngineError."""
    with (
        tempfile.TemporaryDirectory(prefix="uvapm-bench-") as folder,
        bench_worker() as worker,
    ):
        job = FitJob((str(photo.resolve()),), str(Path(folder, "result")), pack=pack)
        jobs = tuple(_time_job(worker, job, number) for number in range(repeats + 1))
        return FitBench(worker.start, jobs, worker.memory("VmRSS"), worker.memory("VmHWM"))
