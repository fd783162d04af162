"""The command line with a job that does what the output's name says. Used as a program."""

import sys
import time
from pathlib import Path

import engine.worker.real as real
from engine.cli import main
from engine.protocol.errors import EngineError, ErrorCode
from engine.protocol.job import FitJob
from engine.reporter import Reporter


def run_job(job: FitJob, reporter: Reporter) -> Path:
    reporter.stage("shape", 0, 2)
    match Path(job.output).name:
        case "no face":
            raise EngineError(ErrorCode.NO_FACE, "No face.", "Another\nphoto.")
        case "no pack":
            raise EngineError(ErrorCode.PACK_MISSING, "No pack.", "Build it.")
        case "memory":
            raise MemoryError
        case "defect":
            raise ZeroDivisionError("a / b")
        case "long":
            print("running", file=sys.stderr)
            for step in range(10_000):
                reporter.progress(step, 10_000)
                time.sleep(0.01)
        case "deaf":
            print("running", file=sys.stderr)
            time.sleep(60)
    reporter.warning("The photo is dark.")
    return Path(job.output)


if __name__ == "__main__":
    real.load_engine = lambda: run_job
    sys.exit(main())
