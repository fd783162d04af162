"""A program for test_run.py: many fake fits through a local cluster; then one that is cancelled.

A program of its own, because a cluster's threads and sockets outlive it by moments.
Usage: run_many_on_cluster.py FOLDER
"""

import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from engine.many import work
from engine.many.plan import PlannedFit
from engine.many.run import fit_many
from engine.protocol.errors import Cancelled, EngineError, ErrorCode
from engine.protocol.job import FitJob
from engine.reporter import NullReporter

ended = threading.Event()


def fake_fit(job, reporter):
    """Writes nothing; "bad" has no face, "long" goes on until it is cancelled."""
    match Path(job.output).name:
        case "bad":
            raise EngineError(ErrorCode.NO_FACE, "No face.")
        case "long":
            try:
                while True:
                    reporter.progress(0, 1)
                    time.sleep(0.01)
            finally:
                ended.set()


class Impatient(NullReporter):
    """Cancels after a second."""

    def __init__(self):
        super().__init__()
        self._end = time.monotonic() + 1.0

    def progress(self, step, total):
        if time.monotonic() > self._end:
            raise Cancelled


def plan(out, *names):
    return [PlannedFit(name, FitJob((f"{name}.png",), str(out / name)), name) for name in names]


def main() -> int:
    from distributed import LocalCluster

    out = Path(sys.argv[1], "out")
    work._run = fake_fit  # the workers are threads of this process
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=False) as cluster:
        address = cluster.scheduler_address
        for each in fit_many(plan(out, "anna", "bad", "zoe"), out, 1, address, NullReporter()):
            print("failed" if each.outcome.error else "done")
        begun = time.monotonic()
        try:
            fit_many(plan(out, "long"), out, 1, address, Impatient())
        except Cancelled:
            if ended.wait(1.0) and time.monotonic() - begun < 3.0:
                print("cancelled")
    return 0


if __name__ == "__main__":
    sys.exit(main())
