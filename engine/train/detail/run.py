"""The whole training of a detail model: samples, steps, statistics of the latent, the model."""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from ...nets.detail_vae import DetailVae
from ...protocol.albedo_pack import AlbedoPack
from ...protocol.detail_pack import DetailModel
from ...reporter import Reporter
from ..gradient.checkpoint import check_fact
from ..gradient.distributed import World, device_name
from ..gradient.loop import CHECKPOINTS, train
from ..gradient.settings import LoopSettings
from .objective import Perceptual
from .samples import DetailSamples, build_samples, coarse_of, open_samples, samples_key
from .settings import DetailTrainSettings
from .statistics import LatentStatistics, encode_samples, latent_statistics
from .task import MAPS, DetailTask, detail_info

SAMPLES = "samples"
SCHEMA = 1


@dataclass(frozen=True, eq=False)
class TrainedDetail:
    """A model and how it came about. steps, seconds: of all runs. figures: of the held-out maps.
    explained: share of the latent's variance that the directions carry."""

    model: DetailModel
    samples: DetailSamples
    held_out: int
    steps: int
    seconds: float
    figures: Mapping[str, float]
    explained: float


def prepare_samples(
    work: Path,
    files: Sequence[Path],
    albedo: AlbedoPack,
    settings: DetailTrainSettings,
    threads: int,
    check: bool,
    world: World,
    report: Reporter,
) -> tuple[DetailSamples, str]:
    """The samples of map files and their key; the first process makes them, the others wait."""
    sha = albedo.model_sha
    key = samples_key(files, sha, settings.size, check)
    folder = work / SAMPLES
    check_fact(work / CHECKPOINTS, MAPS, key)  # or the samples would be replaced for nothing
    if world.first:
        report.stage("detail of the maps", 0, 3)
        coarse = coarse_of(albedo.model)
        build_samples(folder, files, coarse, sha, settings.size, threads, report, check)
    world.wait()
    return open_samples(folder, files, settings.size), key


def train_detail(
    samples: DetailSamples,
    key: str,
    settings: DetailTrainSettings,
    loop: LoopSettings,
    perceptual: Perceptual | None,
    world: World,
    work: Path,
    report: Reporter,
    note: Callable[[str], None],
) -> TrainedDetail:
    """Train in the folder `work`, or go on there; the statistics are of the averaged weights.

    Raises what `gradient.loop.train` raises.
    """
    task = DetailTask(samples, key, settings, perceptual, world.device)
    report.stage("training", 1, 3)
    state = train(task, loop, world, work, report, note)
    net = as_shipped(state.averaged)
    report.stage("statistics of the latent", 2, 3)
    step = -(-len(task.trained) // settings.encoded)
    rows = task.trained[::step] if len(task.trained) > 1 else range(len(samples))

    def tick(done: int = 0) -> None:
        report.progress(done, len(rows))

    figures = task.examine(net, state.step, tick).figures if world.first else {}
    latents, variance = encode_samples(net, samples, rows, tick)
    statistics = latent_statistics(latents, variance, settings.directions)
    model = detail_model(net, statistics, settings)
    return TrainedDetail(
        model,
        samples,
        len(task.held_out),
        state.step,
        state.elapsed,
        figures,
        statistics.explained,
    )


def as_shipped(averaged: torch.nn.Module) -> DetailVae:
    """A copy with weights rounded to half floats, as the pack stores them."""
    net = copy.deepcopy(averaged)
    assert isinstance(net, DetailVae)
    with torch.no_grad():
        for tensor in net.state_dict().values():
            tensor.copy_(tensor.half().float())
    return net


def detail_model(
    net: DetailVae, statistics: LatentStatistics, settings: DetailTrainSettings
) -> DetailModel:
    """What the pack holds."""
    weights = {
        name: tensor.detach().float().cpu().contiguous().numpy()
        for name, tensor in net.state_dict().items()
    }
    return DetailModel(
        info=detail_info(settings),
        net=weights,
        latent_mean=statistics.mean,
        latent_sigma=statistics.sigma,
        directions=statistics.directions,
        residual_sigma=statistics.residual_sigma,
    )


def recipe_text(
    trained: TrainedDetail, settings: DetailTrainSettings, loop: LoopSettings, device: str
) -> str:
    """How the model was made, in one sentence."""
    psnr = trained.figures.get(f"held_out_psnr_{settings.size}", float("nan"))
    return (
        f"VAE of {len(trained.samples) - trained.held_out} detail maps at {settings.size} x "
        f"{settings.size}, {trained.steps} steps of {settings.batch} crops of {settings.crop} in "
        f"{loop.precision} on {device}, seed {settings.seed}; V of {trained.held_out} held-out "
        f"maps at {psnr:.2f} dB"
    )


def report_of(
    trained: TrainedDetail,
    maps: Sequence[Path],
    albedo: AlbedoPack,
    settings: DetailTrainSettings,
    loop: LoopSettings,
    world: World,
    machine: Mapping[str, object],
) -> dict[str, object]:
    """All facts of a training as plain JSON types. maps: the folders given."""
    samples = trained.samples
    return {
        "schema": SCHEMA,
        "kind": "detail",
        "maps": [str(path) for path in maps],
        "albedo_pack": {"id": albedo.manifest.id, "sha": albedo.sha, "model": albedo.model_sha},
        "trained_on": len(samples) - trained.held_out,
        "held_out": trained.held_out,
        "left_out": [{"file": str(file), "reason": reason} for file, reason in samples.left_out],
        "detail_extremes": list(samples.extremes),
        "figures": dict(trained.figures),
        "directions_explain": trained.explained,
        "steps": trained.steps,
        "seconds": round(trained.seconds, 1),
        "settings": asdict(settings),
        "loop": asdict(loop),
        "processes": world.size,
        "device": device_name(world.device),
        "machine": dict(machine),
    }
