"""LPIPS (Zhang et al. 2018) by weights that the user supplies; none ship with this project.

The file is the state dict of the authors' model (version 0.1, AlexNet or VGG-16 with the trained
linear layers), saved as safetensors: `scaling_layer.*`, `net.sliceN.<index>.weight` and `.bias`,
`linN.model.1.weight`. The indices are those of torchvision's `features`.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ...protocol.errors import EngineError, ErrorCode
from ...protocol.safetensors import read_safetensors

# A step: ("conv", index, stride, padding), ("pool", window) or ("tap", number of linear layer).
_Step = tuple[str, int] | tuple[str, int, int, int]
_VGG_BLOCKS = ((0, 2), (5, 7), (10, 12, 14), (17, 19, 21), (24, 26, 28))
ALEX: tuple[_Step, ...] = (
    ("conv", 0, 4, 2),
    ("tap", 0),
    ("pool", 3),
    ("conv", 3, 1, 2),
    ("tap", 1),
    ("pool", 3),
    ("conv", 6, 1, 1),
    ("tap", 2),
    ("conv", 8, 1, 1),
    ("tap", 3),
    ("conv", 10, 1, 1),
    ("tap", 4),
)
"""Krizhevsky 2014, as torchvision has it; windows of 3 texels, pooled by steps of 2."""
_ALEX_WIDTHS = ((64, 3, 11), (192, 64, 5), (384, 192, 3), (256, 384, 3), (256, 256, 3))


def _vgg() -> tuple[_Step, ...]:
    """Simonyan & Zisserman 2015, configuration D."""
    steps: list[_Step] = []
    for number, block in enumerate(_VGG_BLOCKS):
        steps += [("pool", 2)] if number else []
        steps += [("conv", index, 1, 1) for index in block]
        steps.append(("tap", number))
    return tuple(steps)


VGG = _vgg()
_VGG_WIDTHS = (
    *((64, 3, 3), (64, 64, 3), (128, 64, 3), (128, 128, 3), (256, 128, 3), (256, 256, 3)),
    *((256, 256, 3), (512, 256, 3), *((512, 512, 3),) * 5),
)
EPSILON = 1e-10
"""In the norm of a feature vector, as in the authors' code."""


class LpipsDistance(nn.Module):
    """LPIPS of two grey pictures, as a map."""

    def __init__(self, tensors: Mapping[str, np.ndarray]) -> None:
        """tensors: see the module. Raises EngineError(BAD_INPUT)."""
        super().__init__()
        first = tensors.get("net.slice1.0.weight")
        alex = first is not None and first.shape == (64, 3, 11, 11)
        self.steps = ALEX if alex else VGG
        for name, shape in expected_shapes(alex).items():
            array = tensors.get(name)
            if array is None or array.shape != shape or not np.isfinite(array).all():
                found = "nothing" if array is None else f"shape {array.shape}"
                raise _bad(f"expected {name} of shape {shape}, found {found}")
            value = torch.from_numpy(array.astype(np.float32))
            self.register_buffer(name.replace(".", "_"), value)
        slices = {_index(name): name for name in expected_shapes(alex) if name.endswith("weight")}
        self._convolutions = {index: name for index, name in slices.items() if index >= 0}

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """a, b: (N, 1, S, S) V in [0, 1], sRGB, shown as grey. Returns (N, 1, S/4, S/4).

        Equation 1 of the paper without its mean over the picture.
        """
        pictures = torch.cat([a, b]).clamp(0.0, 1.0).expand(-1, 3, -1, -1)
        x = 2.0 * pictures - 1.0
        x = (x - self.get_buffer("scaling_layer_shift")) / self.get_buffer("scaling_layer_scale")
        size = [a.shape[-2] // 4, a.shape[-1] // 4]
        total = a.new_zeros(())
        for kind, number, *rest in self.steps:
            if kind == "conv":
                name = self._convolutions[number].replace(".", "_")
                weight, bias = self.get_buffer(name), self.get_buffer(name[:-6] + "bias")
                x = functional.relu(functional.conv2d(x, weight, bias, rest[0], rest[1]))
            elif kind == "pool":
                x = functional.max_pool2d(x, number, 2)
            else:
                unit = x / (x.square().sum(1, keepdim=True).add(EPSILON).sqrt() + EPSILON)
                one, two = unit.chunk(2)
                squares = (one - two).square()
                layer = functional.conv2d(squares, self.get_buffer(f"lin{number}_model_1_weight"))
                total = total + functional.interpolate(layer, size=size, mode="area")
        return total


def read_lpips(path: Path) -> LpipsDistance:
    """Read a file of weights. Raises EngineError(BAD_INPUT) in plain words."""
    try:
        tensors = read_safetensors(path)
    except EngineError as error:
        raise _bad(error.message.rstrip(".")) from error
    return LpipsDistance(tensors).eval().requires_grad_(False)


def expected_shapes(alex: bool) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the weights of AlexNet or VGG-16."""
    widths = iter(_ALEX_WIDTHS if alex else _VGG_WIDTHS)
    shapes: dict[str, tuple[int, ...]] = {
        "scaling_layer.shift": (1, 3, 1, 1),
        "scaling_layer.scale": (1, 3, 1, 1),
    }
    part, channels = 1, 0
    for kind, number, *_ in ALEX if alex else VGG:
        if kind == "conv":
            channels, inputs, side = next(widths)
            shapes[f"net.slice{part}.{number}.weight"] = (channels, inputs, side, side)
            shapes[f"net.slice{part}.{number}.bias"] = (channels,)
        elif kind == "tap":
            shapes[f"lin{number}.model.1.weight"] = (1, channels, 1, 1)
            part += 1
    return shapes


def _index(name: str) -> int:
    """Of a convolution, in torchvision's `features`; -1 for other weights."""
    return int(name.split(".")[2]) if name.startswith("net.") else -1


def _bad(why: str) -> EngineError:
    return EngineError(
        ErrorCode.BAD_INPUT,
        f"The LPIPS weights cannot be used: {why}.",
        "Give the state dict of LPIPS 0.1 (AlexNet, VGG-16) as safetensors, or no --lpips.",
    )
