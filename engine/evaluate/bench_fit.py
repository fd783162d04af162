"""`bench fit`: what a warm worker needs for a photo, by stage; for large photos and for several."""

import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2

from ..photo.load import load_photo
from ..protocol.conventions import unit_to_bytes
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
from ..result.write import png_bytes
from .bench_worker import BenchWorker, bench_worker
from .workload import plain_work

SMALLER = 0.9
"""Each further photo of a person is the same one so much smaller."""


@dataclass(frozen=True)
class Spent:
    """seconds on the clock; processor: seconds of all the worker's threads."""

    seconds: float
    processor: float


@dataclass(frozen=True)
class FitTiming:
    """One job in a worker: to the first preview, to the result, and by stage. work: processor
    seconds of `plain_work` around it; resident, peak: bytes after it."""

    preview: Spent
    result: Spent
    stages: dict[str, Spent]
    work: float
    resident: int
    peak: int


@dataclass(frozen=True)
class BenchCase:
    """name; the warm jobs, all alike."""

    name: str
    jobs: tuple[FitTiming, ...]

    def median(self, figure: Callable[[FitTiming], float]) -> float:
        """Of the jobs."""
        return statistics.median(map(figure, self.jobs))


@dataclass(frozen=True)
class FitBench:
    """start: seconds to hello; cold: the worker's first job."""

    start: float
    cold: FitTiming
    cases: tuple[BenchCase, ...]


class _Clock:
    def __init__(self, worker: BenchWorker) -> None:
        self._worker = worker
        self._start = time.perf_counter(), worker.processor()

    def spent(self) -> Spent:
        """Since this clock was made."""
        seconds, processor = self._start
        return Spent(time.perf_counter() - seconds, self._worker.processor() - processor)


def _time_job(worker: BenchWorker, job: FitJob) -> FitTiming:
    before = plain_work()
    clock = stage_clock = _Clock(worker)
    worker.send(JobRequest("bench", job))
    preview, stages, stage = None, {}, ""
    for message in worker.messages():
        if isinstance(message, Preview) and preview is None:
            preview = clock.spent()
        if isinstance(message, StageStarted | Finished) and stage:
            stages[stage] = stage_clock.spent()
        if isinstance(message, StageStarted):
            stage, stage_clock = message.stage, _Clock(worker)
        if isinstance(message, Finished):
            result = clock.spent()
            memory = worker.memory("VmRSS"), worker.memory("VmHWM")
            work = (before + plain_work()) / 2.0
            return FitTiming(preview or result, result, stages, work, *memory)
        if isinstance(message, Failed):
            raise EngineError(message.code, message.message, message.hint)
        if isinstance(message, WasCancelled):
            raise EngineError(ErrorCode.CANCELLED, "The job was cancelled.")
    raise AssertionError("unreachable: messages() ends by raising")


def bench_fit(
    photo: Path, repeats: int, pack: str, sizes: Sequence[int], counts: Sequence[int], again: bool
) -> FitBench:
    """Start a worker, run a cold job and `repeats` warm ones of each case. Raises EngineError.

    sizes: pixels of the photo's longer side; counts: photos of the person, see `SMALLER`; again:
    also as the add-on asks for it, without the files that Blender does not read, and from there
    on with the identity held.
    """
    with (
        tempfile.TemporaryDirectory(prefix="uvapm-bench-") as folder,
        bench_worker() as worker,
    ):
        scratch = Path(folder)
        plain = FitJob((str(photo.resolve()),), str(scratch / "result"), pack=pack)

        def case(name: str, job: FitJob) -> BenchCase:
            jobs = (_as_new(job, scratch / f"new_{number}") for number in range(repeats))
            return BenchCase(name, tuple(_time_job(worker, job) for job in jobs))

        cold = _time_job(worker, plain)
        cases = [case("as it is", plain)]
        for size in sizes:
            paths = (_resized(photo, size, scratch),)
            cases.append(case(f"{size} pixels", replace(plain, photos=paths)))
        for count in counts:
            largest = max(load_photo(photo).pixels.shape)
            steps = [round(largest * SMALLER**step) for step in range(count)]
            paths = tuple(_resized(photo, step, scratch) for step in steps)
            cases.append(case(f"{count} photos", replace(plain, photos=paths)))
        if again:
            _time_job(worker, replace(plain, output=str(scratch / "start")))
            blender = replace(plain, files="blender")
            cases.append(case("for Blender", blender))
            onward = replace(blender, start=str(scratch / "start"), locks=("identity",))
            again = tuple(_time_job(worker, onward) for _ in range(repeats))
            cases.append(BenchCase("solved again", again))
        return FitBench(worker.start, cold, tuple(cases))


def _as_new(job: FitJob, folder: Path) -> FitJob:
    """The job with copies of its photos: a worker remembers those that it has just prepared."""
    folder.mkdir(exist_ok=True)
    paths = [Path(shutil.copy(path, folder)) for path in job.photos]
    return replace(job, photos=tuple(map(str, paths)))


def _resized(photo: Path, size: int, folder: Path) -> str:
    """Path of the photo with `size` pixels on its longer side."""
    pixels = load_photo(photo).pixels
    factor = size / max(pixels.shape)
    wanted = tuple(max(1, round(side * factor)) for side in pixels.shape[1::-1])
    method = cv2.INTER_AREA if factor < 1.0 else cv2.INTER_CUBIC
    path = folder / f"photo_{size}.png"
    path.write_bytes(png_bytes(unit_to_bytes(cv2.resize(pixels, wanted, interpolation=method))))
    return str(path)
