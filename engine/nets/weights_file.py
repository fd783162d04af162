"""Weights that a user brings as a PyTorch file: only tensors are read, each is checked."""

from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from ..protocol.errors import EngineError

COUNTER = "num_batches_tracked"
"""Of batch norms; of no use after training, and absent from older files."""
Refuse = Callable[[Path, str], EngineError]
"""The complaint about a file, from why it cannot be used."""


def load_weights(
    path: Path, wanted: Mapping[str, Tensor], unused: tuple[str, ...], refuse: Refuse
) -> dict[str, Tensor]:
    """The tensors of a .pth file for a network with the state `wanted`, float32, on the CPU.

    unused: beginnings of names that may be there and are left out. Raises what `refuse` makes when
    the file cannot be read or a weight is missing, unknown, of another shape or not finite.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise refuse(path, error.strerror or "it cannot be read") from error
    except Exception as error:  # damaged files raise many kinds, even pickle's own
        raise refuse(path, "it is damaged, or holds more than plain tensors") from error
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise refuse(path, "it is no table of tensors")
    shapes = {n: tuple(v.shape) for n, v in wanted.items() if not n.endswith(COUNTER)}
    found = {
        name: value
        for name, value in state.items()
        if not (str(name).endswith(COUNTER) or str(name).startswith(unused))
    }
    for name in sorted(shapes.keys() ^ found.keys()):
        raise refuse(path, f"{name} is {'missing' if name in shapes else 'unknown'}")
    for name, shape in shapes.items():
        if tuple(found[name].shape) != shape:
            what = f"{name} must have the shape {shape}, got {tuple(found[name].shape)}"
            raise refuse(path, what)
        if not torch.isfinite(found[name]).all():
            raise refuse(path, f"{name} has values that are not finite")
    return {name: value.float() for name, value in found.items()}
