"""The Inception network of the Frechet Inception Distance, for weights that the user brings.

Structure: Inception v3 (Szegedy et al. 2016, "Rethinking the Inception Architecture") as in
TensorFlow's release of 2015-12-05, which Heusel et al. 2017 measured with: average pools do not
count the padding, and the last block pools by maximum. Names of the weights are those of the
PyTorch port everybody compares with (pt_inception-2015-12-05-6726825d.pth).
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from .weights_file import Published, load_network

FEATURES = 2048
INPUT_SIZE = 299
NORM_EPSILON = 1e-3
UNUSED_PREFIXES = ("fc.", "AuxLogits.")
"""The classifiers of a whole Inception v3; the features are taken before them."""


@dataclass(frozen=True)
class _Layer:
    """A convolution with batch norm and ReLU. Strided ones and those of the stem are not padded."""

    name: str
    outputs: int
    kernel: tuple[int, int] = (1, 1)
    stride: int = 1
    padded: bool = True


_Step = _Layer | str | tuple[_Layer, ...]
"""A layer, a pool by name, or layers side by side."""


class _Conv(nn.Module):
    def __init__(self, inputs: int, layer: _Layer) -> None:
        super().__init__()
        inside = layer.padded and layer.stride == 1
        padding = (layer.kernel[0] // 2, layer.kernel[1] // 2) if inside else 0
        self.conv = nn.Conv2d(
            inputs, layer.outputs, layer.kernel, layer.stride, padding, bias=False
        )
        self.bn = nn.BatchNorm2d(layer.outputs, eps=NORM_EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.bn(self.conv(x)))


def _pool(x: Tensor, kind: str) -> Tensor:
    if kind == "average":
        return functional.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
    if kind == "maximum":
        return functional.max_pool2d(x, 3, 1, 1)
    return functional.max_pool2d(x, 3, 2)  # "shrink"


class _Mixed(nn.Module):
    """Branches side by side, their channels put together."""

    def __init__(self, inputs: int, branches: tuple[tuple[_Step, ...], ...]) -> None:
        super().__init__()
        self._branches = branches
        self.outputs = 0
        for branch in branches:
            channels = inputs
            for step in branch:
                layers = step if isinstance(step, tuple) else (step,)
                for layer in layers:
                    if isinstance(layer, _Layer):
                        self.add_module(layer.name, _Conv(channels, layer))
                widths = [layer.outputs for layer in layers if isinstance(layer, _Layer)]
                channels = sum(widths) or channels
            self.outputs += channels

    def _run(self, x: Tensor, step: _Step) -> Tensor:
        if isinstance(step, str):
            return _pool(x, step)
        if isinstance(step, tuple):
            return torch.cat([self.get_submodule(layer.name)(x) for layer in step], 1)
        return self.get_submodule(step.name)(x)

    def forward(self, x: Tensor) -> Tensor:
        results = []
        for branch in self._branches:
            y = x
            for step in branch:
                y = self._run(y, step)
            results.append(y)
        return torch.cat(results, 1)


_Branches = tuple[tuple[_Step, ...], ...]


def _five_by_five(pooled: int) -> _Branches:
    """Blocks of 35 x 35 (figure 5 of Szegedy et al., with one 5 x 5 kept)."""
    return (
        (_Layer("branch1x1", 64),),
        (_Layer("branch5x5_1", 48), _Layer("branch5x5_2", 64, (5, 5))),
        (
            _Layer("branch3x3dbl_1", 64),
            _Layer("branch3x3dbl_2", 96, (3, 3)),
            _Layer("branch3x3dbl_3", 96, (3, 3)),
        ),
        ("average", _Layer("branch_pool", pooled)),
    )


def _seven_by_seven(width: int) -> _Branches:
    """Blocks of 17 x 17 (figure 6): a 7 x 7 kernel as rows and columns."""
    return (
        (_Layer("branch1x1", 192),),
        (
            _Layer("branch7x7_1", width),
            _Layer("branch7x7_2", width, (1, 7)),
            _Layer("branch7x7_3", 192, (7, 1)),
        ),
        (
            _Layer("branch7x7dbl_1", width),
            _Layer("branch7x7dbl_2", width, (7, 1)),
            _Layer("branch7x7dbl_3", width, (1, 7)),
            _Layer("branch7x7dbl_4", width, (7, 1)),
            _Layer("branch7x7dbl_5", 192, (1, 7)),
        ),
        ("average", _Layer("branch_pool", 192)),
    )


def _split_three(pool: str) -> _Branches:
    """Blocks of 8 x 8 (figure 7): rows and columns side by side."""
    return (
        (_Layer("branch1x1", 320),),
        (
            _Layer("branch3x3_1", 384),
            (_Layer("branch3x3_2a", 384, (1, 3)), _Layer("branch3x3_2b", 384, (3, 1))),
        ),
        (
            _Layer("branch3x3dbl_1", 448),
            _Layer("branch3x3dbl_2", 384, (3, 3)),
            (_Layer("branch3x3dbl_3a", 384, (1, 3)), _Layer("branch3x3dbl_3b", 384, (3, 1))),
        ),
        (pool, _Layer("branch_pool", 192)),
    )


_TO_17: _Branches = (
    (_Layer("branch3x3", 384, (3, 3), 2),),
    (
        _Layer("branch3x3dbl_1", 64),
        _Layer("branch3x3dbl_2", 96, (3, 3)),
        _Layer("branch3x3dbl_3", 96, (3, 3), 2),
    ),
    ("shrink",),
)
_TO_8: _Branches = (
    (_Layer("branch3x3_1", 192), _Layer("branch3x3_2", 320, (3, 3), 2)),
    (
        _Layer("branch7x7x3_1", 192),
        _Layer("branch7x7x3_2", 192, (1, 7)),
        _Layer("branch7x7x3_3", 192, (7, 1)),
        _Layer("branch7x7x3_4", 192, (3, 3), 2),
    ),
    ("shrink",),
)
_STEM: tuple[_Layer | str, ...] = (
    _Layer("Conv2d_1a_3x3", 32, (3, 3), 2),
    _Layer("Conv2d_2a_3x3", 32, (3, 3), padded=False),
    _Layer("Conv2d_2b_3x3", 64, (3, 3)),
    "shrink",
    _Layer("Conv2d_3b_1x1", 80),
    _Layer("Conv2d_4a_3x3", 192, (3, 3), padded=False),
    "shrink",
)
_BLOCKS: dict[str, _Branches] = {
    "Mixed_5b": _five_by_five(32),
    "Mixed_5c": _five_by_five(64),
    "Mixed_5d": _five_by_five(64),
    "Mixed_6a": _TO_17,
    "Mixed_6b": _seven_by_seven(128),
    "Mixed_6c": _seven_by_seven(160),
    "Mixed_6d": _seven_by_seven(160),
    "Mixed_6e": _seven_by_seven(192),
    "Mixed_7a": _TO_8,
    "Mixed_7b": _split_three("average"),
    "Mixed_7c": _split_three("maximum"),
}


class InceptionFeatures(nn.Module):
    """Inception v3 up to its last pool."""

    def __init__(self) -> None:
        super().__init__()
        channels = 3
        for layer in _STEM:
            if isinstance(layer, _Layer):
                self.add_module(layer.name, _Conv(channels, layer))
                channels = layer.outputs
        for name, branches in _BLOCKS.items():
            block = _Mixed(channels, branches)
            self.add_module(name, block)
            channels = block.outputs

    def forward(self, pictures: Tensor) -> Tensor:
        """(N, 3, H, W) sRGB in [0, 1] to (N, 2048) features.

        Pictures are resized to 299 x 299 by bilinear sampling without smoothing and stretched to
        [-1, 1], as in the reference measurement.
        """
        size = (INPUT_SIZE, INPUT_SIZE)
        x = functional.interpolate(pictures, size, mode="bilinear", align_corners=False)
        x = 2.0 * x - 1.0
        for layer in _STEM:
            named = isinstance(layer, _Layer)
            x = self.get_submodule(layer.name)(x) if named else _pool(x, layer)
        for name in _BLOCKS:
            x = self.get_submodule(name)(x)
        return x.mean((2, 3))


def load_inception(path: Path) -> InceptionFeatures:
    """The network from a file of weights, ready to run; see `load_network`, errors too."""
    published = Published(
        "the FID Inception network",
        "the state of pt_inception-2015-12-05 (names such as Mixed_7c.branch1x1.bn.bias)",
        UNUSED_PREFIXES,
    )
    return load_network(InceptionFeatures, path, published)
