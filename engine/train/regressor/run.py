"""The whole training of a regressor: samples, steps, the net as it ships, its figures."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from ...fit.shape.landmark_basis import LandmarkBasis, landmark_basis
from ...nets.regressor import Regressor, RegressorNet
from ...protocol.headpack import HeadPack
from ...reporter import Reporter
from ..gradient.distributed import World
from ..gradient.loop import train
from ..gradient.settings import LoopSettings
from .data import RegressorData, prepare_data
from .samples import SampleSet, SampleSource, key_of, make_samples, open_samples
from .settings import RegressorSettings
from .task import RegressorTask

SAMPLES = "samples"
SCHEMA = 1


@dataclass(frozen=True, eq=False)
class TrainedRegressor:
    """regressor: weights rounded to half floats. figures: of the held-out samples. steps, seconds:
    of all runs. photos: samples that show a face; held: of them not trained on."""

    regressor: Regressor
    figures: Mapping[str, float]
    photos: int
    held: int
    steps: int
    seconds: float


def prepare_samples(
    work: Path,
    source: SampleSource,
    head: HeadPack,
    settings: RegressorSettings,
    workers: int,
    world: World,
    report: Reporter,
) -> SampleSet:
    """The samples in `work`; the first process makes them, the others wait."""
    folder = work / SAMPLES
    if world.first:
        report.stage("random photos", 0, 2)
        make_samples(folder, source, settings.samples, workers, report.progress)
    world.wait()
    return open_samples(folder, len(head.identity), len(head.expression), settings.samples)


def train_regressor(
    samples: SampleSet,
    source: SampleSource,
    head: HeadPack,
    settings: RegressorSettings,
    loop: LoopSettings,
    world: World,
    work: Path,
    report: Reporter,
    note: Callable[[str], None],
) -> TrainedRegressor:
    """Train in the folder `work`, or go on there. Raises what `gradient.loop.train` raises."""
    basis = landmark_basis(head, head.landmarks468)
    data: RegressorData = prepare_data(samples, basis, settings.net)
    key = key_of(source, head.sha)
    task = RegressorTask(data, key, basis, settings, loop.seed, world.device)
    report.stage("training", 1, 2)
    state = train(task, loop, world, work, report, note)
    net = as_shipped(state.averaged)

    def tick() -> None:
        report.progress(state.step, state.step)

    figures = task.examine(net, state.step, tick).figures
    shipped = regressor_of(net.cpu(), basis)
    return TrainedRegressor(
        shipped, figures, len(data.rows), len(task.held), state.step, state.elapsed
    )


def as_shipped(averaged: torch.nn.Module) -> RegressorNet:
    """A copy with weights rounded to half floats, as the file stores them."""
    net = copy.deepcopy(averaged)
    assert isinstance(net, RegressorNet)
    with torch.no_grad():
        for tensor in net.state_dict().values():
            tensor.copy_(tensor.half().float())
    return net.eval().requires_grad_(False)


def regressor_of(net: RegressorNet, basis: LandmarkBasis) -> Regressor:
    """The net with what it knows of the head."""
    return Regressor(net, basis.mean, basis.weight, basis.identity[: net.info.identity])


def recipe_text(
    trained: TrainedRegressor, settings: RegressorSettings, loop: LoopSettings, device: str
) -> str:
    """How the regressor was made, in one sentence."""
    return (
        f"{trained.photos - trained.held} random photos of the head, {trained.steps} steps of "
        f"{settings.batch} in {loop.precision} on {device}, seed {loop.seed}; shape of "
        f"{trained.held} held-out photos off by {trained.figures['held_shape_mm']:.2f} mm "
        f"(mean head {trained.figures['held_shape_mean_mm']:.2f})"
    )


def report_of(
    trained: TrainedRegressor,
    source: SampleSource,
    head: HeadPack,
    settings: RegressorSettings,
    loop: LoopSettings,
    world: World,
    machine: Mapping[str, object],
) -> dict[str, object]:
    """All facts of a training as plain JSON types."""
    return {
        "schema": SCHEMA,
        "kind": "regressor",
        "head_pack": {"id": head.id, "version": head.version, "sha": head.sha},
        "skins": len(source.skins),
        "photos": trained.photos,
        "held_out": trained.held,
        "figures": dict(trained.figures),
        "steps": trained.steps,
        "seconds": round(trained.seconds, 1),
        "settings": asdict(settings),
        "loop": asdict(loop),
        "processes": world.size,
        "machine": dict(machine),
    }
