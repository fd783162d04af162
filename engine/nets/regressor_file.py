"""A trained regressor as one safetensors file: half floats, and the landmarks that it knows.

Tensors: net.* f16; mean (468, 3) f32 metres and weight (468,) f32 of the head's landmarks; modes
(K, 468, 3) f16 metres per sigma, by which a head is known again. All sizes follow from these.
"""

from pathlib import Path

import numpy as np
import torch

from ..protocol.errors import EngineError, ErrorCode
from ..protocol.safetensors import read_safetensors, write_safetensors
from .face_mesh import POINTS
from .regressor import Regressor, RegressorInfo, RegressorNet

REGRESSOR_FILE = "regressor.safetensors"
WEIGHTS = Path(__file__).parent / "data" / REGRESSOR_FILE
"""Of the default head: made by `python -m engine train regressor`."""
MOST_BYTES = 8 * 2**20
_NET = "net."
_HEAD_TOLERANCE = 2e-4
"""Metres by which modes of one head may differ: half floats are off by 1e-5."""


def write_regressor(path: Path, regressor: Regressor) -> None:
    """Write a regressor. Raises EngineError(BAD_OUTPUT) when it is too large or cannot be."""
    arrays: dict[str, np.ndarray] = {
        _NET + name: tensor.detach().cpu().numpy().astype(np.float16)
        for name, tensor in regressor.net.state_dict().items()
    }
    arrays |= {
        "mean": regressor.mean.astype(np.float32),
        "weight": regressor.weight.astype(np.float32),
        "modes": regressor.modes.astype(np.float16),
    }
    size = sum(array.nbytes for array in arrays.values())
    if size > MOST_BYTES:
        raise EngineError(
            ErrorCode.BAD_OUTPUT,
            f"The regressor has {size / 2**20:.1f} MB; at most {MOST_BYTES >> 20} are allowed.",
            "Train a narrower net.",
        )
    draft = path.with_name(path.name + ".part")
    try:
        write_safetensors(draft, arrays)
        draft.replace(path)
    except OSError as error:
        raise EngineError(
            ErrorCode.BAD_OUTPUT, f"{path} cannot be written ({error.strerror})."
        ) from error


def read_regressor(path: Path) -> Regressor:
    """Read and check a regressor. Raises EngineError(PACK_INVALID)."""
    arrays = read_safetensors(path)
    for name, shape in (("mean", (POINTS, 3)), ("weight", (POINTS,))):
        if name not in arrays or arrays[name].shape != shape:
            raise _refuse(path, f"{name} of shape {shape} is missing")
    net = {key.removeprefix(_NET): value for key, value in arrays.items() if _NET in key[:4]}
    info = _info(path, net)
    modes = arrays.get("modes")
    if modes is None or modes.shape != (info.identity, POINTS, 3):
        raise _refuse(path, f"modes of shape {(info.identity, POINTS, 3)} are missing")
    if not all(np.isfinite(array).all() for array in arrays.values()):
        raise _refuse(path, "it holds numbers that are not finite")
    with torch.device("meta"):  # shapes alone: a file may claim more than memory holds
        wanted = RegressorNet(info).state_dict()
    for name in sorted(wanted.keys() ^ net.keys()):
        raise _refuse(path, f"{name} is {'missing' if name in wanted else 'unknown'}")
    for name, array in net.items():
        if tuple(wanted[name].shape) != array.shape:
            raise _refuse(path, f"{name} must have shape {tuple(wanted[name].shape)}")
    model = RegressorNet(info)
    model.load_state_dict({k: torch.from_numpy(v.astype(np.float32)) for k, v in net.items()})
    return Regressor(
        model.eval().requires_grad_(False),
        arrays["mean"].astype(np.float64),
        arrays["weight"].astype(np.float64),
        modes.astype(np.float64),
    )


def knows_head(regressor: Regressor, identity: np.ndarray) -> bool:
    """Was it trained on this head? identity (K, 468, 3): landmark modes, metres per sigma."""
    modes = regressor.modes
    if len(identity) < len(modes):
        return False
    return bool(np.abs(identity[: len(modes)] - modes).max() < _HEAD_TOLERANCE)


def _info(path: Path, net: dict[str, np.ndarray]) -> RegressorInfo:
    try:
        identity, _ = net["straight.weight"].shape
        total, hidden = net["mean.weight"].shape
    except (KeyError, ValueError, IndexError) as error:
        raise _refuse(path, "it holds no regressor") from error
    rest = sum(size for name, size in RegressorInfo().groups().items() if name not in _FREE)
    expression = total - identity - rest
    if min(identity, expression, hidden) < 1 or max(total, hidden) > 4096:
        raise _refuse(path, "its sizes are impossible")
    return RegressorInfo(identity, expression, hidden)


_FREE = ("identity", "expression")


def _refuse(path: Path, why: str) -> EngineError:
    return EngineError(
        ErrorCode.PACK_INVALID,
        f"{path.name} is not a regressor: {why}.",
        "Train it again: python -m engine train regressor --help.",
    )
