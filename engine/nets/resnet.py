"""ResNet-50 (He, Zhang, Ren & Sun 2016, "Deep Residual Learning for Image Recognition").

Bottleneck blocks of figure 5 in the layout of table 1, for inputs of any size and number of
channels. The stride of a stage lies on its 3 x 3 convolution, not on the 1 x 1 before it as in the
paper: a quarter of the picture is not passed over, and it is what published weights ("v1.5", as in
torchvision) expect. Names of the weights are torchvision's, so that such a file fits as it is.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ..protocol.errors import EngineError, ErrorCode
from ..protocol.safetensors import read_safetensors

EXPANSION = 4
"""Channels that leave a bottleneck, in widths of the block (table 1)."""
COLOURS = 3
"""Input channels of published weights."""
_COUNTER = "num_batches_tracked"
_HEAD = ("fc.weight", "fc.bias")
_STEM = "conv1.weight"
_HEAD_SPREAD = 0.01
"""Deviation of the last layer's first weights, as in the paper's ancestors (Krizhevsky et al.
2012): the outputs begin near 0."""


@dataclass(frozen=True)
class ResNetShape:
    """widths: channels inside the blocks of each stage, the first also of the stem. blocks: their
    number per stage. The defaults are ResNet-50."""

    widths: tuple[int, ...] = (64, 128, 256, 512)
    blocks: tuple[int, ...] = (3, 4, 6, 3)

    def __post_init__(self) -> None:
        """Raises EngineError(BAD_SETTINGS)."""
        numbers = (*self.widths, *self.blocks)
        if len(self.widths) != len(self.blocks) or not numbers or min(numbers) < 1:
            raise EngineError(
                ErrorCode.BAD_SETTINGS,
                "A residual network needs as many widths as numbers of blocks, all from 1; "
                f"got {self.widths} and {self.blocks}.",
            )


class _Bottleneck(nn.Module):
    """1 x 1, 3 x 3, 1 x 1 beside a shortcut, each with batch norm (figure 5, right)."""

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        outputs = EXPANSION * width
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample: nn.Module | None = None
        if stride != 1 or inputs != outputs:  # option B of section 4.1
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        y = functional.relu(self.bn1(self.conv1(x)))
        y = functional.relu(self.bn2(self.conv2(y)))
        return functional.relu(self.bn3(self.conv3(y)) + shortcut)


class ResNet(nn.Module):
    """Pictures (N, inputs, H, W) to (N, outputs), by the mean over the last feature map."""

    def __init__(self, shape: ResNetShape, inputs: int, outputs: int) -> None:
        super().__init__()
        channels = shape.widths[0]
        self.conv1 = nn.Conv2d(inputs, channels, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self._stages = []
        for number, (width, blocks) in enumerate(zip(shape.widths, shape.blocks, strict=True), 1):
            layers = []
            for block in range(blocks):
                stride = 2 if number > 1 and block == 0 else 1
                layers.append(_Bottleneck(channels, width, stride))
                channels = EXPANSION * width
            self._stages.append(f"layer{number}")
            self.add_module(self._stages[-1], nn.Sequential(*layers))
        self.fc = nn.Linear(channels, outputs)
        self._begin()

    def _begin(self) -> None:
        """First weights: He et al. 2015, equation 10, by outputs; blocks begin as their shortcut
        (Goyal et al. 2017, section 5.1); the last layer near 0."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if isinstance(module, _Bottleneck):
                nn.init.zeros_(module.bn3.weight)
        nn.init.normal_(self.fc.weight, std=_HEAD_SPREAD)
        nn.init.zeros_(self.fc.bias)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, outputs); H and W of any size."""
        x = functional.relu(self.bn1(self.conv1(x)))
        x = functional.max_pool2d(x, 3, 2, 1)
        for stage in self._stages:
            x = self.get_submodule(stage)(x)
        return self.fc(x.mean((2, 3)))


def load_start_weights(net: ResNet, path: Path) -> None:
    """Begin from the weights in a safetensors file with torchvision's names, of the same shape.

    The file's last layer is passed over. Its first layer sees three colours; further input
    channels of `net` begin with weights 0. Raises EngineError(BAD_INPUT) when the file cannot be
    read or a weight is missing, unknown, of another shape or not finite; `net` is then unchanged.
    """
    try:
        table = read_safetensors(path)
    except EngineError as error:
        raise _refuse(path, error.message.rstrip(".")) from error
    wanted = {
        name: value
        for name, value in net.state_dict().items()
        if not name.endswith(_COUNTER) and name not in _HEAD
    }
    found = {
        name: array
        for name, array in table.items()
        if not name.endswith(_COUNTER) and name not in _HEAD
    }
    for name in sorted(wanted.keys() ^ found.keys()):
        raise _refuse(path, f"{name} is {'missing' if name in wanted else 'unknown'}")
    state = {name: _fitted(path, name, found[name], value) for name, value in wanted.items()}
    net.load_state_dict(state, strict=False)


def _fitted(path: Path, name: str, array: np.ndarray, wanted: Tensor) -> Tensor:
    shape = tuple(wanted.shape)
    if name == _STEM and shape[1] > COLOURS:
        shape = (shape[0], COLOURS, *shape[2:])
    if array.dtype.kind != "f" or array.shape != shape:
        raise _refuse(path, f"{name} must be real numbers of the shape {shape}, got {array.shape}")
    if not np.isfinite(array).all():
        raise _refuse(path, f"{name} has values that are not finite")
    part = torch.from_numpy(array.astype(np.float32))
    if shape == wanted.shape:
        return part
    value = torch.zeros_like(wanted)
    value[:, :COLOURS] = part
    return value


def _refuse(path: Path, what: str) -> EngineError:
    return EngineError(
        ErrorCode.BAD_INPUT,
        f"{path.name} does not hold start weights of this residual network: {what}.",
        "Expected a safetensors file with torchvision's names of ResNet-50 "
        "(such as layer4.2.conv3.weight).",
    )
