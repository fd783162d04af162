"""`python -m engine bench faults`: what is tried against the engine, and what survives."""

import argparse
import importlib
import os
import platform
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ..protocol.errors import EngineError, ErrorCode

if TYPE_CHECKING:
    from ..hostile.table import Row

ENGINE_KINDS = ("worker", "client", "kills")


def register(what: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the sub-command to `bench`."""
    faults = what.add_parser(
        "faults",
        help="hostile partners, kills at random moments",
        description="Plays a hostile client of a worker and a hostile engine of the add-on, and "
        "kills either side at random moments while a result is replaced. After each attempt the "
        "next job must work, no process may be left, no earlier result lost. The worker does the "
        "engine's own protocol around work of milliseconds.",
    )
    faults.add_argument("--count", type=int, default=200, help="attempts a kind (default 200)")
    faults.add_argument("--seed", type=int, default=0, help="of the attacks and moments")
    faults.add_argument("--only", choices=ENGINE_KINDS, help="one part alone")
    faults.add_argument("--real", type=int, default=0, help="kill the real worker so often instead")
    faults.add_argument("--photo", type=Path, help="of a face, for --real")
    faults.add_argument("--files", action="store_true", help="files of strangers instead")
    faults.add_argument("--places", action="store_true", help="full disks, odd folders instead")
    faults.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run and print. Returns the exit code: 0 when everything survived."""
    if os.name == "nt":
        raise EngineError(
            ErrorCode.BAD_SETTINGS,
            "These campaigns kill processes as POSIX systems do; Windows has no such signals.",
        )
    from ..hostile import table

    load = f"{os.getloadavg()[0]:.1f}"
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"count {args.count}, seed {args.seed}, load before {load}")
    print(table.HEAD, flush=True)
    began, rows = time.monotonic(), []
    with tempfile.TemporaryDirectory(prefix="uvapm-faults-", ignore_cleanup_errors=True) as scratch:
        for row in _rows(args, Path(scratch)):
            print(table.line(row), flush=True)
            for complaint in row.complaints[:5]:
                print(f"    {complaint}", flush=True)
            rows.append(row)
    whole = table.total(rows)
    print(table.line(whole))
    left = _zombies()
    print(f"zombies left: {left}; {time.monotonic() - began:.0f} s in all")
    return 0 if whole.survived == whole.tried and not left else 1


def _rows(args: argparse.Namespace, scratch: Path) -> "Iterator[Row]":
    if args.files:
        yield from importlib.import_module("..hostile.files", __package__).file_rows(args.seed)
    if args.places:
        yield from importlib.import_module("..hostile.places", __package__).place_rows(args.seed)
    if args.real:
        if args.photo is None:
            raise EngineError(ErrorCode.BAD_SETTINGS, "--real needs --photo.", "Name a photo.")
        from ..hostile.real_kills import real_row

        yield real_row(args.photo.resolve(), scratch, args.real, args.seed)
    if args.files or args.places or args.real:
        return
    from ..hostile.campaign import engine_rows

    only = (args.only,) if args.only else ENGINE_KINDS
    yield from engine_rows(only, scratch, args.count, args.seed)


def _zombies() -> int:
    from ..hostile.processes import zombies

    return len(zombies())
