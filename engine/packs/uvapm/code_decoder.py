"""UVAPM's released detail decoder (variational_autoencoder.pth), read and run.

The released code does not hold the paper's convolutional model but a vector of 500 numbers that
three full layers make a map: 500 to 512 to 1024 to 512 x 512, ReLU between, a sigmoid at the end
(public source, uvtex_detail_fitter.py; names of the weights as its modules make them). The file was
not at hand. What its values mean is not documented: the released fit uses them as V, in place of
the coarse albedo's, at a scale of 2.55 that only its two conversions of colour explain.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ...protocol.errors import EngineError, ErrorCode

MOST_BYTES = 3 << 30
"""The released file has 1.2 GB, its encoder counted in."""
BLOCK = 16_384
"""Texels decoded at a time: 64 MB of the last layer's weights."""


@dataclass(frozen=True)
class CodeLayout:
    """Numbers of a code, widths of the two layers, side of the map."""

    code: int = 500
    widths: tuple[int, int] = (512, 1024)
    size: int = 512

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the decoder's weights."""
        sizes = (self.code, *self.widths, self.size**2)
        shapes: dict[str, tuple[int, ...]] = {}
        for number, (before, after) in enumerate(pairwise(sizes)):
            shapes[f"decoder.{2 * number}.weight"] = (after, before)
            shapes[f"decoder.{2 * number}.bias"] = (after,)
        return shapes


RELEASED = CodeLayout()


def read_decoder(path: Path, layout: CodeLayout = RELEASED) -> Mapping[str, Tensor]:
    """The decoder's weights, float32 or float64, the large one still on disk where that is
    possible. Only tensors are read from the file, never code. Raises EngineError(BAD_INPUT)."""
    try:
        size = path.stat().st_size
    except OSError as error:
        raise _bad(path, f"it cannot be read ({error.strerror})") from error
    if size > MOST_BYTES:
        raise _bad(path, f"it has {size} bytes, at most {MOST_BYTES} are expected")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True, mmap=_is_zip(path))
    except Exception as error:  # damaged files raise many kinds, even pickle's own
        raise _bad(path, "it is damaged, or holds more than plain tensors") from error
    if not isinstance(state, dict):
        raise _bad(path, f"expected a table of tensors, got {type(state).__name__}")
    weights: dict[str, Tensor] = {}
    for name, shape in layout.shapes().items():
        weight = state.get(name)
        if not isinstance(weight, Tensor):
            raise _bad(path, f"{name} is missing")
        if tuple(weight.shape) != shape:
            raise _bad(path, f"{name} must have shape {shape}, got {tuple(weight.shape)}")
        if weight.dtype not in (torch.float16, torch.float32, torch.float64):
            raise _bad(path, f"{name} must hold real numbers, got {weight.dtype}")
        weights[name] = weight
    return weights


def decode_codes(
    path: Path,
    weights: Mapping[str, Tensor],
    codes: np.ndarray,
    on_block: Callable[[int, int], None],
) -> np.ndarray:
    """(n, S * S) float16 maps of codes (n, code), values of the sigmoid in [0, 1], row 0 on top.

    Weights are used block by block, so that memory does not grow with them. on_block: takes texels
    done and their number; may raise Cancelled. Raises EngineError(BAD_INPUT) for weights that are
    not finite.
    """
    hidden = torch.from_numpy(codes.astype(np.float32))
    for layer in ("decoder.0", "decoder.2"):
        weight, bias = (weights[f"{layer}.{kind}"].float() for kind in ("weight", "bias"))
        hidden = torch.relu(hidden @ weight.T + bias)
    last, bias = weights["decoder.4.weight"], weights["decoder.4.bias"]
    maps = np.empty((len(codes), len(last)), np.float16)
    for start in range(0, len(last), BLOCK):
        rows = slice(start, start + BLOCK)
        values = hidden @ last[rows].float().T + bias[rows].float()
        if not bool(torch.isfinite(values).all()):
            raise _bad(path, "it has weights that are not finite")
        maps[:, rows] = torch.sigmoid(values).numpy()
        on_block(min(start + BLOCK, len(last)), len(last))
    return maps


def _is_zip(path: Path) -> bool:
    """Whether torch wrote it as it does since 1.6; older files cannot stay on disk."""
    with path.open("rb") as file:
        return file.read(2) == b"PK"


def _bad(path: Path, why: str) -> EngineError:
    return EngineError(
        ErrorCode.BAD_INPUT,
        f"{path.name} is not UVAPM's detail decoder: {why}.",
        "Give variational_autoencoder.pth as UVAPM released it.",
    )
