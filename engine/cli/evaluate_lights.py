"""`python -m engine evaluate lights`: a known head fitted in five lights."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from ..protocol.errors import EXIT_OK
from .outputs import check_at_least, check_output, write_output

if TYPE_CHECKING:
    import numpy as np

    from ..evaluate.lights import KnownHead
    from ..fit.loaded import LoadedPack

SKIN_SEED = 4711
"""Of the skins that are generated for this; nothing is trained on that set."""
TILE = 320
"""Pixels of a tile in the picture."""


def add_lights(what: argparse._SubParsersAction) -> None:
    """Add the sub-command."""
    parser = what.add_parser(
        "lights",
        help="render a known head in five lights, fit each picture; print how far the details "
        "agree",
        description="Render a known head in five lights, fit each picture, and print how far "
        "the detail maps and the photo layers agree. The less they do, the more light is in them.",
    )
    parser.add_argument("--pack", default="default", help="head pack (%(default)s)")
    parser.add_argument("--detail", metavar="PACK", help="detail pack to use (the head pack's own)")
    parser.add_argument("--map", type=Path, metavar="FILE", help="skin map that the head wears")
    parser.add_argument(
        "--person", type=int, default=0, metavar="N", help="else generated skin N (%(default)s)"
    )
    parser.add_argument(
        "--identity", type=int, metavar="SEED", help="a random head instead of the mean head"
    )
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--picture", type=Path, help="write pictures and maps here (PNG)")
    parser.set_defaults(run=run_lights)


def run_lights(arguments: argparse.Namespace) -> int:
    """Evaluate, print and write. Returns the exit code."""
    from ..evaluate.lights import fit_lights
    from ..evaluate.lights_report import outcome_json, picture_rows, table_lines
    from ..evaluate.machine import this_machine
    from ..fit.pipeline import Session
    from ..render.threads import choose_threads
    from ..reporter import CancelToken, ConsoleReporter
    from ..result.pictures import contact_sheet
    from ..result.write import png_bytes

    for path in (arguments.json, arguments.picture):
        check_output(path)
    check_at_least(0, person=arguments.person, identity=arguments.identity)
    choose_threads()
    session = Session()
    loaded = session.pack(arguments.pack, detail=arguments.detail)
    reporter = ConsoleReporter(sys.stderr, CancelToken())
    try:
        reporter.stage("lights", 0, 1)
        outcome = fit_lights(_head(arguments, loaded), loaded, session.settings, reporter)
    finally:
        reporter.close()
    print("\n".join(table_lines(outcome)))
    if arguments.picture:
        picture = contact_sheet(picture_rows(outcome), TILE)
        write_output(arguments.picture, png_bytes(picture))
    if arguments.json:
        settings = {
            "pack": loaded.head.id,
            "detail": arguments.detail,
            "map": None if arguments.map is None else str(arguments.map),
            "person": arguments.person,
            "identity": arguments.identity,
        }
        content = {
            **outcome_json(outcome),
            "machine": asdict(this_machine()),
            "settings": settings,
        }
        text = json.dumps(content, indent=1, allow_nan=False)
        write_output(arguments.json, (text + "\n").encode())
    return EXIT_OK


def _head(arguments: argparse.Namespace, loaded: "LoadedPack") -> "KnownHead":
    import numpy as np
    import torch

    from ..evaluate.lights import KnownHead
    from ..evaluate.skin_sheet import random_head

    vertices = torch.from_numpy(loaded.head.mean)
    if arguments.identity is not None:
        vertices = random_head(loaded, np.random.default_rng(arguments.identity))
    return KnownHead(vertices, _skin(arguments))


def _skin(arguments: argparse.Namespace) -> "np.ndarray":
    from ..evaluate.lights import TEXTURE_SIZE
    from ..skin.dataset import skin_of
    from ..train.maps import read_map

    if arguments.map is not None:
        return read_map(arguments.map, TEXTURE_SIZE).unit()
    return skin_of(SKIN_SEED, arguments.person, TEXTURE_SIZE)[1]
