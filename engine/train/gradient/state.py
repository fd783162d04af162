"""Everything that a training carries from step to step, and its arrays for a checkpoint."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch

from ...protocol.errors import EngineError, ErrorCode
from .settings import LoopSettings, average_decay
from .task import Player

Tensors = dict[str, np.ndarray]
_MOMENTS = ("step", "exp_avg", "exp_avg_sq")


@dataclass(eq=False)
class TrainingState:
    """players: being trained; optimisers: of each. averaged: the running average of one player.
    scaler: of float16. step: done so far. elapsed: seconds of all runs. pending: sums and counts
    of the terms since the last point of the curves."""

    players: Mapping[str, Player]
    optimisers: Mapping[str, torch.optim.Optimizer]
    averaged: torch.nn.Module
    averaged_name: str
    scaler: torch.amp.GradScaler
    step: int = 0
    elapsed: float = 0.0
    pending: dict[str, list[float]] = field(default_factory=dict)

    def trained(self, player: str) -> list[torch.nn.Parameter]:
        """Parameters of a player that learn."""
        return [p for p in self.players[player].module.parameters() if p.requires_grad]

    def update_average(self, settings: LoopSettings) -> None:
        """Move the averaged weights a little towards the present ones; counters are copied."""
        share = 1.0 - average_decay(settings, self.step)
        source = self.players[self.averaged_name].module.state_dict()
        with torch.no_grad():
            for name, old in self.averaged.state_dict().items():
                if old.is_floating_point():
                    old.lerp_(source[name], share)
                else:
                    old.copy_(source[name])

    def tensors(self) -> Tensors:
        """All arrays by name."""
        found = {f"average/{k}": _array(v) for k, v in self.averaged.state_dict().items()}
        for name, player in self.players.items():
            weights = player.module.state_dict()
            found |= {f"weights/{name}/{key}": _array(value) for key, value in weights.items()}
            for key, parameter in player.module.named_parameters():
                moments = self.optimisers[name].state.get(parameter, {})
                for moment in _MOMENTS if moments else ():
                    found[f"adam/{name}/{key}/{moment}"] = _array(moments[moment])
        return found

    def restore(self, tensors: Mapping[str, np.ndarray]) -> None:
        """The inverse of `tensors`. Raises EngineError(BAD_INPUT) when they are not of this
        training: names, shapes and kinds must be equal, and all numbers finite."""
        rest = dict(tensors)
        _load(self.averaged, "average", rest)
        for name, player in self.players.items():
            _load(player.module, f"weights/{name}", rest)
            for key, parameter in player.module.named_parameters():
                where = f"adam/{name}/{key}"
                if f"{where}/step" in rest:
                    like = (torch.zeros(()), parameter, parameter)
                    self.optimisers[name].state[parameter] = {
                        moment: _taken(rest, f"{where}/{moment}", shape)
                        for moment, shape in zip(_MOMENTS, like, strict=True)
                    }
        if rest:
            raise unfit(f"it holds {min(rest)!r}, which this training does not know")


def new_state(
    players: Mapping[str, Player], averaged: str, settings: LoopSettings, device: torch.device
) -> TrainingState:
    """The state before the first step."""
    optimisers = {
        name: torch.optim.AdamW(
            [p for p in player.module.parameters() if p.requires_grad],
            lr=player.learning_rate,
            betas=player.betas,
            weight_decay=player.weight_decay,
        )
        for name, player in players.items()
    }
    average = copy.deepcopy(players[averaged].module).eval().requires_grad_(False)
    scaled = settings.precision == "float16" and device.type == "cuda"
    scaler = torch.amp.GradScaler(device.type, enabled=scaled)
    return TrainingState(players, optimisers, average, averaged, scaler)


def unfit(why: str) -> EngineError:
    """A checkpoint that cannot be gone on from."""
    return EngineError(
        ErrorCode.BAD_INPUT,
        f"The checkpoint does not fit: {why}.",
        "Give the settings it was made with, or move its folder away to start anew.",
    )


def _array(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().cpu().contiguous().numpy().copy()


def _load(module: torch.nn.Module, where: str, rest: Tensors) -> None:
    with torch.no_grad():
        for key, value in module.state_dict().items():
            value.copy_(_taken(rest, f"{where}/{key}", value))


def _taken(rest: Tensors, name: str, like: torch.Tensor) -> torch.Tensor:
    """A tensor out of `rest`, as `like` in shape, kind and place."""
    array = rest.pop(name, None)
    if array is None:
        raise unfit(f"it lacks {name!r}")
    tensor = torch.from_numpy(array)
    if tensor.shape != like.shape or tensor.dtype != like.dtype:
        raise unfit(
            f"{name!r} is {tuple(tensor.shape)} {tensor.dtype}, "
            f"expected was {tuple(like.shape)} {like.dtype}"
        )
    if not bool(torch.isfinite(tensor).all()):
        raise unfit(f"{name!r} holds numbers that are not finite")
    if tensor.dim() == 0:
        return tensor
    return torch.empty_like(like).copy_(tensor)
