"""`python -m engine evaluate transfer`: detail of one face on another's coarse albedo."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from ..protocol.errors import EXIT_OK
from .evaluate_inputs import named_maps, need_detail
from .outputs import check_output, write_output

LIMIT = 20
TILE = 320
"""Pixels of a tile in the picture."""


def add_transfer(what: argparse._SubParsersAction) -> None:
    """Add the sub-command."""
    parser = what.add_parser(
        "transfer",
        help="put the detail of skin maps on each other's coarse albedo; print what it does to "
        "the skin's colour",
        description="Put the detail of skin maps on each other's coarse albedo and print the "
        "colour difference (CIEDE2000) that it makes.",
    )
    parser.add_argument("--maps", type=Path, required=True, metavar="DIR", help="folder of maps")
    parser.add_argument("--pack", default="default", help="pack of the albedo model (%(default)s)")
    parser.add_argument(
        "--detail",
        metavar="PACK",
        help="pack of the detail model, an id or a folder (the pack's own)",
    )
    parser.add_argument(
        "--limit", type=int, default=LIMIT, metavar="N", help="only the first N maps (%(default)s)"
    )
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument(
        "--picture", type=Path, help="write five details on five coarse albedos here (PNG)"
    )
    parser.set_defaults(run=run_transfer)


def run_transfer(arguments: argparse.Namespace) -> int:
    """Evaluate, print and write. Returns the exit code."""
    from ..evaluate.machine import this_machine
    from ..evaluate.transfer import evaluate_transfer
    from ..evaluate.transfer_report import grid_rows, outcome_json, table_lines
    from ..packs.registry import find_pack
    from ..protocol.albedo_pack import read_albedo_pack
    from ..render.threads import choose_threads
    from ..reporter import CancelToken, ConsoleReporter
    from ..result.pictures import contact_sheet
    from ..result.write import png_bytes

    for path in (arguments.json, arguments.picture):
        check_output(path)
    paths = named_maps(arguments.maps, arguments.limit)
    folder = find_pack(arguments.pack)
    choose_threads()
    detail = need_detail(arguments.detail, folder)
    pack = read_albedo_pack(folder)
    reporter = ConsoleReporter(sys.stderr, CancelToken())
    try:
        reporter.stage(f"{len(paths)} maps", 0, 1)
        outcome = evaluate_transfer(pack.model, detail.net, paths, reporter)
    finally:
        reporter.close()
    print(f"{pack.manifest.id} {pack.manifest.version}, detail of {detail.name}")
    print("\n".join(table_lines(outcome)))
    if arguments.picture:
        picture = contact_sheet(grid_rows(outcome.faces), TILE)
        write_output(arguments.picture, png_bytes(picture))
    if arguments.json:
        content = {
            **outcome_json(outcome),
            "machine": asdict(this_machine()),
            "settings": {
                "maps": str(arguments.maps),
                "limit": arguments.limit,
                "pack": {"id": pack.manifest.id, "sha256": pack.sha},
                "detail": {"name": detail.name, "sha256": detail.sha},
            },
        }
        text = json.dumps(content, indent=1, allow_nan=False)
        write_output(arguments.json, (text + "\n").encode())
    return EXIT_OK
