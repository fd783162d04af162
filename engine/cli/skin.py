"""`python -m engine skin generate|sheet`: generated skin maps."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from ..protocol.errors import EXIT_OK
from ..reporter import CancelToken
from .counting import CountingReporter
from .interrupt import interrupt_cancels

DEFAULT_SIZE = 1024
DEFAULT_SEED = 0


def register(subparsers: argparse._SubParsersAction) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "skin", help="generate and look at skin maps", description="Generated skin maps."
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    generate = actions.add_parser(
        "generate",
        help="write a set of skin maps",
        description="Write a set of skin maps in the FFHQ-UV layout, one random person each. A "
        "set that was begun is completed; a finished one may be enlarged with a higher --count.",
    )
    generate.add_argument("--count", type=int, required=True, metavar="N", help="number of maps")
    generate.add_argument("--out", type=Path, required=True, metavar="DIR", help="their folder")
    generate.add_argument("--seed", type=int, default=DEFAULT_SEED, help="which set (%(default)s)")
    generate.add_argument(
        "--size", type=int, default=DEFAULT_SIZE, help="pixels a side (%(default)s)"
    )
    generate.add_argument("--workers", type=int, metavar="W", help="processes (one a core)")
    generate.add_argument(
        "--parameters", action="store_true", help="also write each person's age, melanin, ..."
    )
    generate.set_defaults(run=run_generate)


def run_generate(arguments: argparse.Namespace) -> int:
    """Write the maps; their folder goes to standard output."""

    def work(reporter: CountingReporter) -> None:
        from ..skin.dataset import write_dataset

        write_dataset(
            arguments.out,
            arguments.count,
            arguments.size,
            arguments.seed,
            arguments.workers,
            reporter,
            arguments.parameters,
        )

    _reported("maps", work)
    print(arguments.out)
    return EXIT_OK


def _reported(things: str, work: Callable[[CountingReporter], None]) -> None:
    """Run `work` with progress on standard error; Ctrl-C cancels it."""
    token = CancelToken()
    reporter = CountingReporter(sys.stderr, token, things)
    with interrupt_cancels(token):
        try:
            work(reporter)
            reporter.finish()
        finally:
            reporter.close()
