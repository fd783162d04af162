"""Where skin shows, by a face parsing network whose weights the user brings.

BiSeNet (Yu et al. 2018) with a ResNet-18 (He et al. 2016) as trained on CelebAMask-HQ, names of the
weights as in its public PyTorch code (face-parsing.PyTorch, model.py; file 79999_iter.pth, which
FFHQ-UV and UVAPM use). That file was not at hand: names and sizes are checked when one is read.
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from .crop import SquareCrop, cut, to_batch
from .person_mask import paste
from .weights_file import Published, load_network

INPUT_SIZE = 512
CLASSES = (
    *("background", "skin", "l_brow", "r_brow", "l_eye", "r_eye", "eye_g", "l_ear", "r_ear"),
    *("ear_r", "nose", "mouth", "u_lip", "l_lip", "neck", "neck_l", "cloth", "hair", "hat"),
)
"""Of CelebAMask-HQ, in the order of the network's outputs."""
BARE = (
    *("skin", "l_brow", "r_brow", "l_eye", "r_eye", "l_ear", "r_ear", "nose", "mouth"),
    *("u_lip", "l_lip", "neck"),
)
"""What shows the head itself; glasses, ear rings, necklaces, cloth, hair and hats cover it."""
UNUSED_PREFIXES = ("conv_out16.", "conv_out32.")
"""Outputs that only its training looked at."""
MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's colours, as torchvision normalises them."""
_WIDTHS = (64, 64, 128, 256, 512)


class _Conv(nn.Module):
    def __init__(self, inputs: int, outputs: int, kernel: int = 3) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False)
        self.bn = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.bn(self.conv(x)))


class _Basic(nn.Module):
    """The residual block of two convolutions (He et al. 2016, figure 5 left)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample: nn.Module | None = None
        if stride > 1 or inputs != outputs:
            short = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            self.downsample = nn.Sequential(short, nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(x)))))
        shortcut = x if self.downsample is None else self.downsample(x)
        return functional.relu(hidden + shortcut)


class _ResNet18(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, _WIDTHS[0], 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(_WIDTHS[0])
        for level in range(1, 5):
            before, width = _WIDTHS[level - 1 : level + 1]
            first = _Basic(before, width, 1 if level == 1 else 2)
            self.add_module(f"layer{level}", nn.Sequential(first, _Basic(width, width, 1)))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Features at 1/8, 1/16 and 1/32."""
        x = functional.max_pool2d(functional.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        levels = []
        for level in range(1, 5):
            x = self.get_submodule(f"layer{level}")(x)
            levels.append(x)
        return levels[1], levels[2], levels[3]


class _Attention(nn.Module):
    """Attention refinement (Yu et al. 2018, figure 2 b)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = _Conv(inputs, outputs)
        self.conv_atten = nn.Conv2d(outputs, outputs, 1, bias=False)
        self.bn_atten = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        return x * self.bn_atten(self.conv_atten(x.mean((2, 3), keepdim=True))).sigmoid()


class _Context(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.resnet = _ResNet18()
        self.arm16, self.arm32 = _Attention(256, 128), _Attention(512, 128)
        self.conv_head32, self.conv_head16 = _Conv(128, 128), _Conv(128, 128)
        self.conv_avg = _Conv(512, 128, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Features at 1/8: the residual network's, and those of the wider context."""
        near, middle, far = self.resnet(x)
        whole = self.conv_avg(far.mean((2, 3), keepdim=True))
        wide = functional.interpolate(self.arm32(far) + whole, middle.shape[2:])
        wide = self.arm16(middle) + self.conv_head32(wide)
        return near, self.conv_head16(functional.interpolate(wide, near.shape[2:]))


class _Fusion(nn.Module):
    """Feature fusion (Yu et al. 2018, figure 2 c)."""

    def __init__(self) -> None:
        super().__init__()
        self.convblk = _Conv(256, 256, 1)
        self.conv1 = nn.Conv2d(256, 64, 1, bias=False)
        self.conv2 = nn.Conv2d(64, 256, 1, bias=False)

    def forward(self, near: Tensor, wide: Tensor) -> Tensor:
        x = self.convblk(torch.cat([near, wide], 1))
        hidden = functional.relu(self.conv1(x.mean((2, 3), keepdim=True)))
        return x + x * self.conv2(hidden).sigmoid()


class _Output(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = _Conv(256, 256)
        self.conv_out = nn.Conv2d(256, len(CLASSES), 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv_out(self.conv(x))


class FaceParsing(nn.Module):
    """Classes of a picture's places."""

    def __init__(self) -> None:
        super().__init__()
        self.cp, self.ffm, self.conv_out = _Context(), _Fusion(), _Output()

    def forward(self, pictures: Tensor) -> Tensor:
        """(N, 3, H, W) RGB, sRGB in [0, 1], sides multiples of 32, to (N, 19, H, W) scores."""
        mean, spread = (torch.tensor(numbers)[:, None, None] for numbers in (MEAN, SPREAD))
        scores = self.conv_out(self.ffm(*self.cp((pictures - mean) / spread)))
        size = pictures.shape[2:]
        return functional.interpolate(scores, size, mode="bilinear", align_corners=True)


def bare_mask(net: FaceParsing, photo: np.ndarray) -> np.ndarray:
    """(H, W) float32 in [0, 1]: how sure the network is that the head itself shows.

    photo: (H, W, 3) float32 sRGB in [0, 1], cut to about twice the face's box.
    """
    height, width = photo.shape[:2]
    whole = SquareCrop(width / 2, height / 2, float(max(width, height)), 0.0, INPUT_SIZE)
    with torch.no_grad():
        shares = net(to_batch([cut(photo, whole)]))[0].softmax(0)
    bare = shares[[CLASSES.index(name) for name in BARE]].sum(0)
    return paste(bare.numpy(), whole, height, width)


def load_face_parsing(path: Path) -> FaceParsing:
    """The network from a file of weights, ready to run; see `load_network`, errors too."""
    published = Published(
        "BiSeNet for faces",
        "the state of face-parsing.PyTorch, 79999_iter.pth",
        UNUSED_PREFIXES,
    )
    return load_network(FaceParsing, path, published)
