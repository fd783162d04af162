"""`python -m engine evaluate uv`: how well albedo and detail models carry a folder of skin maps."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from ..protocol.errors import EXIT_OK
from .evaluate_inputs import named_maps, need_detail, read_detail
from .outputs import check_at_least, check_output, write_output

if TYPE_CHECKING:
    from ..evaluate.uv import PackOutcome
    from ..evaluate.uv_features import FeatureNet
    from ..evaluate.uv_variants import Variant
    from ..reporter import Reporter

SHEET_MAPS = 16
TILE = 320
"""Pixels of a tile in both pictures."""


def add_uv(what: argparse._SubParsersAction) -> None:
    """Add the sub-command."""
    parser = what.add_parser(
        "uv",
        help="project skin maps onto albedo models; print MSE, PSNR, SSIM and skin tone",
        description="Project skin maps in the FFHQ-UV layout onto albedo models, encode the rest "
        "with the detail model where there is one, and measure what is lost, as table 2 of the "
        "UVAPM paper.",
    )
    parser.add_argument("--maps", type=Path, required=True, metavar="DIR", help="folder of maps")
    parser.add_argument(
        "--pack", nargs="+", default=["default"], help="packs by id or folder, a table for each"
    )
    parser.add_argument(
        "--detail",
        metavar="PACK",
        help="pack of the detail model, an id or a folder (each pack's own)",
    )
    parser.add_argument(
        "--refine",
        type=int,
        default=0,
        metavar="N",
        help="measure also what N gradient steps from the encoder's latent reach (%(default)s)",
    )
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N maps")
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--picture", type=Path, help="write the first pack's components here (PNG)")
    parser.add_argument(
        "--sheet",
        type=Path,
        help=f"write the errors of the first {SHEET_MAPS} maps on the first pack here (PNG)",
    )
    parser.add_argument(
        "--inception", type=Path, metavar="WEIGHTS", help="weights of the FID network, for the FID"
    )
    parser.set_defaults(run=run_uv)


def run_uv(arguments: argparse.Namespace) -> int:
    """Evaluate, print and write. Returns the exit code."""
    from ..evaluate.machine import describe, this_machine
    from ..evaluate.uv_features import identity_net, inception_net
    from ..evaluate.uv_report import legend_lines, overview_lines, pack_json, table_lines
    from ..packs.registry import find_pack
    from ..render.threads import choose_threads
    from ..reporter import CancelToken, ConsoleReporter

    for path in (arguments.json, arguments.picture, arguments.sheet):
        check_output(path)
    check_at_least(0, refine=arguments.refine)
    paths = named_maps(arguments.maps, arguments.limit)
    folders = [find_pack(name) for name in arguments.pack]
    choose_threads()
    nets = [net for net in [identity_net()] if net]
    if arguments.inception:
        nets.append(inception_net(arguments.inception))
    print(describe(this_machine()))
    reporter = ConsoleReporter(sys.stderr, CancelToken())
    found = []
    try:
        for index, folder in enumerate(folders):
            reporter.stage(f"{folder.name}, {len(paths)} maps", index, len(folders))
            wanted = SHEET_MAPS if arguments.sheet and index == 0 else 0
            outcome = _evaluate(arguments, folder, paths, nets, reporter, wanted)
            reporter.close()
            print("\n".join(table_lines(outcome, nets)), flush=True)
            if index == 0:
                _write_pictures(arguments, outcome)
            found.append(pack_json(outcome, nets))
            del outcome  # a model of 1024 holds over a gigabyte
    finally:
        reporter.close()
    if len(found) > 1:
        print("\n".join(overview_lines(found)))
    if not arguments.inception:
        print("FID: none, it needs --inception with the weights of pt_inception-2015-12-05.")
    print("\n".join(legend_lines(found)))
    if arguments.json:
        _write_json(arguments, found)
    return EXIT_OK


def _evaluate(
    arguments: argparse.Namespace,
    folder: Path,
    paths: list[tuple[Path, str]],
    nets: list["FeatureNet"],
    reporter: "Reporter",
    pictures: int,
) -> "PackOutcome":
    from ..evaluate.uv import Ways, evaluate_pack
    from ..evaluate.uv_variants import Coarse, Detailed
    from ..protocol.albedo_pack import read_albedo_pack

    read = need_detail if arguments.refine else read_detail
    detail = read(arguments.detail, folder)
    variants: list[Variant] = [Coarse()]
    if detail is not None:
        steps = [0] + [arguments.refine] * (arguments.refine > 0)
        variants += [Detailed(detail.net, count) for count in steps]
    name = detail.name if detail else ""
    return evaluate_pack(
        read_albedo_pack(folder), paths, Ways(variants, nets), reporter, pictures, name
    )


def _write_pictures(arguments: argparse.Namespace, outcome: "PackOutcome") -> None:
    from ..evaluate.uv_pictures import component_rows, error_rows
    from ..result.pictures import contact_sheet
    from ..result.write import png_bytes

    if arguments.picture:
        rows = component_rows(outcome.pack.model)
        write_output(arguments.picture, png_bytes(contact_sheet(rows, TILE)))
    if arguments.sheet:
        rows = error_rows(outcome.maps)
        write_output(arguments.sheet, png_bytes(contact_sheet(rows, TILE)))


def _write_json(arguments: argparse.Namespace, packs: list[dict[str, object]]) -> None:
    from ..evaluate.machine import this_machine
    from ..evaluate.uv_report import report_json

    settings: dict[str, object] = {
        "maps": str(arguments.maps),
        "packs": arguments.pack,
        "detail": arguments.detail,
        "refine": arguments.refine,
        "limit": arguments.limit,
        "inception": str(arguments.inception) if arguments.inception else None,
    }
    content = report_json(packs, asdict(this_machine()), settings)
    text = json.dumps(content, indent=1, allow_nan=False)
    write_output(arguments.json, (text + "\n").encode())
