"""Weights that a user brings as a PyTorch file: only tensors are read, each is checked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from ..protocol.errors import EngineError, ErrorCode

COUNTER = "num_batches_tracked"
"""Of batch norms; of no use after training, and absent from older files."""
Net = TypeVar("Net", bound=nn.Module)


@dataclass(frozen=True)
class Published:
    """A file of weights that somebody published.

    whose: the network, "ArcFace's network of 50 layers". expected: the right file, a sentence.
    unused: beginnings of names that may be there and are left out.
    """

    whose: str
    expected: str
    unused: tuple[str, ...] = ()


def load_network(make: Callable[[], Net], path: Path, published: Published) -> Net:
    """The network with the weights of a .pth file, in evaluation mode, float32, on the CPU.

    Only tensors are read from the file, never code. Raises EngineError(BAD_INPUT) when the file
    cannot be read or a weight is missing, unknown, of another shape or not finite.
    """
    with torch.device("meta"):  # shapes alone: millions of numbers need not be drawn first
        net = make()
    weights = _load_weights(path, net.state_dict(), published)
    counters = {name: torch.tensor(0) for name in net.state_dict() if name.endswith(COUNTER)}
    net.load_state_dict(weights | counters, assign=True)
    return net.eval().requires_grad_(False)


def _load_weights(
    path: Path, wanted: Mapping[str, Tensor], published: Published
) -> dict[str, Tensor]:
    def refuse(what: str) -> EngineError:
        return EngineError(
            ErrorCode.BAD_INPUT,
            f"{path.name} does not hold the weights of {published.whose}: {what}.",
            f"Expected {published.expected}.",
        )

    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise refuse(error.strerror or "it cannot be read") from error
    except Exception as error:  # damaged files raise many kinds, even pickle's own
        raise refuse("it is damaged, or holds more than plain tensors") from error
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise refuse("it is no table of tensors")
    shapes = {n: tuple(v.shape) for n, v in wanted.items() if not n.endswith(COUNTER)}
    found = {
        name: value
        for name, value in state.items()
        if not (str(name).endswith(COUNTER) or str(name).startswith(published.unused))
    }
    for name in sorted(shapes.keys() ^ found.keys()):
        raise refuse(f"{name} is {'missing' if name in shapes else 'unknown'}")
    for name, shape in shapes.items():
        if tuple(found[name].shape) != shape:
            what = f"{name} must have the shape {shape}, got {tuple(found[name].shape)}"
            raise refuse(what)
        if not torch.isfinite(found[name]).all():
            raise refuse(f"{name} has values that are not finite")
    return {name: value.float() for name, value in found.items()}
