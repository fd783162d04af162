"""`python -m engine doctor [--json]`: is everything here that the engine needs?"""

import argparse
import sys
import tempfile
from pathlib import Path

from ..protocol.doctor import DoctorRow, Health, encode_row
from ..protocol.errors import EXIT_NOT_USABLE, EXIT_OK

_MARKS = {Health.OK: "ok", Health.NOTE: "note", Health.PROBLEM: "PROBLEM"}
_HELP = {
    "install": "Install Engine in the add-on's preferences, or: pip install -r "
    "wheels/requirements-engine.txt",
    "repair": "Repair Engine in the add-on's preferences",
    "device": "choose the device cpu",
    "extension": "install the extension again, or: python -m engine packs build default --force",
    "packs": "python -m engine packs mend (it is moved aside), then import that pack again",
}


def register(subparsers: argparse._SubParsersAction) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "doctor",
        help="look at everything that the engine needs",
        description="Look at Python, packages, device, packs, networks, disk and memory. Exit "
        "code 0 when there is no problem, else 3.",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument(
        "--results", type=Path, default=None, metavar="DIR", help="where results go (for its disk)"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the rows as they come."""
    from ..doctor.examine import examine

    results = arguments.results or Path(tempfile.gettempdir())
    problems = 0
    for row in examine(Path(sys.prefix), results):
        problems += row.health is Health.PROBLEM
        if arguments.json:
            print(encode_row(row).decode("ascii"), end="", flush=True)
        else:
            print(_line(row), flush=True)
    return EXIT_NOT_USABLE if problems and not arguments.json else EXIT_OK


def _line(row: DoctorRow) -> str:
    text = f"{_MARKS[row.health]:8} {row.name:14} {row.text}"
    return text + (f"\n{'':23} -> {_HELP[row.fix]}" if row.fix else "")
