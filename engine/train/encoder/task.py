"""The training of a coarse encoder, as the loop in `train/gradient` wants it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from ...nets.coarse_encoder import CoarseEncoder, FixedDecoder
from ...nets.resnet import load_start_weights
from ...protocol.albedo_pack import AlbedoModel
from ...protocol.pack_manifest import EncoderInfo
from ..gradient.task import Batch, Examination, Player, Turn
from ..texels import named_weights
from .held import hold_maps, look_at_held
from .objective import ExactProjection, encoder_loss
from .samples import MapSet, make_samples, split_rows
from .settings import AugmentSettings, EncoderSettings

PLAYER = "encoder"


@dataclass(frozen=True)
class EncoderPlan:
    """What is trained, and from where. albedo: sha256 of the albedo model. start:
    file of start weights or None, and its sha256."""

    info: EncoderInfo
    settings: EncoderSettings
    augment: AugmentSettings
    seed: int
    albedo: str
    start: Path | None = None
    start_sha: str = ""


class EncoderTask:
    """See `gradient.task.Task`."""

    name = "coarse encoder"
    averaged = PLAYER

    def __init__(
        self,
        plan: EncoderPlan,
        model: AlbedoModel,
        maps: MapSet,
        device: torch.device,
        processes: int = 1,
    ) -> None:
        """Raises EngineError: BAD_INPUT for unfit start weights, BAD_SETTINGS for too few maps."""
        self.plan, self.model, self.maps = plan, model, maps
        self._device, self._processes = device, processes
        rows, held = split_rows(len(maps.files), plan.settings.held)
        self._held = hold_maps(maps.source, held, model.valid, plan.seed)
        self._samples = make_samples(
            maps, rows, model.valid, plan.augment, plan.settings.batch, plan.seed
        )
        self.decoder = FixedDecoder(model).to(device)
        weights = named_weights(plan.settings.weights, len(model.valid))
        self.projection = ExactProjection(model, weights).to(device)
        torch.manual_seed(plan.seed)
        encoder = CoarseEncoder(plan.info, model.basis.shape[1])
        if plan.start is not None:
            load_start_weights(encoder.net, plan.start)
        # Neighbouring channels together: a tenth faster on CPUs, more on GPUs.
        self._encoder = encoder.to(device, memory_format=torch.channels_last)

    def facts(self) -> Mapping[str, object]:
        """See Task."""
        return {
            "network": asdict(self.plan.info),
            "settings": asdict(self.plan.settings),
            "augmentation": asdict(self.plan.augment),
            "albedo model": self.plan.albedo,
            "start weights": self.plan.start_sha,
            "maps": self.maps.key,
        }

    def players(self) -> Mapping[str, Player]:
        """See Task."""
        settings = self.plan.settings
        player = Player(self._encoder, settings.learning_rate, weight_decay=settings.weight_decay)
        return {PLAYER: player}

    def batch(self, step: int, rank: int) -> Batch:
        """See Task. texels (n, 3, N) float32 sRGB; coverage (n, N) bool."""
        texels, coverage = self._samples.draw(step, rank, self._processes)
        return torch.from_numpy(texels), torch.from_numpy(coverage)

    def turns(self, batch: Batch, step: int, random: torch.Generator) -> Iterator[Turn]:
        """See Task. The loss is taken in float32 whatever the network computes in."""
        texels, coverage = batch
        found = self._encoder(self._pictures(texels, coverage))
        with torch.autocast(texels.device.type, enabled=False):
            loss = encoder_loss(
                self.decoder, self.projection, found.float(), texels, self.plan.settings.pull
            )
        terms = {
            "error": loss.error.detach(),
            "exact_error": loss.least,
            "coefficients": loss.coefficients.detach(),
        }
        yield Turn(PLAYER, loss.total, terms)

    def _pictures(self, texels: Tensor, coverage: Tensor) -> Tensor:
        with torch.no_grad(), torch.autocast(texels.device.type, enabled=False):
            pictures = self.decoder.pictures(texels, coverage.float(), self.plan.info.input)
        return pictures.contiguous(memory_format=torch.channels_last)

    def examine(
        self, averaged: torch.nn.Module, step: int, tick: Callable[[], None]
    ) -> Examination:
        """See Task."""

        def encode(texels: Tensor, coverage: Tensor) -> Tensor:
            return averaged(self._pictures(texels, coverage))

        return look_at_held(encode, self.decoder, self.projection, self._held, self.model.valid)
