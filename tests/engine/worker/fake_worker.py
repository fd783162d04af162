"""A worker whose job is a script of misbehaviour: the job's output path says what to do."""

import os
import subprocess
import sys
import time
from pathlib import Path

from engine.config import WorkerSettings
from engine.protocol.errors import EngineError, ErrorCode
from engine.protocol.job import FitJob
from engine.protocol.messages import DecodeRequest, Hello
from engine.protocol.version import PROTOCOL_VERSION
from engine.reporter import Reporter
from engine.worker.channel import claim_pipes
from engine.worker.serve import Work, serve


class OutOfMemoryError(RuntimeError):
    """Looks like PyTorch's own."""


def run_job(job: FitJob, reporter: Reporter) -> Path:
    reporter.stage("shape", 0, 2)
    match job.output:
        case "noisy":
            print("a library prints")
            os.write(1, b"and another writes to the descriptor\n")
            subprocess.run([sys.executable, "-c", "print('and a child')"], check=True)
        case "forever":
            for step in range(100_000):
                reporter.progress(step, 100_000)
                time.sleep(0.01)
        case "deaf":
            time.sleep(60)
        case "no face":
            raise EngineError(ErrorCode.NO_FACE, "No face.", "Another photo.")
        case "memory":
            raise MemoryError
        case "gpu memory":
            raise OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        case "defect":
            raise ZeroDivisionError("a / b")
        case "exit":
            sys.exit(5)
        case "crash":
            os._exit(9)
    reporter.warning("careful")
    reporter.preview("preview.png")
    reporter.stage("albedo", 1, 2)
    for step in range(1000):
        reporter.progress(step + 1, 1000)
    return Path(job.output).resolve()


def run_decode(request: DecodeRequest) -> Path:
    match request.pack:
        case "missing":
            raise EngineError(ErrorCode.PACK_MISSING, "No pack.", "Build it.")
        case "defect":
            raise ZeroDivisionError("a / b")
        case "slow":
            time.sleep(0.5)
    return Path(request.pack).resolve()


if __name__ == "__main__":
    pipes = claim_pipes()
    settings = WorkerSettings(
        idle_seconds=float(sys.argv[1]),
        parent_poll_seconds=0.05,
        exit_grace_seconds=0.5,
        waiting_jobs=2,
    )
    hello = Hello(PROTOCOL_VERSION, "0.0.0", "cpu", ("default",))
    serve(pipes, Work(run_job, run_decode), hello, settings)
