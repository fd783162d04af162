"""`python -m engine evaluate scans`: millimetres between fitted heads and scans."""

import argparse
import sys
from dataclasses import asdict
from pathlib import Path

from ..protocol.errors import EXIT_OK, EngineError, ErrorCode
from .outputs import check_output, write_json, write_output


def add_scans(what: argparse._SubParsersAction) -> None:
    """Add the sub-command."""
    parser = what.add_parser(
        "scans",
        help="fit photos of scanned heads; print millimetres from the scans",
        description="Each folder inside DIR holds a scan (.obj or .ply). With a cameras.json "
        "beside it the pictures of the folder are photos of that head; else the scan is rendered "
        "from five sides, in its own colours or painted with the model's mean skin. Each photo is "
        "fitted by itself (shape only) and measured against the scan.",
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder of scans")
    parser.add_argument(
        "--pack",
        action="append",
        metavar="ID",
        help="head pack (default); several: the first places the scans for all",
    )
    parser.add_argument(
        "--cache", type=Path, metavar="DIR", help="keep placed scans and their views here"
    )
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--picture", type=Path, help="write heads beside scans here (PNG)")
    parser.set_defaults(run=run_scans)


def run_scans(arguments: argparse.Namespace) -> int:
    """Evaluate, print and write. Returns the exit code."""
    from ..evaluate.machine import describe, this_machine
    from ..evaluate.scans import evaluate_scans
    from ..evaluate.scans_report import (
        TILE,
        outcome_json,
        picture_rows,
        summary_line,
        table_lines,
    )
    from ..fit.pipeline import Session
    from ..packs.registry import DEFAULT_PACK
    from ..render.threads import choose_threads
    from ..reporter import CancelToken, ConsoleReporter
    from ..result.pictures import contact_sheet
    from ..result.write import png_bytes

    if not arguments.folder.is_dir():
        raise EngineError(ErrorCode.BAD_INPUT, f"There is no folder {arguments.folder}.")
    for path in (arguments.json, arguments.picture):
        check_output(path)
    choose_threads()
    session = Session()
    packs = [session.pack(name) for name in arguments.pack or [DEFAULT_PACK]]
    print(describe(this_machine()))
    reporter = ConsoleReporter(sys.stderr, CancelToken())
    try:
        reporter.stage("scans", 0, 1)
        outcomes = evaluate_scans(
            arguments.folder, packs, session.settings, reporter, arguments.cache
        )
    finally:
        reporter.close()
    rows = []
    for loaded, own in zip(packs, outcomes, strict=True):
        print(f"Pack {loaded.head.id}. " + "\n".join(table_lines(own)))
        rows += picture_rows(own, loaded)
    if len(packs) > 1:
        for loaded, own in zip(packs, outcomes, strict=True):
            print(f"{loaded.head.id}: {summary_line(own)}")
    if arguments.picture:
        write_output(arguments.picture, png_bytes(contact_sheet(rows, TILE)))
    if arguments.json:
        report = {
            "schema": 2,
            "packs": [
                {"pack": loaded.head.id, **outcome_json(own)}
                for loaded, own in zip(packs, outcomes, strict=True)
            ],
            "settings": asdict(session.settings.shape),
            "machine": asdict(this_machine()),
        }
        write_json(arguments.json, report)
    return EXIT_OK
