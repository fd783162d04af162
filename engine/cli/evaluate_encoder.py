"""`python -m engine evaluate encoder`: a coarse encoder beside the exact projection."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from ..protocol.errors import EXIT_OK
from .outputs import check_at_least, check_output, write_output

SCHEMA = 1


def add_encoder(what: argparse._SubParsersAction) -> None:
    """Add the sub-command."""
    parser = what.add_parser(
        "encoder",
        help="a coarse encoder beside the exact projection of maps; print MSE and PSNR",
        description="Reconstruct skin maps, as they are and with holes, through the coarse encoder "
        "of a pack and through the exact projection onto its albedo model.",
    )
    parser.add_argument("--pack", required=True, metavar="PACK", help="id or folder")
    parser.add_argument("--maps", type=Path, required=True, metavar="DIR", help="folder of maps")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N maps")
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.set_defaults(run=run_evaluate_encoder)


def run_evaluate_encoder(arguments: argparse.Namespace) -> int:
    """Evaluate, print and write. Returns the exit code."""
    from ..evaluate.encoder import evaluate_encoder, table_lines
    from ..evaluate.machine import describe, this_machine
    from ..packs.registry import find_pack
    from ..protocol.encoder_pack import read_encoder_pack
    from ..render.threads import choose_threads
    from ..reporter import CancelToken, ConsoleReporter
    from ..train.maps import list_maps

    check_output(arguments.json)
    check_at_least(1, limit=arguments.limit)
    files = list_maps(arguments.maps)[: arguments.limit]
    paths = [(path, path.relative_to(arguments.maps).as_posix()) for path in files]
    pack = read_encoder_pack(find_pack(arguments.pack))
    choose_threads()
    print(describe(this_machine()))
    reporter = ConsoleReporter(sys.stderr, CancelToken())
    reporter.stage(f"{pack.manifest.id}, {len(paths)} maps", 0, 1)
    try:
        outcome = evaluate_encoder(pack, paths, reporter)
    finally:
        reporter.close()
    print("\n".join(table_lines(outcome)))
    if arguments.json:
        content = {
            "schema": SCHEMA,
            "pack": pack.manifest.id,
            "recipe": pack.manifest.recipe,
            "maps": str(arguments.maps),
            "count": outcome.count,
            "left_out": [{"map": name, "why": why} for name, why in outcome.left_out],
            "scores": {
                case: {
                    method: {area: asdict(score) for area, score in areas.items()}
                    for method, areas in methods.items()
                }
                for case, methods in outcome.scores.items()
            },
            "seconds": round(outcome.seconds, 1),
            "machine": asdict(this_machine()),
        }
        text = json.dumps(content, indent=1, allow_nan=False)
        write_output(arguments.json, (text + "\n").encode())
    return EXIT_OK
