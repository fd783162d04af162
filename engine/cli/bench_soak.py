"""`python -m engine bench soak`: many fits in one worker, with the curve of its memory."""

import argparse
import os
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING

from ..protocol.errors import EngineError, ErrorCode

if TYPE_CHECKING:
    from ..evaluate.bench_soak import SoakFit

MEGABYTE = 2**20
LEAST = 10
LINES = 60
"""Of the curve, about."""
BAR = 40
"""Characters of the longest bar."""
PORTRAIT = Path(__file__).resolve().parents[2] / "build" / "astronaut.png"
"""What `build_addon.py demo` keeps."""


def register(what: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the sub-command to `bench`."""
    soak = what.add_parser(
        "soak",
        help="many fits in one worker",
        description="Fits photos one after another in one worker. Prints its memory, times, "
        "threads and open files, and whether equal photos gave equal bits.",
    )
    soak.add_argument(
        "photos", type=Path, nargs="*", help="taken in turn; without one the demo's portrait"
    )
    soak.add_argument("--count", type=int, default=300, help="fits (default 300, at least 10)")
    soak.add_argument("--minutes", type=float, help="end earlier, after the fit then running")
    soak.add_argument("--pack", default="default")
    soak.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run and print. Returns the exit code: 0 when equal photos gave equal bits."""
    from ..evaluate.bench_soak import soak, summary
    from ..evaluate.machine import describe, this_machine

    if args.count < LEAST:
        raise EngineError(ErrorCode.BAD_SETTINGS, f"A soak needs at least {LEAST} fits.")
    photos = args.photos or [PORTRAIT]
    missing = [photo for photo in photos if not photo.is_file()]
    if missing:
        raise EngineError(ErrorCode.BAD_INPUT, f"There is no photo {missing[0]}.", "Give one.")
    print(describe(this_machine()))
    print("fits        s each  processor s  resident MB   peak MB  threads  files")
    fits: list[SoakFit] = []
    end = float("inf") if args.minutes is None else time.monotonic() + 60.0 * args.minutes
    step = max(1, args.count // LINES)
    try:
        for fit in soak(photos, args.count, args.pack):
            fits.append(fit)
            if len(fits) % step == 0 or len(fits) == args.count:
                _print_line(fits[-step:], len(fits))
            if time.monotonic() > end:
                break
    except KeyboardInterrupt:
        print("stopped by hand")
    if len(fits) < LEAST:
        return 1
    found = summary(fits)
    print(f"{len(fits)} fits of {len(photos)} photo(s)")
    print(f"memory grows by {100 * found.growth / MEGABYTE:+.1f} MB in 100 fits, once settled")
    print(f"processor time of the last fifth: {found.slowdown:.3f} times that of the second one")
    names = ", ".join(found.changed) or "none"
    print(f"files that differed between fits of the same photo: {names}")
    return 1 if found.changed else 0


def _print_line(fits: "list[SoakFit]", done: int) -> None:
    """The last `fits`, of `done` so far."""
    load = f"{os.getloadavg()[0]:.0f}" if hasattr(os, "getloadavg") else "?"
    resident = statistics.median(fit.resident for fit in fits) / MEGABYTE
    seconds = statistics.median(fit.seconds for fit in fits)
    processor = statistics.median(fit.processor for fit in fits)
    last = fits[-1]
    bar = "#" * round(BAR * min(1.0, resident * MEGABYTE / max(last.peak, 1)))
    print(
        f"{done:<10} {seconds:7.1f} {processor:12.1f} {resident:12.0f} "
        f"{last.peak / MEGABYTE:9.0f} {last.threads:8} {last.files:6}  {bar} load {load}",
        flush=True,
    )
