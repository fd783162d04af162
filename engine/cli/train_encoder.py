"""`python -m engine train encoder`: a coarse encoder for an albedo model."""

import argparse
import shutil
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..protocol.errors import EXIT_OK, EngineError, ErrorCode
from ..reporter import CancelToken, NullReporter, Reporter
from .counting import CountingReporter, duration
from .interrupt import interrupt_cancels
from .outputs import check_at_least, check_pack_output, pack_id, report_path, work_path, write_json
from .train_options import add_length, add_machine, add_origin, check_options

if TYPE_CHECKING:
    from ..protocol.albedo_pack import AlbedoPack
    from ..train.encoder.run import TrainedEncoder
    from ..train.encoder.samples import MapSet
    from ..train.encoder.task import EncoderPlan
    from ..train.gradient.distributed import World
    from ..train.gradient.settings import LoopSettings

INPUTS = (64, 128, 224, 256)
PACK_VERSION = "1.0.0"
SHOWN_FILES = 20
HOUR = 3600.0


@dataclass(frozen=True)
class Recipe:
    """input: side of what the network sees. steps, batch: on each process."""

    input: int
    batch: int
    steps: int
    precision: str


RECIPES = {
    # Two cores, under 2.5 hours: about two looks at each of 20,000 maps.
    "cpu": Recipe(128, 16, 2400, "float32"),
    # The paper's input; about 50 looks at each of 20,000 maps, as many as in the paper.
    "gpu": Recipe(224, 32, 32000, "auto"),
}

_DESCRIPTION = """\
A ResNet-50 that looks at a skin map and says its albedo coefficients, trained with the components
of an albedo pack as fixed decoder (UVAPM). Maps as for `train albedo`, of the albedo model's size
and more. It is not needed for a fit: the exact projection of a map is better and takes no time.
It is for research, and for guessing the rest of maps with holes, with which it is trained too.

The pack holds the encoder and the albedo model. Figures, curves (curves.csv, curves.png) and
sheets (map, with holes, projection, encoder, encoder from holes) appear in PACK.work while it
trains, the last of them beside the pack. At the end it is measured on the maps held back, beside
the exact projection. A run that was stopped goes on where it was when the same command is given
again; --steps and --hours may be changed then.
Several GPUs: torchrun --nproc-per-node 4 -m engine train encoder ...
"""


