"""Trains the tiny task in a process of its own: `python run_tiny.py FOLDER STEPS [PAUSE]`. Several
folders, joined as in PATH, are trained one after another.

PYTHONPATH must name the repository; the folder of this script is on the path by itself.
"""

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from tiny_task import TinyTask

from engine.reporter import NullReporter
from engine.train.gradient.distributed import join_world
from engine.train.gradient.loop import train
from engine.train.gradient.settings import LoopSettings
from engine.train.gradient.task import Batch, Turn


class SlowTask(TinyTask):
    """Takes its time, so that it can be killed in the middle."""

    pause = 0.0

    def turns(self, batch: Batch, step: int, random: torch.Generator) -> Iterator[Turn]:
        time.sleep(self.pause)
        return super().turns(batch, step, random)


def main() -> None:
    """A training a folder, which gets `rank-N.txt` with the sum of all weights at the end."""
    folders, steps = sys.argv[1].split(os.pathsep), int(sys.argv[2])
    SlowTask.pause = float(sys.argv[3]) if len(sys.argv) > 3 else 0.0
    torch.set_num_threads(1)
    settings = LoopSettings(steps=steps, log_every=2, examine_every=10, checkpoint_seconds=0.2)
    with join_world("cpu") as world:
        for folder in map(Path, folders):
            state = train(SlowTask(), settings, world, folder, NullReporter())
            total = sum(float(p.double().abs().sum()) for p in state.averaged.parameters())
            (folder / f"rank-{world.rank}.txt").write_text(f"{total:.17g}")


if __name__ == "__main__":
    main()
