"""The fits of many photos, by processes of this machine or on a Dask cluster."""

import threading
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from ..failure import explain, first_line
from ..pool import POLL_SECONDS, map_tasks
from ..protocol.errors import EngineError, ErrorCode
from ..protocol.job import FitJob
from ..reporter import CancelToken, NullReporter, Reporter

if TYPE_CHECKING:
    from distributed import Client, Future

    from ..fit.pipeline import Session

FOR_ALL = frozenset({ErrorCode.PACK_MISSING, ErrorCode.PACK_INVALID, ErrorCode.ENGINE_MISSING})
"""Errors that every other photo would meet too: the run ends."""
LOOK_SECONDS = 0.1
"""How often a fit on a cluster looks whether the run still goes on."""


@dataclass(frozen=True)
class FitTask:
    """number: of the photo in the plan. run: a file on the disk that all machines share; the fit
    stops when it is gone. None where the process is stopped instead."""

    number: int
    job: FitJob
    run: str | None


@dataclass(frozen=True)
class FitOutcome:
    """error: None when the result was written; else its code, with message and hint."""

    number: int
    seconds: float
    error: ErrorCode | None = None
    message: str = ""
    hint: str = ""


class _RunToken(CancelToken):
    """Cancelled once the run's file is gone."""

    def __init__(self, run: Path) -> None:
        super().__init__()
        self._run, self._next = run, 0.0

    @property
    def cancelled(self) -> bool:
        """See CancelToken."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + LOOK_SECONDS
            if not self._run.exists():
                self.cancel()
        return super().cancelled


_LOADING = threading.Lock()
"""A cluster's worker may run several fits in one process: packs are read by one of them."""


@lru_cache(maxsize=1)
def _session() -> "Session":
    """The packs of this process. One thread: there is a process for each core already."""
    import cv2

    from ..fit.pipeline import Session
    from ..memory import keep_freed_memory
    from ..render.threads import choose_threads

    keep_freed_memory()
    choose_threads(1)
    cv2.setNumThreads(1)
    return Session()


def _run(job: FitJob, reporter: Reporter) -> None:
    from ..fit.backends import Backends
    from ..fit.pipeline import run_fit

    with _LOADING:
        session = _session()
        session.pack(job.pack, job.albedo, job.detail, Backends.of_job(job))
    run_fit(job, reporter, session)


def fit_one(task: FitTask) -> FitOutcome:
    """Fit a photo and write its result; an error is an outcome, too."""
    begun = time.monotonic()
    token = CancelToken() if task.run is None else _RunToken(Path(task.run))
    try:
        token.check()
        _run(task.job, NullReporter(token))
    except Exception as error:  # noqa: BLE001 the edge of one photo: the others go on
        plain = explain(error)
        seconds = time.monotonic() - begun
        return FitOutcome(task.number, seconds, plain.code, plain.message, plain.hint)
    return FitOutcome(task.number, time.monotonic() - begun)


def _lost(task: FitTask, error: EngineError) -> FitOutcome:
    return FitOutcome(task.number, 0.0, error.code, error.message, error.hint)


def run_here(
    tasks: Sequence[FitTask], workers: int, on_wait: Callable[[], None]
) -> Generator[FitOutcome, None, None]:
    """Outcomes as they come, from `workers` processes. on_wait: see `pool.map_tasks`.

    A process that dies is an outcome of its photo, and is replaced.
    """
    return map_tasks(fit_one, tasks, workers, on_wait, lost=_lost, in_order=False)


def run_on_cluster(
    client: "Client", tasks: Sequence[FitTask], on_wait: Callable[[], None]
) -> Generator[FitOutcome, None, None]:
    """Outcomes as they come. The workers need the photos, the packs, the output folder and this
    engine under the same paths. What on_wait raises takes the rest off the cluster.

    Raises EngineError(ENGINE_MISSING) when a worker cannot load the engine.
    """
    futures = {client.submit(fit_one, task, pure=False): task for task in tasks}
    try:
        while futures:
            on_wait()
            done = [future for future in futures if future.done()]
            for future in done:
                yield _outcome(future, futures.pop(future))
            if not done:
                time.sleep(POLL_SECONDS)
    finally:
        client.cancel(list(futures), force=True)


def _outcome(future: "Future", task: FitTask) -> FitOutcome:
    if future.status == "finished":
        return future.result()
    error = future.exception() if future.status == "error" else None
    if isinstance(error, ImportError):
        raise EngineError(
            ErrorCode.ENGINE_MISSING,
            f"The cluster's workers cannot load this engine ({first_line(error)}).",
            "Start them in this folder, with the same Python packages.",
        ) from error
    name = type(error).__name__ if error else future.status
    return FitOutcome(
        task.number,
        0.0,
        ErrorCode.INTERNAL,
        f"The cluster lost the work on it ({name}), maybe because a worker's memory ran out.",
        "Look at its workers, then give the same command again: done photos are kept.",
    )
