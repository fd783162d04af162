"""The real worker for campaigns: limits that come and go, pauses, another clock. Linux."""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from ..evaluate.bench_worker import BenchWorker
from ..protocol.job import FitJob
from ..protocol.messages import TERMINAL, Hello, JobRequest, Message, decode
from .processes import ROOT
from .table import Fault

UNLIMITED = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


class RealWorker:
    """Starts when a job comes and again after its death, as the add-on's session does. deaths: how
    often that was needed."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = {"OMP_NUM_THREADS": "1", **(environment or {})}
        self._worker: BenchWorker | None = None
        self._starts = 0

    @property
    def deaths(self) -> int:
        """Workers that ended by themselves."""
        return max(self._starts - 1, 0)

    @property
    def pid(self) -> int:
        """Of the running worker."""
        assert self._worker is not None
        return self._worker.process.pid

    def start(self) -> None:
        """Until it has said hello. Raises Fault."""
        if self._worker is not None and self._worker.process.poll() is None:
            return
        process = subprocess.Popen(
            [sys.executable, "-u", "-m", "engine", "worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=ROOT,
            env=os.environ | self._environment,
        )
        self._worker = BenchWorker(process, 0.0)
        self._starts += 1
        if not isinstance(self._hear(), Hello):
            raise Fault("the worker did not say hello")

    def send(self, job: FitJob) -> None:
        """A job to a worker that lives."""
        self.start()
        self._worker.send(JobRequest("place", job))

    def answer(self) -> Message | None:
        """The end of the job; None when the worker died."""
        while (message := self._hear()) is not None:
            if isinstance(message, TERMINAL):
                return message
        self._worker.process.wait()
        return None

    def until_stage(self, number: int) -> None:
        """Until the job is in its stage `number`, or has ended. Raises Fault when it has."""
        seen = 0
        while seen <= number:
            message = self._hear()
            if message is None or isinstance(message, TERMINAL):
                raise Fault("the job ended early")
            seen += type(message).__name__ == "StageStarted"

    def _hear(self) -> Message | None:
        line = self._worker.process.stdout.readline()
        return decode(line) if line else None

    @contextmanager
    def limited(self, kind: int, room: int) -> Iterator[None]:
        """A limit of resource.setrlimit(2) on the running worker, for the time of the block."""
        self.start()
        resource.prlimit(self.pid, kind, (room, resource.RLIM_INFINITY))
        try:
            yield
        finally:
            with suppress(ProcessLookupError):
                resource.prlimit(self.pid, kind, UNLIMITED)

    def mapped(self) -> int:
        """Bytes of its address space."""
        self.start()
        return self._worker.memory("VmSize")

    def close(self) -> None:
        """End it."""
        if self._worker is not None:
            self._worker.process.kill()
            self._worker.process.wait()
            for pipe in (self._worker.process.stdin, self._worker.process.stdout):
                with suppress(OSError):
                    pipe.close()


def portrait() -> Path:
    """The demo's photo. Raises Fault when the demo has not fetched it."""
    photo = ROOT / "build" / "astronaut.png"
    if not photo.is_file():
        raise Fault("there is no photo: run python build_addon.py demo once")
    return photo
