"""`python -m engine train regressor`: a net that reads a head off a photo."""

import argparse
import shutil
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from ..protocol.errors import EXIT_OK, EngineError, ErrorCode
from ..reporter import CancelToken, NullReporter, Reporter
from .counting import CountingReporter, duration
from .interrupt import interrupt_cancels
from .outputs import check_at_least, report_path, work_path, write_json
from .train_options import PRECISIONS, add_length

if TYPE_CHECKING:
    from ..protocol.headpack import HeadPack
    from ..train.gradient.distributed import World
    from ..train.gradient.settings import LoopSettings
    from ..train.regressor.run import TrainedRegressor
    from ..train.regressor.samples import SampleSource
    from ..train.regressor.settings import RegressorSettings

RECIPE_NAMES = ("cpu", "gpu")
HOUR = 3600.0

_DESCRIPTION = """\
A small net that looks through the landmark net of a pack and tells identity, expression, pose,
light and better landmarks of a face, each with a standard deviation. It learns from random photos
that this command renders itself: heads of the pack with skins of a folder, in random light, with
hair, glasses, shadows and lens noise. The fit uses its file as a prior where that helps.

OUT/regressor.safetensors is the net (8 MB at most). The samples, curves and checkpoints lie in
OUT.work; a run that was stopped goes on where it was when the same command is given again. More
--samples than before are added to those that are there (the training then begins anew).
Look at the photos first: --sheet FILE writes some of them as a picture and trains nothing.
Several GPUs: torchrun --nproc-per-node 4 -m engine train regressor ...
"""


