"""A small adversarial task with known data, for tests of the loop."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import torch
from torch import nn

from engine.train.gradient.task import Batch, Examination, Player, Turn


class TinyTask:
    """Learns to halve numbers; a critic with a random draw of its own joins at step 4."""

    name = "tiny"
    averaged = "net"

    def __init__(self, seed: int = 0, width: int = 4) -> None:
        torch.manual_seed(seed)
        self.seed, self.width = seed, width
        self.net = nn.Sequential(nn.Linear(3, width), nn.Tanh(), nn.Linear(width, 3))
        self.critic = nn.Linear(3, 1)

    def facts(self) -> Mapping[str, object]:
        return {"seed": self.seed, "width": self.width}

    def players(self) -> Mapping[str, Player]:
        return {"net": Player(self.net, 1e-2), "critic": Player(self.critic, 1e-2, (0.5, 0.9))}

    def batch(self, step: int, rank: int) -> Batch:
        rng = np.random.default_rng([self.seed, step, rank])
        return (torch.from_numpy(rng.standard_normal((8, 3), np.float32)),)

    def turns(self, batch: Batch, step: int, random: torch.Generator) -> Iterator[Turn]:
        (x,) = batch
        noise = torch.randn(x.shape, generator=random)
        made = self.net(x + 0.01 * noise)
        squared = ((made - 0.5 * x) ** 2).mean()
        loss = squared - 0.01 * self.critic(made).mean() if step >= 4 else squared
        yield Turn("net", loss, {"squared": squared.detach()})
        if step >= 4:
            gap = self.critic(made.detach()).mean() - self.critic(0.5 * x).mean()
            yield Turn(
                "critic", gap + 0.1 * self.critic.weight.square().sum(), {"gap": gap.detach()}
            )

    def examine(self, averaged: nn.Module, step: int, tick: Callable[[], None]) -> Examination:
        tick()
        with torch.no_grad():
            x = torch.eye(3)
            error = float(((averaged(x) - 0.5 * x) ** 2).mean())
        sheet = np.full((8, 8, 3), step % 256, np.uint8)
        return Examination({"held_out": error}, sheet)
