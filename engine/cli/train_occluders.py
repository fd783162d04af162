"""`python -m engine train occluders`: the net that tells skin from what covers it."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..protocol.errors import EXIT_OK, EngineError, ErrorCode
from ..reporter import CancelToken, NullReporter, Reporter
from .counting import CountingReporter
from .interrupt import interrupt_cancels
from .outputs import check_at_least, work_path
from .train_options import add_length

if TYPE_CHECKING:
    from ..train.gradient.settings import LoopSettings

STEPS = 6000
HOUR = 3600.0
FILE = "occluders.safetensors"

_DESCRIPTION = """\
A small U-net that looks at a photo in the skin's layout, beside the albedo that was fitted to it,
and marks hair, glasses, hands, hats and other things. It learns from looks that this command makes
up: skins of a folder with occluders drawn over them, in missed light, from random views.

OUT/occluders.safetensors is the net: in place of engine/nets/data/occluders.safetensors every fit
uses it. Curves, sheets and checkpoints lie in OUT.work; a run that was stopped goes on where it was
when the same command is given again.
"""


def register_occluders(actions: argparse._SubParsersAction) -> None:
    """Add the action to those of `train`."""
    from ..protocol.job import DEVICES

    parser = actions.add_parser(
        "occluders",
        help="the net that tells skin from what covers it",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--skins", type=Path, required=True, metavar="DIR", help="folder of skin maps")
    add("--out", type=Path, required=True, metavar="OUT", help="folder to write")
    add("--pack", default="default", metavar="PACK", help="whose head and albedo (%(default)s)")
    add_length(parser, "looks")
    add("--threads", type=int, default=1, metavar="T", help="that make looks (%(default)s)")
    add("--seed", type=int, default=0, help="of everything random (%(default)s)")
    add("--device", choices=DEVICES, default="auto", help="(%(default)s)")
    parser.set_defaults(run=run_occluders)


def run_occluders(arguments: argparse.Namespace) -> int:
    """Train and write; the file goes to standard output."""
    check_at_least(1, steps=arguments.steps, batch=arguments.batch, threads=arguments.threads)
    out = arguments.out.absolute()
    if not out.parent.is_dir():
        raise EngineError(ErrorCode.BAD_OUTPUT, f"The folder {out.parent} does not exist.")
    token = CancelToken()
    with interrupt_cancels(token):
        _run(arguments, out, token)
    return EXIT_OK


def _loop(arguments: argparse.Namespace) -> "LoopSettings":
    from ..train.gradient.settings import LoopSettings

    loop = LoopSettings(
        steps=arguments.steps or STEPS, seed=arguments.seed, threads=arguments.threads
    )
    return loop if arguments.hours is None else replace(loop, seconds=arguments.hours * HOUR)


def _run(arguments: argparse.Namespace, out: Path, token: CancelToken) -> None:
    from ..packs.registry import find_pack
    from ..protocol.headpack import read_pack
    from ..train.gradient.distributed import join_world
    from ..train.maps import list_maps
    from ..train.occluders.layout import Skins, build_layout
    from ..train.occluders.run import train_occluders, write_net
    from ..train.occluders.task import OccluderTraining

    pack = read_pack(find_pack(arguments.pack))
    if pack.albedo is None:
        raise EngineError(ErrorCode.PACK_INVALID, f"{arguments.pack} has no albedo model.")
    skins = Skins(list_maps(arguments.skins), build_layout(pack.head, pack.albedo))
    settings = OccluderTraining(seed=arguments.seed)
    if arguments.batch:
        settings = replace(settings, batch=arguments.batch)
    with join_world(arguments.device) as world:
        work = work_path(out)
        work.mkdir(exist_ok=True)
        counting = CountingReporter(sys.stderr, token, "steps")
        reporter: Reporter = counting if world.first else NullReporter(token)
        try:
            net = train_occluders(
                skins, settings, _loop(arguments), world, work, reporter, counting.note
            )
        finally:
            counting.close()
        if world.first:
            out.mkdir(exist_ok=True)
            write_net(out / FILE, net)
            print(out / FILE)
        world.wait()
