"""What the loop must know of a network that it trains."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch


@dataclass(frozen=True, eq=False)
class Player:
    """A network with an optimiser of its own (Adam, Kingma & Ba 2015; with weight_decay AdamW).

    A plain training has one; an adversarial one has a generator and a critic.
    """

    module: torch.nn.Module
    learning_rate: float
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = 0.0


@dataclass(frozen=True, eq=False)
class Turn:
    """One move of a step: `player` goes down the gradient of `loss`, and of nothing else.

    terms: named numbers for the curves; detached tensors are fine.
    """

    player: str
    loss: torch.Tensor
    terms: Mapping[str, float | torch.Tensor]


@dataclass(frozen=True, eq=False)
class Examination:
    """A look at held-out samples. figures: for the curves. sheet: (H, W, 3) uint8 RGB or None."""

    figures: Mapping[str, float]
    sheet: np.ndarray | None


Batch = tuple[torch.Tensor, ...]


class Task(Protocol):
    """A training. Everything random depends on the seed, the step and the rank alone."""

    name: str
    """What is trained, for checkpoints and messages."""
    averaged: str
    """The player whose weights are averaged: the result of the training."""

    def facts(self) -> Mapping[str, object]:
        """All that the curve depends on beside LoopSettings, as plain JSON types."""

    def players(self) -> Mapping[str, Player]:
        """The networks, by name. They lie on the right device."""

    def batch(self, step: int, rank: int) -> Batch:
        """Samples of a step on the CPU. Called from threads, ahead of time; must be pure."""

    def turns(self, batch: Batch, step: int, random: torch.Generator) -> Iterator[Turn]:
        """The moves of a step in order. batch: on the device. A player has moved when its
        successor is asked for."""

    def examine(
        self, averaged: torch.nn.Module, step: int, tick: Callable[[], None]
    ) -> Examination:
        """A look at held-out samples with the averaged weights, without gradients.

        tick: to be called several times a second; raises Cancelled.
        """
