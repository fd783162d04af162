"""`python -m engine bench`: timings, and what is tried against the engine, with the machine."""

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from . import bench_detail, bench_faults, bench_fit, bench_fuzz, bench_soak

if TYPE_CHECKING:
    from ..evaluate.bench_albedo import Run, SizeBench

MEGABYTE = 2**20


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the sub-command."""
    parser = subparsers.add_parser("bench", help="measure speed and memory")
    what = parser.add_subparsers(dest="what", required=True)
    bench_fit.register(what)
    _register_albedo(what)
    bench_detail.register(what)
    bench_faults.register(what)
    bench_fuzz.register(what)
    bench_soak.register(what)


def _register_albedo(what: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    albedo = what.add_parser(
        "albedo",
        help="the training of albedo models",
        description="Train on the same maps at every size, beside scikit-learn's IncrementalPCA "
        "where it is installed; each in a process of its own. Also: decoding a map, and the time "
        "that 100,000 maps of the largest size would take.",
    )
    albedo.add_argument(
        "--sizes", type=int, nargs="+", default=[64, 128, 256, 512, 1024], help="texels a side"
    )
    albedo.add_argument("--count", type=int, default=300, help="maps (default 300)")
    albedo.add_argument("--components", type=int, default=100, help="per channel (default 100)")
    albedo.add_argument("--maps", type=Path, help="PNG maps to use; without it some are generated")
    albedo.add_argument("--alone", action="store_true", help="without scikit-learn")
    albedo.add_argument("--seed", type=int, default=0, help="of the generated maps (default 0)")
    albedo.set_defaults(run=run_albedo)


def run_albedo(args: argparse.Namespace) -> int:
    """Run and print. Returns the exit code."""
    from ..evaluate import bench_albedo as bench
    from ..evaluate.machine import describe, this_machine

    def say(text: str) -> None:
        print(text, file=sys.stderr)

    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    print(describe(this_machine()))
    with tempfile.TemporaryDirectory(prefix="uvapm-bench-") as scratch:
        maps = args.maps or Path(scratch) / "maps"
        if args.maps is None:
            maps.mkdir()
            count = max(args.count // args.components, 2) * args.components
            say(f"generating {count} maps")
            bench.write_bench_maps(maps, count, max(args.sizes), args.seed)
        work, twin = Path(scratch) / "work", not args.alone
        rows = []
        for row in bench.bench_sizes(maps, args.sizes, args.components, work, twin, say):
            if not rows:
                _print_head(row, args.components, load)
            _print_size(row)
            rows.append(row)
    seconds = bench.decode_seconds(args.seed)
    print(f"decoding a map at 256 from 300 coefficients: {1e3 * seconds:.2f} ms (numpy)")
    largest = max(rows, key=lambda row: row.size)
    cores = os.cpu_count() or 1
    estimate = bench.estimate(largest.ours, largest.size, args.components, cores)
    print(f"{bench.MANY_MAPS} maps of {largest.size} x {largest.size}:")
    for line in estimate.lines:
        print(f"  {line}")
    return 0


def _print_head(row: "SizeBench", components: int, load: str) -> None:
    blas = os.environ.get("OPENBLAS_NUM_THREADS", "all")
    print(
        f"{row.ours.count} maps, 3 x {components} components, 2 power passes, "
        f"BLAS threads {blas}, load before {load}"
    )
    print("       ours                         IncrementalPCA               ours against it")
    print(
        "size   maps/s  CPU s/map  peak MB   maps/s  CPU s/map  peak MB   "
        "speed    CPU   memory  variance"
    )


def _print_size(row: "SizeBench") -> None:
    line = f"{row.size:<5} {_figures(row.ours)}"
    if row.incremental is not None:
        other = row.incremental
        line += f"{_figures(other)} {row.ours.rate / other.rate:6.2f}x {_cpu_ratio(row):6.2f}x "
        line += f"{row.ours.peak / max(other.peak, 1):6.2f}x "
        line += f"{row.ours.variance / other.variance:.5f}x"
    print(line.rstrip(), flush=True)


def _figures(run: "Run") -> str:
    return f"{run.rate:7.2f} {run.cpu / run.count:9.3f} {run.peak / MEGABYTE:9.0f}    "


def _cpu_ratio(row: "SizeBench") -> float:
    return row.incremental.cpu / row.ours.cpu
