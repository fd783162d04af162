"""`python -m engine train detail`: a detail model from folders of skin maps."""

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
from .outputs import check_pack_output, pack_id, report_path, work_path, write_json
from .train_options import add_length, add_machine, add_origin, check_options

if TYPE_CHECKING:
    from ..protocol.albedo_pack import AlbedoPack
    from ..train.detail.objective import Perceptual
    from ..train.detail.run import TrainedDetail
    from ..train.detail.samples import DetailSamples
    from ..train.detail.settings import DetailTrainSettings
    from ..train.gradient.distributed import World
    from ..train.gradient.settings import LoopSettings

PACK_VERSION = "1.0.0"
SHOWN_FILES = 20
HOUR = 3600.0

_DESCRIPTION = """\
A variational auto-encoder of detail maps: V (of HSV) of a skin map minus V of its coarse albedo,
512 x 512, written as a detail pack. Maps as for `train albedo`, of 512 texels a side and more.

The last 2 % of the maps are held out; figures, curves (curves.csv, curves.png) and sample sheets
appear in PACK.work while it trains, the last of them beside the pack. A run that was stopped goes
on where it was when the same command is given again; --steps and --hours may be changed then.
Several GPUs: torchrun --nproc-per-node 4 -m engine train detail ...
"""


def register_detail(actions: argparse._SubParsersAction) -> None:
    """Add the action to those of `train`."""
    parser = actions.add_parser(
        "detail",
        help="a detail model from skin maps",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        "--maps",
        type=Path,
        required=True,
        action="append",
        metavar="DIR",
        help="folder of maps; may be given several times",
    )
    add("--out", type=Path, required=True, metavar="PACK", help="folder of the pack to write")
    add("--albedo", default="default", metavar="PACK", help="of the coarse albedo (%(default)s)")
    add("--recipe", choices=("cpu", "gpu"), default="cpu", help="sizes and times (%(default)s)")
    add_length(parser, "crops")
    add("--crop", type=int, metavar="S", help="side of the crops (of the recipe)")
    add("--rate", type=float, metavar="R", help="highest learning rate (of the recipe)")
    add_machine(parser)
    add("--lpips", type=Path, metavar="FILE", help="LPIPS weights (safetensors), none ship")
    add_origin(parser)
    parser.set_defaults(run=run_detail)


def run_detail(arguments: argparse.Namespace) -> int:
    """Train and write; the folder of the pack goes to standard output."""
    out = arguments.out.absolute()
    check_pack_output(out)
    check_options(arguments)
    token = CancelToken()
    with interrupt_cancels(token):
        _run(arguments, out, token)
    return EXIT_OK


def _run(arguments: argparse.Namespace, out: Path, token: CancelToken) -> None:
    import cv2
    import torch

    from ..packs.registry import find_pack
    from ..pool import core_count
    from ..protocol.albedo_pack import read_albedo_pack
    from ..train.gradient.distributed import join_world

    arguments.threads = arguments.threads or core_count()
    torch.set_num_threads(arguments.threads)
    cv2.setNumThreads(1)
    albedo = read_albedo_pack(find_pack(arguments.albedo))
    with join_world(arguments.device) as world:
        settings, loop = settings_of(arguments, world.device.type)
        work = work_path(out)
        work.mkdir(exist_ok=True)
        perceptual = _perceptual(arguments.lpips, world)
        samples, key = _samples(arguments, albedo, settings, work, world, token)
        trained = _train(samples, key, settings, loop, perceptual, world, work, token)
        if world.first:
            _write(arguments, out, trained, albedo, settings, loop, world)
        world.wait()


def settings_of(
    arguments: argparse.Namespace, device: str
) -> "tuple[DetailTrainSettings, LoopSettings]":
    """The recipe with what the options change. Raises EngineError(BAD_SETTINGS)."""
    from ..train.detail.objective import ObjectiveSettings
    from ..train.detail.settings import RECIPES, DetailTrainSettings
    from ..train.gradient.precision import choose_precision
    from ..train.gradient.settings import LoopSettings

    recipe = RECIPES[arguments.recipe]
    settings = DetailTrainSettings(
        crop=arguments.crop or recipe.crop,
        batch=arguments.batch or recipe.batch,
        learning_rate=arguments.rate or recipe.learning_rate,
        critic_rate=(arguments.rate or recipe.learning_rate) / 2.0,
        widths=recipe.widths,
        blocks=recipe.blocks,
        seed=arguments.seed,
        perceptual="pack" if arguments.lpips is None else "lpips",
        objective=ObjectiveSettings(critic_start=recipe.critic_start),
    )
    loop = LoopSettings(
        steps=arguments.steps or recipe.steps,
        seconds=(arguments.hours or 0.0) * HOUR,
        seed=arguments.seed,
        precision=choose_precision(arguments.precision or recipe.precision, device),
        threads=1 if device == "cpu" else arguments.threads,
    )
    return settings, loop


