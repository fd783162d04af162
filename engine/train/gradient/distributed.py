"""Several processes that train one network together, as `torchrun` starts them.

Every process takes its own samples; gradients are averaged with one exchange a player, which
needs no wrapper round the network: it is called by other names than `forward`.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
from torch import distributed

from ...device import choose_device
from ...protocol.errors import EngineError, ErrorCode

TIMEOUT = timedelta(hours=2)
"""A process waits this long for the others: the first one prepares samples meanwhile."""


@dataclass(frozen=True)
class World:
    """The processes of a training. rank: of this one, from 0. size: their number."""

    rank: int
    size: int
    device: torch.device

    @property
    def first(self) -> bool:
        """True in the process that writes files."""
        return self.rank == 0

    def average_gradients(self, parameters: Sequence[torch.nn.Parameter]) -> None:
        """Every gradient becomes its mean over the processes; one without any counts as 0."""
        if self.size == 1:
            return
        for parameter in parameters:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        flat = torch.cat([parameter.grad.reshape(-1) for parameter in parameters])
        distributed.all_reduce(flat)
        flat /= self.size
        start = 0
        for parameter in parameters:
            stop = start + parameter.numel()
            parameter.grad.copy_(flat[start:stop].view_as(parameter.grad))
            start = stop

    def agree(self, *values: float) -> tuple[float, ...]:
        """The largest of each value over the processes."""
        if self.size == 1:
            return values
        table = torch.tensor(values, dtype=torch.float64, device=self.device)
        distributed.all_reduce(table, op=distributed.ReduceOp.MAX)
        return tuple(table.tolist())

    def wait(self) -> None:
        """Until every process is here."""
        self.agree(0.0)


@contextmanager
def join_world(device: str) -> Iterator[World]:
    """The world of this process: alone, or as the environment of `torchrun` says.

    device: as for a job; "auto" takes the fastest. Raises EngineError(BAD_SETTINGS).
    """
    kind = choose_device(device)
    try:
        rank, size, local = (
            int(os.environ.get(name, default))
            for name, default in (("RANK", "0"), ("WORLD_SIZE", "1"), ("LOCAL_RANK", "0"))
        )
    except ValueError as error:
        raise EngineError(
            ErrorCode.BAD_SETTINGS,
            "RANK, WORLD_SIZE and LOCAL_RANK must be whole numbers.",
            "Start several processes with torchrun, or clear these variables.",
        ) from error
    if size == 1:
        yield World(0, 1, torch.device(kind))
        return
    place = torch.device(kind, local) if kind == "cuda" else torch.device(kind)
    if kind == "cuda":
        torch.cuda.set_device(place)
    distributed.init_process_group("nccl" if kind == "cuda" else "gloo", timeout=TIMEOUT)
    try:
        yield World(rank, size, place)
    finally:
        distributed.destroy_process_group()


def device_name(device: torch.device) -> str:
    """For people: the GPU's name, or "the CPU"."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return "the CPU" if device.type == "cpu" else device.type
