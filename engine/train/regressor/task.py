"""The training of a regressor, as the loop in `train/gradient` wants it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict

import numpy as np
import torch
from torch import Tensor

from ...fit.shape.landmark_basis import LandmarkBasis
from ...nets.regressor import RegressorNet, normal_nll
from ..gradient.task import Batch, Examination, Player, Turn
from .data import RegressorData
from .held import Held, figures_of, picture_figures
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
        net = RegressorNet(settings.net)
        _prepare_net(net, data, self.trained, settings.ridge)
        self._spread = np.asarray(data.embedding[self.trained].std(0), np.float32)
        self._net = net.to(device)

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
        """See Task. embedding, points, targets, and the factors of the first two."""
        settings = self.settings
        rng = np.random.default_rng([self.seed, step, rank])
        picked = np.sort(rng.choice(self.trained, settings.batch, replace=False))
        spread = settings.blur * self._spread
        embedding = self.data.embedding[picked]
        embedding = embedding + spread * rng.standard_normal(embedding.shape, np.float32)
        points = self.data.points[picked].copy()
        offsets = points[:, :-9]
        points[:, :-9] += settings.noise * rng.standard_normal(offsets.shape, np.float32)
        lot = rng.random(len(picked))
        drop = np.stack([lot >= settings.drop, lot < 1.0 - settings.alone], 1).astype(np.float32)
        parts = (embedding, points, self.data.targets[picked], drop)
        return tuple(torch.from_numpy(part) for part in parts)

    def turns(self, batch: Batch, step: int, random: torch.Generator) -> Iterator[Turn]:
        """See Task."""
        embedding, points, targets, drop = batch
        out = self._net(embedding, points, drop).float()
        nll = normal_nll(out[:, 0], out[:, 1], targets).mean(0)
        parts = dict(zip(self._sizes(), nll.split(list(self._sizes().values())), strict=True))
        terms = {f"{name}_nll": part.mean().detach() for name, part in parts.items()}
        yield Turn(PLAYER, (nll * self._weights).sum(), terms)

    def _sizes(self) -> dict[str, int]:
        return self.settings.net.groups()

    def predict(
        self,
        net: torch.nn.Module,
        rows: np.ndarray,
        tick: Callable[[], None],
        with_points: bool = True,
    ) -> np.ndarray:
        """(n, 2, total) outputs for samples."""
        outs = []
        for start in range(0, len(rows), LOOK):
            tick()
            some = rows[start : start + LOOK]
            seen = (self.data.embedding[some], self.data.points[some])
            drop = torch.ones(len(some), 2)
            drop[:, 1] = float(with_points)
            with torch.no_grad():
                placed = (torch.from_numpy(part).to(self._device) for part in seen)
                out: Tensor = net(*placed, drop.to(self._device))
            outs.append(out.float().cpu().numpy())
        return np.concatenate(outs)

    def examine(
        self, averaged: torch.nn.Module, step: int, tick: Callable[[], None]
    ) -> Examination:
        """See Task."""
        targets, identity = self.data.targets[self.held], self.data.identity[self.held]
        both = Held(self.predict(averaged, self.held, tick), targets, identity)
        alone = Held(self.predict(averaged, self.held, tick, with_points=False), targets, identity)
        figures = figures_of(both, self._basis, self.settings.net)
        figures |= picture_figures(alone, self._basis, self.settings.net)
        return Examination(figures, None)


def _prepare_net(net: RegressorNet, data: RegressorData, rows: np.ndarray, ridge: float) -> None:
    """Means of the inputs, and a start of the identity: ridge regression on the embedding.

    Hoerl & Kennard 1970; the gradient steps then have the rest to learn.
    """
    embedding = data.embedding[rows].astype(np.float64)
    mean, scale = embedding.mean(0), float(embedding.std())
    inputs = (embedding - mean) / scale
    size = inputs.shape[1]
    normal = inputs.T @ inputs + ridge * size * np.eye(size)
    targets = data.identity[rows, : net.info.identity]
    weight = np.linalg.solve(normal, inputs.T @ targets).T
    with torch.no_grad():
        net.straight_picture.weight.copy_(torch.from_numpy(weight))
        net.embedding_mean.copy_(torch.from_numpy(mean))
        net.embedding_scale.fill_(scale)
        net.points_mean.copy_(torch.from_numpy(data.points[rows].mean(0)))


def _group_weights(settings: RegressorSettings) -> Tensor:
    """(total,) weight of each number in the loss: of its group, over the group's size."""
    parts = []
    for name, size in settings.net.groups().items():
        weight = getattr(settings, f"{name}_weight")
        parts.append(torch.full((size,), weight / size))
    return torch.cat(parts)
