"""The occluder net as a task of the gradient loop."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ...nets.occluders import OccluderNet
from ...protocol.conventions import unit_to_bytes
from ..gradient.task import Batch, Examination, Player, Turn
from .layout import Skins
from .scene import Sample, draw_sample

NET = "net"
EXAMINED, SHOWN = 32, 12
"""Held-out looks of the figures, and how many of them are on the sheet."""
HELD_SEED = 2**40
"""Added to the seeds of held-out looks: no training reaches it."""
DICE_FLOOR = 50.0
"""Texels added to both sides of the overlap, so that a face without occluders has one. Ours."""


@dataclass(frozen=True)
class OccluderTraining:
    """batch: looks a step and process; dice: weight of the overlap in the loss."""

    batch: int = 8
    learning_rate: float = 2e-3
    weight_decay: float = 1e-3
    dice: float = 0.3
    seed: int = 0


def occluder_loss(logits: Tensor, target: Tensor, weight: Tensor, dice: float) -> Tensor:
    """Cross-entropy a texel, and 1 - overlap a look (Milletari et al. 2016). All (B, H, W)."""
    texel = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    found = torch.sigmoid(logits)
    both = 2.0 * (weight * found * target).sum((1, 2)) + DICE_FLOOR
    either = (weight * found).sum((1, 2)) + (weight * target).sum((1, 2)) + DICE_FLOOR
    overlap = (both / either).mean()
    return (texel * weight).sum() / weight.sum().clamp(min=1.0) + dice * (1.0 - overlap)


class OccluderTask:
    """See `gradient.task.Task`."""

    name = "occluders"
    averaged = NET

    def __init__(self, skins: Skins, settings: OccluderTraining, device: torch.device) -> None:
        self.skins, self.settings, self._device = skins, settings, device
        torch.manual_seed(settings.seed)
        self.net = OccluderNet().to(device)
        self._held = [self._look(HELD_SEED + index) for index in range(EXAMINED)]

    def facts(self) -> Mapping[str, object]:
        """See Task."""
        return {**asdict(self.settings), "skins": len(self.skins.files)}

    def players(self) -> Mapping[str, Player]:
        """See Task."""
        s = self.settings
        return {NET: Player(self.net, s.learning_rate, weight_decay=s.weight_decay)}

    def _look(self, number: int) -> Sample:
        random = np.random.default_rng((self.settings.seed, number))
        skin, coefficients = self.skins.read(int(random.integers(len(self.skins.files))))
        return draw_sample(skin, coefficients, self.skins.layout, int(random.integers(2**62)))

    def batch(self, step: int, rank: int) -> Batch:
        """See Task. inputs (B, 8, 128, 128), target and weight (B, 128, 128), float32."""
        first = (step * 1024 + rank) * self.settings.batch  # at most 1024 processes
        return _stacked([self._look(first + index) for index in range(self.settings.batch)])

    def turns(self, batch: Batch, step: int, random: torch.Generator) -> Iterator[Turn]:
        """See Task."""
        inputs, target, weight = batch
        logits = self.net(inputs)
        with torch.autocast(inputs.device.type, enabled=False):
            loss = occluder_loss(logits.float(), target, weight, self.settings.dice)
        yield Turn(NET, loss, {"loss": loss.detach()})

    def examine(
        self, averaged: torch.nn.Module, step: int, tick: Callable[[], None]
    ) -> Examination:
        """See Task. missed, lost: shares of covered texels not found, and of skin taken for
        covered, at probability 1/2."""
        found, sheet = [], []
        for look in self._held:
            inputs = torch.from_numpy(look.inputs)[None].to(self._device)
            found.append(torch.sigmoid(averaged(inputs))[0].float().cpu().numpy())
            tick()
        for look, one in list(zip(self._held, found, strict=True))[:SHOWN]:
            pictures = [look.inputs[:3], *(np.repeat(x[None], 3, 0) for x in (look.target, one))]
            sheet.append(np.concatenate(pictures, 2).transpose(1, 2, 0))
        weight, target = (np.stack([getattr(x, n) for x in self._held]) for n in _MAPS[1:])
        wrong = weight * ((np.stack(found) > 0.5) != (target > 0.5))
        figures = {
            "missed": float((wrong * target).sum() / max((weight * target).sum(), 1.0)),
            "lost": float((wrong * (1 - target)).sum() / max((weight * (1 - target)).sum(), 1.0)),
        }
        return Examination(figures, unit_to_bytes(np.concatenate(sheet)))


_MAPS = ("inputs", "target", "weight")


def _stacked(looks: list[Sample]) -> Batch:
    return tuple(torch.from_numpy(np.stack([getattr(x, n) for x in looks])) for n in _MAPS)
