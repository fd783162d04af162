"""`python -m engine bench fit`: how long a fit takes, and how much memory."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..evaluate.bench_fit import BenchCase

MEGABYTE = 2**20


def register(what: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the sub-command to `bench`."""
    fit = what.add_parser(
        "fit",
        help="a warm worker on one photo",
        description="Seconds on the clock, processor seconds of all threads, and those over the "
        "processor seconds of a plain piece of work run before and after each job, which hardly "
        "depend on what else the machine does. Medians of warm runs.",
    )
    fit.add_argument("photo", type=Path)
    fit.add_argument("--repeats", type=int, default=3, help="warm runs of each (default 3)")
    fit.add_argument("--pack", default="default")
    fit.add_argument(
        "--sizes", type=int, nargs="*", default=[], help="also at these longer sides, pixels"
    )
    fit.add_argument(
        "--photos", type=int, nargs="*", default=[], help="also with so many photos of the person"
    )
    fit.add_argument("--again", action="store_true", help="also go on from a result")
    fit.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run and print. Returns the exit code."""
    from ..evaluate.bench_fit import bench_fit
    from ..evaluate.machine import describe, this_machine
    from ..render.threads import choose_threads

    choose_threads()
    bench = bench_fit(args.photo, args.repeats, args.pack, args.sizes, args.photos, args.again)
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    print(f"{describe(this_machine())}, load {load}")
    cold = bench.cold
    print(f"worker start to hello {bench.start:.2f} s")
    print(f"cold: preview {cold.preview.seconds:.2f} s, result {cold.result.seconds:.2f} s")
    for case in bench.cases:
        _print_case(case)
    print("stages of the first:  s   processor s")
    first = bench.cases[0]
    for stage in first.jobs[0].stages:
        seconds = first.median(lambda job, stage=stage: job.stages[stage].seconds)
        processor = first.median(lambda job, stage=stage: job.stages[stage].processor)
        print(f"  {stage:<16} {seconds:6.2f} {processor:10.2f}")
    peak = max(job.peak for case in bench.cases for job in case.jobs)
    print(f"peak resident {peak / MEGABYTE:.0f} MB")
    return 0


def _print_case(case: "BenchCase") -> None:
    preview, result = (
        case.median(lambda job: job.preview.seconds),
        case.median(lambda job: job.result.seconds),
    )
    processor = case.median(lambda job: job.result.processor)
    ratio = case.median(lambda job: job.result.processor / max(job.work, 1e-9))
    resident = case.median(lambda job: job.resident) / MEGABYTE
    print(
        f"{case.name:<14} preview {preview:6.2f} s  result {result:6.2f} s  processor "
        f"{processor:6.2f} s, {ratio:6.2f} times the plain work  resident {resident:5.0f} MB",
        flush=True,
    )
