"""`python -m engine fit PHOTO [PHOTO ...] --out DIR`."""

import argparse
import sys
from dataclasses import replace

from ..protocol.errors import EXIT_OK, EngineError
from ..protocol.job import FILE_SETS, LOCKS
from ..protocol.landmarks68 import LANDMARK_NAMES, Pin
from ..reporter import CancelToken, ConsoleReporter
from .fit_options import DEFAULTS, add_fit_options, fit_job
from .interrupt import interrupt_cancels


def register(subparsers: argparse._SubParsersAction) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "fit",
        help="reconstruct a head from a photo",
        description="Reconstruct a head from a photo.",
    )
    parser.add_argument("photos", nargs="+", metavar="PHOTO", help="photos of one person")
    parser.add_argument("--out", required=True, metavar="DIR", help="result directory to write")
    add_fit_options(parser)
    parser.add_argument(
        "--start", metavar="RESULT", help="go on from this result directory of the same photos"
    )
    parser.add_argument(
        "--lock",
        action="append",
        default=[],
        choices=LOCKS,
        help="leave this as it is in --start; may be given more than once",
    )
    parser.add_argument(
        "--pin",
        action="append",
        default=[],
        type=pin_of,
        metavar="POINT,X,Y",
        help="one of the 68 points of the face is at these pixels of the first photo; may "
        "be given more than once",
    )
    parser.add_argument(
        "--edits",
        metavar="FILE",
        help=".safetensors with identity, expression or albedo to take"
        " in the place of those of --start",
    )
    parser.add_argument(
        "--files",
        choices=FILE_SETS,
        default=DEFAULTS.files,
        help="blender: without OBJ, glTF and the pictures for people, faster (%(default)s)",
    )
    parser.set_defaults(run=run)


def pin_of(text: str) -> Pin:
    """A pin from text such as 30,512,300.5. Raises argparse.ArgumentTypeError."""
    try:
        index, x, y = text.split(",")
        return Pin(int(index), float(x), float(y))
    except (ValueError, EngineError) as error:
        raise argparse.ArgumentTypeError(
            f"expected POINT,X,Y with a point from 0 to {len(LANDMARK_NAMES) - 1}, got {text!r}"
        ) from error


def run(arguments: argparse.Namespace) -> int:
    """Fit and write; the path of the result goes to standard output."""
    job = fit_job(arguments, arguments.photos, arguments.out)
    job = replace(job, files=arguments.files, start=arguments.start, locks=tuple(arguments.lock))
    job = replace(job, pins=tuple(arguments.pin), edits=arguments.edits)
    token = CancelToken()
    reporter = ConsoleReporter(sys.stderr, token)
    with interrupt_cancels(token):
        from ..worker.real import load_engine

        run_job = load_engine()
        token.check()
        try:
            path = run_job(job, reporter)
        finally:
            reporter.close()
    print(path)
    return EXIT_OK
