"""ArcFace (Deng et al. 2019), for weights that the user brings: likeness as the papers measure it.

The improved residual network of 50 layers (Duta et al. 2020) as InsightFace trains it, names of the
weights as in its public PyTorch code (iresnet.py); FFHQ-UV and UVAPM use its file
ms1mv3_arcface_r50_fp16_backbone.pth. That file was not at hand: names and sizes are checked when
one is read.
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from .crop import resample, to_batch
from .identity import align
from .weights_file import Published, load_network

INPUT_SIZE, EMBEDDING_SIZE = 112, 512
WIDTHS, BLOCKS = (64, 128, 256, 512), (3, 4, 14, 3)
STEM = 64
TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655],
     [70.7299, 92.2041]]
)  # fmt: skip
"""InsightFace's five points in a chip of 112 pixels: eye on the picture's left, on its right, tip
of the nose, corners of the mouth likewise."""
MESH_POINTS = ((33, 133), (362, 263), (1,), (61,), (291,))
"""The same among the 468 landmarks; an eye's centre is that of its corners."""


class _Block(nn.Module):
    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.prelu = nn.PReLU(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(width)
        self.downsample: nn.Module | None = None
        if stride > 1:
            short = nn.Conv2d(inputs, width, 1, stride, bias=False)
            self.downsample = nn.Sequential(short, nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.prelu(self.bn2(self.conv1(self.bn1(x))))
        shortcut = x if self.downsample is None else self.downsample(x)
        return self.bn3(self.conv2(hidden)) + shortcut


class ArcFace(nn.Module):
    """Embeds aligned faces."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, STEM, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(STEM)
        self.prelu = nn.PReLU(STEM)
        inputs = STEM
        for number, (width, count) in enumerate(zip(WIDTHS, BLOCKS, strict=True), start=1):
            blocks = [_Block(inputs if k == 0 else width, width, 2 - (k > 0)) for k in range(count)]
            self.add_module(f"layer{number}", nn.Sequential(*blocks))
            inputs = width
        self.bn2 = nn.BatchNorm2d(inputs)
        self.fc = nn.Linear(inputs * (INPUT_SIZE // 16) ** 2, EMBEDDING_SIZE)
        self.features = nn.BatchNorm1d(EMBEDDING_SIZE)

    def forward(self, chips: Tensor) -> Tensor:
        """(N, 3, 112, 112) RGB, sRGB in [0, 1], to (N, 512) embeddings, not normalised."""
        x = self.prelu(self.bn1(self.conv1(2.0 * chips - 1.0)))
        for number in range(1, len(WIDTHS) + 1):
            x = self.get_submodule(f"layer{number}")(x)
        return self.features(self.fc(self.bn2(x).flatten(1)))

    def embed(self, picture: np.ndarray, points: np.ndarray) -> Tensor:
        """(512,) of the face with these landmarks (468, 2+) in a picture (H, W, 3) sRGB."""
        with torch.no_grad():
            chip = resample(picture, chip_matrix(points), INPUT_SIZE)
            return self(to_batch([chip]))[0]


def chip_matrix(points: np.ndarray) -> np.ndarray:
    """(2, 3) float64 map from the chip to the picture with landmarks (468, 2+)."""
    five = np.stack([points[list(chosen), :2].mean(axis=0) for chosen in MESH_POINTS])
    return align(TEMPLATE, five)


def load_arcface(path: Path) -> ArcFace:
    """The network from a file of weights, ready to run; see `load_network`, errors too."""
    published = Published(
        "ArcFace's network of 50 layers",
        "InsightFace's PyTorch backbone, such as ms1mv3_arcface_r50_fp16_backbone.pth",
    )
    return load_network(ArcFace, path, published)
