"""`bench soak`: many fits in one worker. Does its memory grow, does it slow down, are bits kept?"""

import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..protocol.errors import EngineError, ErrorCode
from ..protocol.job import FitJob
from ..protocol.messages import Failed, Finished, JobRequest, WasCancelled
from ..protocol.result import read_manifest
from .bench_worker import BenchWorker, bench_worker

SETTLED = 0.2
"""Share of the fits after which the memory's slope is taken. Ours: the first ones fill caches."""


@dataclass(frozen=True)
class SoakFit:
    """One fit. photo: its number; seconds on the clock and of all the worker's threads; resident,
    peak: bytes after it; threads, files: how many the worker then has; digests: sha256 of each
    file of the result but result.json, by name."""

    photo: int
    seconds: float
    processor: float
    resident: int
    peak: int
    threads: int
    files: int
    digests: dict[str, str]


def soak(photos: Sequence[Path], count: int, pack: str) -> Iterator[SoakFit]:
    """`count` fits one after another in one worker, over the photos in turn.

    Each is of a new copy of its photo: a worker remembers those that it has just prepared.
    Raises EngineError.
    """
    with tempfile.TemporaryDirectory(prefix="uvapm-soak-") as scratch, bench_worker() as worker:
        for number in range(count):
            yield _fit(worker, Path(scratch), number % len(photos), photos, pack)


def _fit(
    worker: BenchWorker, scratch: Path, which: int, photos: Sequence[Path], pack: str
) -> SoakFit:
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        photo = shutil.copy(photos[which], folder)
        job = FitJob((str(photo),), str(scratch / "result"), pack=pack)
        began, spent = time.perf_counter(), worker.processor()
        worker.send(JobRequest("soak", job))
        for message in worker.messages():
            if isinstance(message, Failed):
                raise EngineError(message.code, message.message, message.hint)
            if isinstance(message, WasCancelled):
                raise EngineError(ErrorCode.CANCELLED, "The job was cancelled.")
            if isinstance(message, Finished):
                break
        return SoakFit(
            which,
            time.perf_counter() - began,
            worker.processor() - spent,
            worker.memory("VmRSS"),
            worker.memory("VmHWM"),
            worker.entries("task"),
            worker.entries("fd"),
            read_manifest(Path(message.path)).files,
        )


@dataclass(frozen=True)
class SoakSummary:
    """growth: bytes a fit, slope of a straight line through the resident memory once settled;
    slowdown: median processor seconds of the last fifth over those of the second one; changed:
    names of result files that ever differed between fits of the same photo."""

    growth: float
    slowdown: float
    changed: tuple[str, ...]


def summary(fits: Sequence[SoakFit]) -> SoakSummary:
    """Of at least ten fits."""
    start = int(len(fits) * SETTLED)
    resident = np.array([fit.resident for fit in fits[start:]], np.float64)
    slope = np.polyfit(np.arange(len(resident)), resident, 1)[0]
    fifth = len(fits) // 5
    late, early = fits[-fifth:], fits[start : start + fifth]
    ratio = _median_processor(late) / max(_median_processor(early), 1e-9)
    first: dict[int, dict[str, str]] = {}
    changed = set()
    for fit in fits:
        known = first.setdefault(fit.photo, fit.digests)
        changed |= {name for name, digest in fit.digests.items() if known.get(name) != digest}
    return SoakSummary(float(slope), ratio, tuple(sorted(changed)))


def _median_processor(fits: Sequence[SoakFit]) -> float:
    return statistics.median(fit.processor for fit in fits)