def _perceptual(lpips: Path | None, world: "World") -> "Perceptual":
    from ..nets.bundle import load_nets
    from ..packs.registry import find_pack
    from ..train.detail.lpips import read_lpips
    from ..train.detail.perceptual import PackDistance

    if lpips is not None:
        return read_lpips(lpips).to(world.device)
    return PackDistance(load_nets(find_pack()).identity).to(world.device)


def _samples(
    arguments: argparse.Namespace,
    albedo: "AlbedoPack",
    settings: "DetailTrainSettings",
    work: Path,
    world: "World",
    token: CancelToken,
) -> "tuple[DetailSamples, str]":
    from ..train.detail.run import prepare_samples
    from ..train.maps import list_maps

    files = [file for folder in arguments.maps for file in list_maps(folder)][: arguments.limit]
    reporter = CountingReporter(sys.stderr, token, "maps")
    check = not arguments.any_layout
    try:
        return prepare_samples(
            work, files, albedo, settings, arguments.threads, check, world, reporter
        )
    finally:
        reporter.close()


def _train(
    samples: "DetailSamples",
    key: str,
    settings: "DetailTrainSettings",
    loop: "LoopSettings",
    perceptual: "Perceptual",
    world: "World",
    work: Path,
    token: CancelToken,
) -> "TrainedDetail":
    from ..train.detail.run import train_detail

    counting = CountingReporter(sys.stderr, token, "steps")
    reporter: Reporter = counting if world.first else NullReporter(token)
    try:
        return train_detail(
            samples, key, settings, loop, perceptual, world, work, reporter, counting.note
        )
    finally:
        counting.close()


def _write(
    arguments: argparse.Namespace,
    out: Path,
    trained: "TrainedDetail",
    albedo: "AlbedoPack",
    settings: "DetailTrainSettings",
    loop: "LoopSettings",
    world: "World",
) -> None:
    from ..evaluate.machine import this_machine
    from ..packs.detail import write_detail_pack
    from ..protocol.pack_manifest import PackPart
    from ..train.detail.run import recipe_text, report_of
    from ..train.gradient.distributed import device_name

    recipe = recipe_text(trained, settings, loop, device_name(world.device))
    part = PackPart("detail", recipe, arguments.licence, arguments.origin, "")
    write_detail_pack(out, trained.model, pack_id(out, "detail"), PACK_VERSION, (part,), recipe)
    machine = asdict(this_machine())
    facts = report_of(trained, arguments.maps, albedo, settings, loop, world, machine)
    write_json(report_path(out), facts)
    _copy_pictures(out)
    left_out = trained.samples.left_out
    for file, reason in left_out[:SHOWN_FILES]:
        print(f"Left out: {file}: {reason}", file=sys.stderr)
    if len(left_out) > SHOWN_FILES:
        more = len(left_out) - SHOWN_FILES
        print(f"Left out: {more} more, named in {report_path(out)}", file=sys.stderr)
    least, most = trained.samples.extremes
    print(f"Detail from {least:.3f} to {most:.3f}, not clipped.", file=sys.stderr)
    print(f"{recipe}; {duration(trained.seconds)}", file=sys.stderr)
    print(f"{work_path(out)} is kept: with more --steps the training goes on.", file=sys.stderr)
    print(out)


def _copy_pictures(out: Path) -> None:
    """The last sheet and the curves go beside the pack."""
    work = work_path(out)
    sheets = sorted(work.glob("sheet_*.png"))
    found = {"sheet.png": sheets[-1] if sheets else None, "curves.png": work / "curves.png"}
    for name, source in found.items():
        if source is not None and source.is_file():
            shutil.copyfile(source, out.with_name(f"{out.name}.{name}"))


def _bad(message: str) -> EngineError:
    return EngineError(ErrorCode.BAD_SETTINGS, message)
