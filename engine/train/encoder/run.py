"""The whole training of a coarse encoder: maps, steps, the weights that a pack holds."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from ...nets.coarse_encoder import CoarseEncoder, plain_weights
from ...protocol.albedo_pack import AlbedoPack
from ...reporter import Reporter
from ..gradient.distributed import World
from ..gradient.loop import train
from ..gradient.settings import LoopSettings
from .samples import MapSet, open_maps, split_rows
from .task import EncoderPlan, EncoderTask

MAPS = "maps"
"""The cache of the maps, in the work folder."""
SCHEMA = 1


@dataclass(frozen=True, eq=False)
class TrainedEncoder:
    """net: weights by name, float32. maps: all that were read; held: the files not trained on.
    steps, seconds: of all runs."""

    net: Mapping[str, np.ndarray]
    maps: MapSet
    held: tuple[Path, ...]
    steps: int
    seconds: float


def prepare_maps(
    folder: Path,
    albedo: AlbedoPack,
    work: Path,
    limit: int | None,
    check_layout: bool,
    world: World,
    report: Reporter,
) -> MapSet:
    """The maps of a folder, read into `work`; of several processes one after the other."""
    found = None
    for rank in range(world.size):
        if rank == world.rank:
            valid = albedo.model.valid
            found = open_maps(folder, valid, work / MAPS, limit, check_layout, report)
        world.wait()
    assert found is not None  # every rank has had its turn
    return found


def train_encoder(
    plan: EncoderPlan,
    albedo: AlbedoPack,
    maps: MapSet,
    loop: LoopSettings,
    world: World,
    work: Path,
    report: Reporter,
    note: Callable[[str], None],
) -> TrainedEncoder:
    """Train in the folder `work`, or go on there. The weights are the averaged ones.

    Raises what `EncoderTask` and `gradient.loop.train` raise.
    """
    task = EncoderTask(plan, albedo.model, maps, world.device, world.size)
    report.stage("training", 1, 2)
    state = train(task, loop, world, work, report, note)
    assert isinstance(state.averaged, CoarseEncoder)
    held = split_rows(len(maps.files), plan.settings.held)[1]
    files = tuple(maps.files[row] for row in held)
    return TrainedEncoder(plain_weights(state.averaged), maps, files, state.step, state.elapsed)


def recipe_text(
    trained: TrainedEncoder, plan: EncoderPlan, loop: LoopSettings, albedo: AlbedoPack, device: str
) -> str:
    """How the encoder was made, in one sentence."""
    network = "ResNet-50" if plan.info.blocks == (3, 4, 6, 3) else "residual network"
    start = "start weights of the user" if plan.start else "random start"
    return (
        f"{network} at {plan.info.input} x {plan.info.input} from {start}, decoded by the albedo "
        f"model of {albedo.manifest.id}, {len(trained.maps.files) - len(trained.held)} skin maps, "
        f"{trained.steps} steps of {plan.settings.batch} in {loop.precision} on {device}, "
        f"seed {plan.seed}"
    )


def report_of(
    trained: TrainedEncoder,
    folder: Path,
    plan: EncoderPlan,
    loop: LoopSettings,
    world: World,
    machine: Mapping[str, object],
) -> dict[str, object]:
    """All facts of a training as plain JSON types. folder: of the maps, as given."""
    return {
        "schema": SCHEMA,
        "maps": str(folder),
        "count": len(trained.maps.files),
        "held": [file.as_posix() for file in trained.held],
        "left_out": [
            {"file": item.file.as_posix(), "reason": item.reason} for item in trained.maps.left_out
        ],
        "network": asdict(plan.info),
        "settings": asdict(plan.settings),
        "augmentation": asdict(plan.augment),
        "albedo_pack": plan.albedo,
        "start_weights": plan.start_sha,
        "loop": asdict(loop),
        "steps": trained.steps,
        "processes": world.size,
        "seconds": round(trained.seconds, 1),
        "machine": dict(machine),
    }