def register_regressor(actions: argparse._SubParsersAction) -> None:
    """Add the action to those of `train`."""
    from ..protocol.job import DEVICES

    parser = actions.add_parser(
        "regressor",
        help="a net that reads a head off a photo",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--skins", type=Path, required=True, metavar="DIR", help="folder of skin maps (*.png)")
    add("--out", type=Path, metavar="OUT", help="folder to write")
    add("--pack", default="default", metavar="PACK", help="whose head and nets (%(default)s)")
    add("--recipe", choices=RECIPE_NAMES, default="cpu", help="sizes and times (%(default)s)")
    add("--samples", type=int, metavar="N", help="random photos (of the recipe)")
    add_length(parser, "samples")
    add("--rate", type=float, metavar="R", help="highest learning rate (0.001)")
    add("--workers", type=int, metavar="W", help="processes that make photos (one a core)")
    add("--threads", type=int, default=1, metavar="T", help="of the training (%(default)s)")
    add("--seed", type=int, default=0, help="of everything random (%(default)s)")
    add("--device", choices=DEVICES, default="auto", help="(%(default)s)")
    add("--precision", choices=PRECISIONS, help="of the network (of the recipe)")
    add("--sheet", type=Path, metavar="FILE", help="write a picture of random photos instead")
    parser.set_defaults(run=run_regressor)


def run_regressor(arguments: argparse.Namespace) -> int:
    """Make samples, train and write; the folder goes to standard output."""
    check_at_least(
        1,
        samples=arguments.samples,
        steps=arguments.steps,
        batch=arguments.batch,
        workers=arguments.workers,
        threads=arguments.threads,
    )
    if arguments.sheet is None and arguments.out is None:
        raise EngineError(ErrorCode.BAD_SETTINGS, "Name a folder to write with --out.")
    token = CancelToken()
    with interrupt_cancels(token):
        if arguments.sheet is not None:
            _write_sheet(arguments, arguments.sheet)
        else:
            _run(arguments, arguments.out.absolute(), token)
    return EXIT_OK


def _source(arguments: argparse.Namespace) -> "tuple[SampleSource, HeadPack]":
    from ..packs.registry import find_pack
    from ..protocol.headpack import read_pack
    from ..train.regressor.samples import SampleSource, list_skins

    folder = find_pack(arguments.pack)
    skins = tuple(list_skins(arguments.skins))
    return SampleSource(folder, skins, arguments.seed), read_pack(folder).head


def _write_sheet(arguments: argparse.Namespace, path: Path) -> None:
    from ..train.gradient.loop import write_png
    from ..train.regressor.sheet import photo_sheet
    from ..train.regressor.stage import build_stage

    source, head = _source(arguments)
    write_png(path, photo_sheet(build_stage(head, source.skins), source.seed))
    print(path)


def _run(arguments: argparse.Namespace, out: Path, token: CancelToken) -> None:
    import torch

    from ..nets.regressor_file import REGRESSOR_FILE, write_regressor
    from ..pool import core_count
    from ..train.gradient.distributed import join_world
    from ..train.regressor.run import prepare_samples, train_regressor

    _check_out(out, REGRESSOR_FILE)
    torch.set_num_threads(arguments.threads)
    source, head = _source(arguments)
    with join_world(arguments.device) as world:
        settings, loop = settings_of(arguments, world.device.type)
        work = work_path(out)
        work.mkdir(exist_ok=True)
        workers = arguments.workers or core_count()
        counting = CountingReporter(sys.stderr, token, "photos")
        reporter: Reporter = counting if world.first else NullReporter(token)
        try:
            samples = prepare_samples(work, source, head, settings, workers, world, reporter)
        finally:
            counting.close()
        counting = CountingReporter(sys.stderr, token, "steps")
        reporter = counting if world.first else NullReporter(token)
        try:
            trained = train_regressor(
                samples, source, head, settings, loop, world, work, reporter, counting.note
            )
        finally:
            counting.close()
        if world.first:
            out.mkdir(exist_ok=True)
            write_regressor(out / REGRESSOR_FILE, trained.regressor)
            _report(out, trained, source, head, settings, loop, world)
            print(out)
        world.wait()


def _check_out(out: Path, file: str) -> None:
    known = not out.exists() or (out.is_dir() and all(p.name == file for p in out.iterdir()))
    if not known or not out.parent.is_dir():
        raise EngineError(
            ErrorCode.BAD_OUTPUT,
            f"{out} cannot be written: it holds something else, or its folder is missing.",
            "Name another folder with --out.",
        )


def settings_of(
    arguments: argparse.Namespace, device: str
) -> "tuple[RegressorSettings, LoopSettings]":
    """The recipe with what the options change. Raises EngineError(BAD_SETTINGS)."""
    from ..train.gradient.precision import choose_precision
    from ..train.gradient.settings import LoopSettings
    from ..train.regressor.settings import RECIPES, RegressorSettings

    recipe = RECIPES[arguments.recipe]
    settings = RegressorSettings(
        samples=arguments.samples or recipe.samples,
        batch=arguments.batch or recipe.batch,
        learning_rate=arguments.rate or RegressorSettings().learning_rate,
        net=recipe.info,
    )
    loop = LoopSettings(
        steps=arguments.steps or recipe.steps,
        seconds=(arguments.hours or 0.0) * HOUR,
        seed=arguments.seed,
        precision=choose_precision(arguments.precision or recipe.precision, device),
        threads=1 if device == "cpu" else arguments.threads,
    )
    return settings, loop


def _report(
    out: Path,
    trained: "TrainedRegressor",
    source: "SampleSource",
    head: "HeadPack",
    settings: "RegressorSettings",
    loop: "LoopSettings",
    world: "World",
) -> None:
    from ..evaluate.machine import this_machine
    from ..train.gradient.distributed import device_name
    from ..train.regressor.run import recipe_text, report_of

    machine = asdict(this_machine())
    facts = report_of(trained, source, head, settings, loop, world, machine)
    recipe = recipe_text(trained, settings, loop, device_name(world.device))
    write_json(report_path(out), {**facts, "recipe": recipe})
    curves = work_path(out) / "curves.png"
    if curves.is_file():
        shutil.copyfile(curves, out.with_name(f"{out.name}.curves.png"))
    for name, value in sorted(trained.figures.items()):
        print(f"{name:32} {value:.4f}", file=sys.stderr)
    print(f"{recipe}; {duration(trained.seconds)}", file=sys.stderr)
