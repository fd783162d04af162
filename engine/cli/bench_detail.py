"""`python -m engine bench detail`: what a detail slider costs."""

import argparse
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..evaluate.bench_detail import Times


def register(what: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the sub-command to `bench`."""
    detail = what.add_parser(
        "detail",
        help="the detail sliders",
        description="Decode detail maps in torch and through a warm worker, split them in bands, "
        "and compose bands, regions and the albedo in numpy, with every slider moved.",
    )
    detail.add_argument("--pack", default="default", help="id or folder with a detail model")
    detail.add_argument("--sizes", type=int, nargs="+", default=[512, 1024, 2048])
    detail.add_argument("--repeats", type=int, default=20, help="of each (default 20)")
    detail.add_argument("--seed", type=int, default=0, help="of latents and maps (default 0)")
    detail.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run and print. Returns the exit code."""
    from ..evaluate.bench_detail import bench_detail
    from ..evaluate.machine import describe, this_machine
    from ..render.threads import choose_threads

    choose_threads()
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    print(f"{describe(this_machine())}, load before {load}")
    bench = bench_detail(args.pack, tuple(args.sizes), max(1, args.repeats), args.seed)
    print(f"{'milliseconds':<34}   median  longest      CPU")
    _print("decode a map, torch", bench.decode)
    _print("decode through a warm worker", bench.worker)
    _print("a map in bands, numpy", bench.split)
    _print("bands and regions at 512, numpy", bench.strengths)
    for size, times in bench.albedo.items():
        _print(f"the same and an albedo of {size}", times)
    print(f"worker: hello after {bench.start:.2f} s, its first map {bench.first:.2f} s later")
    return 0


def _print(what: str, times: "Times") -> None:
    figures = (times.median, times.longest, times.processor)
    print(f"{what:<34}" + "".join(f"{1e3 * figure:9.1f}" for figure in figures))
