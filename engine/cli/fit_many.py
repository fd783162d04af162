"""`python -m engine fit-many DIR --out DIR`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..protocol.errors import EXIT_BAD_INPUT, EXIT_OK
from ..reporter import CancelToken
from .counting import CountingReporter
from .fit_options import add_fit_options, fit_job
from .interrupt import interrupt_cancels
from .outputs import check_at_least, write_output

if TYPE_CHECKING:
    from ..many.run import DoneFit
    from ..many.summary import Row

SHOWN_PHOTOS = 60
"""Photos in the table on the terminal; summary.csv has all."""

_DESCRIPTION = """\
Reconstruct a head from every photo of a folder, each into a result directory of its own, named
after the photo. A photo that fails is named and stops none of the others. The same command goes
on where it was stopped: what was done from the same photo with the same settings is kept, what
failed is tried again. OUT also gets summary.csv and the contact sheets sheet_001.png, ...

With --scheduler the photos are shared out to the workers of a Dask cluster, which need this
folder, the photos and OUT under the same paths.
"""


def register(subparsers: argparse._SubParsersAction) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "fit-many",
        help="reconstruct a head from every photo of a folder",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("folder", type=Path, metavar="DIR", help="folder of photos, one person each")
    add("--out", type=Path, required=True, metavar="OUT", help="folder of the result directories")
    add("--workers", type=int, metavar="N", help="processes (one a core, as memory allows)")
    add("--scheduler", metavar="ADDRESS", help="use a Dask cluster, such as tcp://10.0.0.5:8786")
    add_fit_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Fit all; the table goes to standard output. The exit code is 0 when any photo was fitted."""
    from ..many.plan import plan_fits
    from ..many.run import default_workers, fit_many
    from ..many.summary import summary_row, table_lines

    check_at_least(1, workers=arguments.workers)
    out = arguments.out.absolute()
    options = fit_job(arguments, ["every photo"], str(out))
    workers = arguments.workers or default_workers()
    token = CancelToken()
    reporter = CountingReporter(sys.stderr, token, "photos")
    with interrupt_cancels(token):
        try:
            reporter.stage("Looking at the photos", 0, 1)
            plan = plan_fits(arguments.folder, out, options, token.check)
            done = fit_many(plan, out, workers, arguments.scheduler, reporter)
            reporter.finish()
            rows = [summary_row(each) for each in done]
            _write(out, done, rows, reporter)
        finally:
            reporter.close()
    for line in table_lines(rows, SHOWN_PHOTOS):
        print(line)
    return EXIT_OK if any(row.status != "failed" for row in rows) else EXIT_BAD_INPUT


def _write(
    out: Path, done: "Sequence[DoneFit]", rows: "Sequence[Row]", reporter: CountingReporter
) -> None:
    """summary.csv and the sheets. Raises EngineError(BAD_OUTPUT) and Cancelled."""
    from ..many.plan import SHEET, SUMMARY
    from ..many.summary import csv_bytes, sheets

    write_output(out / SUMMARY, csv_bytes(rows))
    for number, picture in enumerate(sheets(done, rows), 1):
        write_output(out / SHEET.format(number), picture)
        reporter.stage(f"Contact sheet {number}", number - 1, number)