def register_encoder(actions: argparse._SubParsersAction) -> None:
    """Add the action to those of `train`."""
    parser = actions.add_parser(
        "encoder",
        help="a coarse encoder for an albedo model",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--maps", type=Path, required=True, metavar="DIR", help="folder of maps")
    add("--out", type=Path, required=True, metavar="PACK", help="folder of the pack to write")
    add("--albedo", default="default", metavar="PACK", help="whose model decodes (%(default)s)")
    add("--recipe", choices=tuple(RECIPES), default="cpu", help="sizes and times (%(default)s)")
    add("--input", type=int, choices=INPUTS, help="side of what it sees (of the recipe)")
    add_length(parser, "maps")
    add("--rate", type=float, metavar="R", help="highest learning rate (0.001)")
    add("--pull", type=float, metavar="P", help="weight of the coefficients in the loss (1)")
    add(
        "--weights",
        choices=("uniform", "face"),
        default="face",
        help="of texels in the loss: all alike, or the face ten times the rest (%(default)s)",
    )
    add(
        "--start-weights",
        type=Path,
        metavar="FILE",
        help="ResNet-50 to begin from: safetensors with torchvision's names, none ship",
    )
    add("--held", type=int, metavar="N", help="maps held back for the figures (200)")
    add_machine(parser)
    add_origin(parser)
    parser.set_defaults(run=run_encoder)


def run_encoder(arguments: argparse.Namespace) -> int:
    """Train, write and measure; the folder of the pack goes to standard output."""
    out = arguments.out.absolute()
    check_pack_output(out)
    check_options(arguments)
    check_at_least(1, held=arguments.held)
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
    from ..train.encoder.run import prepare_maps
    from ..train.gradient.distributed import join_world

    arguments.threads = arguments.threads or core_count()
    torch.set_num_threads(arguments.threads)
    cv2.setNumThreads(1)
    albedo = read_albedo_pack(find_pack(arguments.albedo))
    plan = plan_of(arguments, albedo)
    with join_world(arguments.device) as world:
        loop = loop_of(arguments, world.device.type)
        work = work_path(out)
        work.mkdir(exist_ok=True)
        reporter, done = _reporter(world, token, "maps")
        check = not arguments.any_layout
        try:
            maps = prepare_maps(
                arguments.maps, albedo, work, arguments.limit, check, world, reporter
            )
        finally:
            done.close()
        trained = _train(plan, albedo, maps, loop, world, work, token)
        if world.first:
            _write(arguments, out, trained, plan, loop, world, albedo)
            _measure(out, trained, arguments.maps, token)
        world.wait()
        if world.first:
            print(out)


def plan_of(arguments: argparse.Namespace, albedo: "AlbedoPack") -> "EncoderPlan":
    """What is trained. Raises EngineError: BAD_SETTINGS, BAD_INPUT for missing start weights."""
    from ..protocol.pack_manifest import file_sha256
    from ..train.encoder.settings import RESNET_50, AugmentSettings, EncoderSettings
    from ..train.encoder.task import EncoderPlan

    recipe, usual = RECIPES[arguments.recipe], EncoderSettings()

    def chosen(value: float | None, otherwise: float) -> float:
        return otherwise if value is None else value

    settings = EncoderSettings(
        batch=arguments.batch or recipe.batch,
        learning_rate=chosen(arguments.rate, usual.learning_rate),
        weights=arguments.weights,
        pull=chosen(arguments.pull, usual.pull),
        held=arguments.held or usual.held,
    )
    start: Path | None = arguments.start_weights
    if start is not None and not start.is_file():
        raise EngineError(
            ErrorCode.BAD_INPUT, f"There is no file {start}.", "Name the file of start weights."
        )
    return EncoderPlan(
        info=replace(RESNET_50, input=arguments.input or recipe.input),
        settings=settings,
        augment=AugmentSettings(),
        seed=arguments.seed,
        albedo=albedo.model_sha,
        start=start,
        start_sha=file_sha256(start, start.name) if start else "",
    )


def loop_of(arguments: argparse.Namespace, device: str) -> "LoopSettings":
    """How long, how fast and how often. Raises EngineError(BAD_SETTINGS)."""
    from ..train.gradient.precision import choose_precision
    from ..train.gradient.settings import LoopSettings

    recipe = RECIPES[arguments.recipe]
    return LoopSettings(
        steps=arguments.steps or recipe.steps,
        seconds=(arguments.hours or 0.0) * HOUR,
        seed=arguments.seed,
        checkpoint_seconds=300.0,  # one is 400 MB
        precision=choose_precision(arguments.precision or recipe.precision, device),
        threads=1 if device == "cpu" else arguments.threads,
    )


def _reporter(world: "World", token: CancelToken, things: str) -> tuple[Reporter, CountingReporter]:
    """What the work reports to, silent but on the first process, and what to close after it."""
    counting = CountingReporter(sys.stderr, token, things)
    return (counting if world.first else NullReporter(token)), counting


def _train(
    plan: "EncoderPlan",
    albedo: "AlbedoPack",
    maps: "MapSet",
    loop: "LoopSettings",
    world: "World",
    work: Path,
    token: CancelToken,
) -> "TrainedEncoder":
    from ..train.encoder.run import train_encoder

    reporter, done = _reporter(world, token, "steps")
    try:
        return train_encoder(plan, albedo, maps, loop, world, work, reporter, done.note)
    finally:
        done.close()


def _write(
    arguments: argparse.Namespace,
    out: Path,
    trained: "TrainedEncoder",
    plan: "EncoderPlan",
    loop: "LoopSettings",
    world: "World",
    albedo: "AlbedoPack",
) -> None:
    from ..evaluate.machine import this_machine
    from ..packs.encoder import write_encoder_pack
    from ..protocol.pack_manifest import PackPart
    from ..train.encoder.run import recipe_text, report_of
    from ..train.gradient.distributed import device_name

    recipe = recipe_text(trained, plan, loop, albedo, device_name(world.device))
    part = PackPart("encoder", recipe, arguments.licence, arguments.origin, "")
    parts = (*(p for p in albedo.manifest.parts if p.name == "albedo"), part)
    identifier = pack_id(out, "encoder")
    write_encoder_pack(
        out, trained.net, plan.info, albedo.model, identifier, PACK_VERSION, parts, recipe
    )
    machine = asdict(this_machine())
    write_json(report_path(out), report_of(trained, arguments.maps, plan, loop, world, machine))
    work = work_path(out)
    sheets = sorted(work.glob("sheet_*.png"))
    for name, source in (("sheet.png", sheets[-1:]), ("curves.png", [work / "curves.png"])):
        if source and source[0].is_file():
            shutil.copyfile(source[0], out.with_name(f"{out.name}.{name}"))
    _say(trained, recipe, out)


def _say(trained: "TrainedEncoder", recipe: str, out: Path) -> None:
    left_out = trained.maps.left_out
    for item in left_out[:SHOWN_FILES]:
        print(f"Left out: {item.file}: {item.reason}", file=sys.stderr)
    if len(left_out) > SHOWN_FILES:
        more = len(left_out) - SHOWN_FILES
        print(f"Left out: {more} more, named in {report_path(out)}", file=sys.stderr)
    print(f"{recipe}; {duration(trained.seconds)}", file=sys.stderr)
    print(f"{work_path(out)} is kept: with more --steps the training goes on.", file=sys.stderr)


def _measure(out: Path, trained: "TrainedEncoder", maps: Path, token: CancelToken) -> None:
    """The maps held back; to standard error, as the folder is all that goes to standard output."""
    from ..evaluate.encoder import evaluate_encoder, table_lines
    from ..protocol.encoder_pack import read_encoder_pack

    paths = [(path, path.relative_to(maps).as_posix()) for path in trained.held]
    reporter = CountingReporter(sys.stderr, token, "maps measured")
    try:
        outcome = evaluate_encoder(read_encoder_pack(out), paths, reporter)
    finally:
        reporter.close()
    print("\n".join(table_lines(outcome)), file=sys.stderr)
