"""Settings of a training by gradients that do not depend on what is trained."""

import math
from dataclasses import dataclass

from ...protocol.errors import EngineError, ErrorCode

PRECISIONS = ("float32", "bfloat16", "float16")


@dataclass(frozen=True)
class LoopSettings:
    """How long, how fast and how often.

    steps: of the whole training; seconds: its length instead, 0 for none. seed: of everything that
    is random. warmup: steps of a linear rise of the learning rate. final_rate: its share that is
    left at the end of the cosine fall. average_decay: of the running average of the weights.
    clip: largest norm of a player's gradients, 0 for any. precision: of the forward pass.
    log_every: steps that a point of the curves is the mean of. examine_every: steps between looks
    at held-out samples, a multiple of log_every. checkpoint_seconds: between checkpoints.
    kept: checkpoints that stay. threads: that prepare batches.
    """

    steps: int = 6000
    seconds: float = 0.0
    seed: int = 0
    warmup: int = 200
    final_rate: float = 0.02
    average_decay: float = 0.999
    clip: float = 1.0
    precision: str = "float32"
    log_every: int = 10
    examine_every: int = 250
    checkpoint_seconds: float = 120.0
    kept: int = 2
    threads: int = 1

    def __post_init__(self) -> None:
        """Raises EngineError(BAD_SETTINGS)."""
        least = {"steps": 1, "log_every": 1, "examine_every": 1, "kept": 1, "threads": 1}
        for name, value in vars(self).items():
            if name != "precision" and not least.get(name, 0) <= value < math.inf:
                raise _bad(f"{name} must be a number from {least.get(name, 0)}, got {value}.")
        if self.precision not in PRECISIONS:
            raise _bad(f"precision must be one of {', '.join(PRECISIONS)}, got {self.precision}.")
        if not (self.final_rate <= 1.0 and self.average_decay < 1.0):
            raise _bad("final_rate must be at most 1 and average_decay below 1.")
        if self.examine_every % self.log_every:
            raise _bad("examine_every must be a multiple of log_every.")


FREE = ("steps", "seconds", "checkpoint_seconds", "kept", "threads")
"""Settings that may change between a stopped run and the next. The curve so far does not depend on
them; steps and seconds change how it goes on, and that is said."""


def done_share(settings: LoopSettings, step: int, elapsed: float) -> float:
    """How much of the training is done after `step` steps and `elapsed` seconds, in [0, 1]."""
    whole = settings.seconds or settings.steps
    return min(1.0, (elapsed if settings.seconds else step) / whole)


def rate_factor(settings: LoopSettings, step: int, done: float) -> float:
    """Share of the full learning rate at a step: a linear rise, then half a cosine.

    Loshchilov & Hutter 2017 (SGDR), equation 5 without restarts, down to `final_rate`; the rise is
    that of Goyal et al. 2017, section 2.2. done: of `done_share`.
    """
    rise = min(1.0, (step + 1) / max(settings.warmup, 1))
    fall = 0.5 * (1.0 + math.cos(math.pi * done))
    return rise * (settings.final_rate + (1.0 - settings.final_rate) * fall)


def average_decay(settings: LoopSettings, step: int) -> float:
    """Decay of the running average of the weights at a step.

    Smaller at first, so that the random start is soon forgotten: min(decay, (1 + t) / (10 + t)),
    as TensorFlow's ExponentialMovingAverage with num_updates.
    """
    return min(settings.average_decay, (1 + step) / (10 + step))


def _bad(message: str) -> EngineError:
    return EngineError(ErrorCode.BAD_SETTINGS, message)
