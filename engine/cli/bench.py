"""`python -m engine bench fit PHOTO`: timings, printed with the machine."""

import argparse
import statistics
from pathlib import Path

MEGABYTE = 2**20


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the sub-command."""
    parser = subparsers.add_parser("bench", help="measure speed and memory")
    what = parser.add_subparsers(dest="what", required=True)
    fit = what.add_parser("fit", help="a warm worker on one photo")
    fit.add_argument("photo", type=Path)
    fit.add_argument("--repeats", type=int, default=3, help="warm runs (default 3)")
    fit.add_argument("--pack", default="default")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run and print. Returns the exit code."""
    from ..evaluate.bench_fit import bench_fit
    from ..evaluate.machine import describe, this_machine
    from ..render.threads import choose_threads

    choose_threads()
    bench = bench_fit(args.photo, args.repeats, args.pack)
    print(describe(this_machine()))
    print(f"worker start to hello     {bench.start:7.2f} s")
    for name, job in zip(["cold", *["warm"] * args.repeats], bench.jobs, strict=True):
        print(f"{name} preview {job.preview:6.2f} s   result {job.result:6.2f} s")
    warm = bench.jobs[1:] or bench.jobs
    for stage in warm[0].stages:
        seconds = statistics.median(job.stages[stage] for job in warm)
        print(f"  stage {stage:<10} {seconds:7.3f} s (median of warm runs)")
    print(f"resident at the end {bench.resident / MEGABYTE:8.0f} MB")
    print(f"peak resident       {bench.peak / MEGABYTE:8.0f} MB")
    return 0
