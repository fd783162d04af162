"""The training of a regressor, as the loop in `train/gradient` wants it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict

import numpy as np
import torch
from torch import Tensor

from ...fit.landmark_basis import LandmarkBasis
from ...nets.regressor import RegressorNet, normal_nll
from ..gradient.task import Batch, Examination, Player, Turn
from .data import RegressorData
from .held import Held, figures_of
from .settings import RegressorSettings

PLAYER = "regressor"
LOOK = 256
"""Held-out samples that are looked at together."""


class RegressorTask:
    """See `gradient.task.Task`."""

    name = "regressor"
    averaged = PLAYER

    def __init__(
        self,
        data: RegressorData,
        key: str,
        basis: LandmarkBasis,
        settings: RegressorSettings,
        seed: int,
        device: torch.device,
        processes: int = 1,
    ) -> None:
        """key: of the samples."""
        self.data, self.key, self.settings, self.seed = data, key, settings, seed
        self._processes = processes
        self._weights = _group_weights(settings).to(device)
        self._device = device
        count = max(1, round(len(data.rows) * settings.held))
        # The first ones: with more samples the same stay held.
        self.held, self.trained = np.arange(count), np.arange(count, len(data.rows))
        self._basis = basis
        torch.manual_seed(seed)
        self._net = RegressorNet(settings.net).to(device)

    def facts(self) -> Mapping[str, object]:
        """See Task."""
        return {
            "settings": asdict(self.settings),
            "samples": self.key,
            "count": len(self.data.rows),
            "seed": self.seed,
        }

    def players(self) -> Mapping[str, Player]:
        """See Task."""
        settings = self.settings
        player = Player(self._net, settings.learning_rate, weight_decay=settings.weight_decay)
        return {PLAYER: player}

    def batch(self, step: int, rank: int) -> Batch:
        """See Task. map, points, targets, and the factors of the two branches."""
        settings = self.settings
        rng = np.random.default_rng([self.seed, step, rank])
        picked = np.sort(rng.choice(self.trained, settings.batch, replace=False))
        image = self.data.map[self.data.rows[picked]].astype(np.float32)
        gain = np.exp(settings.fade * rng.standard_normal((*image.shape[:2], 1, 1), np.float32))
        points = self.data.points[picked].copy()
        offsets = points[:, :-9]
        points[:, :-9] += settings.noise * rng.standard_normal(offsets.shape, np.float32)
        lot = rng.random(len(picked))
        drop = np.stack([lot >= settings.drop, lot < 1.0 - settings.drop], 1).astype(np.float32)
        parts = (image * gain, points, self.data.targets[picked], drop)
        return tuple(torch.from_numpy(part) for part in parts)

    def turns(self, batch: Batch, step: int, random: torch.Generator) -> Iterator[Turn]:
        """See Task."""
        image, points, targets, drop = batch
        out = self._net(image, points, drop).float()
        nll = normal_nll(out[:, 0], out[:, 1], targets).mean(0)
        parts = dict(zip(self._sizes(), nll.split(list(self._sizes().values())), strict=True))
        terms = {f"{name}_nll": part.mean().detach() for name, part in parts.items()}
        yield Turn(PLAYER, (nll * self._weights).sum(), terms)

    def _sizes(self) -> dict[str, int]:
        return self.settings.net.groups()

    def predict(
        self, net: torch.nn.Module, rows: np.ndarray, tick: Callable[[], None]
    ) -> np.ndarray:
        """(n, 2, total) outputs for samples."""
        outs = []
        for start in range(0, len(rows), LOOK):
            tick()
            some = rows[start : start + LOOK]
            image = torch.from_numpy(self.data.map[self.data.rows[some]].astype(np.float32))
            points = torch.from_numpy(self.data.points[some])
            with torch.no_grad():
                out: Tensor = net(image.to(self._device), points.to(self._device))
            outs.append(out.float().cpu().numpy())
        return np.concatenate(outs)

    def examine(
        self, averaged: torch.nn.Module, step: int, tick: Callable[[], None]
    ) -> Examination:
        """See Task."""
        out = self.predict(averaged, self.held, tick)
        held = Held(out, self.data.targets[self.held], self.data.identity[self.held])
        return Examination(figures_of(held, self._basis, self.settings.net), None)


def _group_weights(settings: RegressorSettings) -> Tensor:
    """(total,) weight of each number in the loss: of its group, over the group's size."""
    parts = []
    for name, size in settings.net.groups().items():
        weight = getattr(settings, f"{name}_weight")
        parts.append(torch.full((size,), weight / size))
    return torch.cat(parts)
