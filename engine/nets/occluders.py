"""Skin against what covers it, told in the skin's layout: hair, glasses, hands, hats, background.

A small U-net (Ronneberger et al. 2015) that looks at the photo without its light beside the
coarse albedo that was fitted to it. In the layout features have their place, so a learned plane a
channel tells the net where it looks. Trained on made up occluders (`train/occluders`).
"""

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ..protocol.safetensors import read_safetensors

LAYOUT = 256
"""Texels a side of the map that the window is of."""
WINDOW = 192
TOP, LEFT = 20, 32
"""The window of the layout that the net sees: the face with its surroundings."""
SIDE = 128
"""Texels a side at which it sees them. Ours: what is thinner than a rim of glasses is left to the
robust weights, and the net takes less than half the time of one at 192."""
CHANNELS = 8
"""Of the input: photo without light (3), coarse albedo (3), seen (1), facing (1)."""
WIDTHS = (16, 32, 48, 64, 64)
PLACES = 8
WEIGHTS = Path(__file__).parent / "data" / "occluders.safetensors"


def window(texture: np.ndarray) -> np.ndarray:
    """The part of a map (256, 256, ...) that the net sees, as it sees it: (128, 128, ...)."""
    part = texture[TOP : TOP + WINDOW, LEFT : LEFT + WINDOW].astype(np.float32)
    return cv2.resize(part, (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def unwindow(part: np.ndarray) -> np.ndarray:
    """(256, 256) map of a window (128, 128); 0 around it."""
    part = cv2.resize(part, (WINDOW, WINDOW), interpolation=cv2.INTER_LINEAR)
    return np.pad(part, ((TOP, LAYOUT - TOP - WINDOW), (LEFT, LAYOUT - LEFT - WINDOW)))


class _Block(nn.Module):
    """Two 3x3 convolutions with group norms (Wu & He 2018)."""

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, width, 3, stride, 1)
        self.second = nn.Conv2d(width, width, 3, 1, 1)
        self.norms = nn.ModuleList([nn.GroupNorm(4, width), nn.GroupNorm(4, width)])

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) -> (B, width, H / stride, W / stride)."""
        x = functional.silu(self.norms[0](self.first(x)))
        return functional.silu(self.norms[1](self.second(x)))


class OccluderNet(nn.Module):
    """(B, 8, 128, 128) -> (B, 128, 128) logits: above 0 what covers the skin."""

    def __init__(self) -> None:
        super().__init__()
        half = SIDE // 2
        self.place = nn.Parameter(torch.zeros(1, PLACES, half // 4, half // 4))
        inputs = [4 * CHANNELS + PLACES, *WIDTHS[:-1]]
        strides = [1, 2, 2, 2, 2]
        self.down = nn.ModuleList(map(_Block, inputs, WIDTHS, strides))
        pairs = zip(WIDTHS[:0:-1], WIDTHS[-2::-1], strict=True)
        self.up = nn.ModuleList([_Block(low + skip, skip, 1) for low, skip in pairs])
        self.last = nn.Conv2d(WIDTHS[0], 4, 3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        x = functional.pixel_unshuffle(x, 2)
        place = functional.interpolate(self.place, x.shape[-2:], mode="bilinear")
        x = torch.cat([x, place.expand(len(x), -1, -1, -1)], 1)
        levels = []
        for block in self.down:
            x = block(x)
            levels.append(x)
        for block, skip in zip(self.up, levels[-2::-1], strict=True):
            x = functional.interpolate(x, skip.shape[-2:], mode="bilinear")
            x = block(torch.cat([x, skip], 1))
        return functional.pixel_shuffle(self.last(x), 2)[:, 0]


def net_input(
    unlit: np.ndarray, coarse: np.ndarray, visible: np.ndarray, facing: np.ndarray
) -> np.ndarray:
    """(8, S, S) float32 of maps (S, S, ...): unlit and coarse sRGB in [0, 1], visible in [0, 1],
    facing the cosine between normal and view. Unseen texels are 0 but for the coarse albedo."""
    seen = visible.astype(np.float32)[..., None]
    maps = [unlit * seen, coarse, seen, np.clip(facing, 0.0, 1.0)[..., None] * seen]
    return np.ascontiguousarray(np.concatenate(maps, -1).transpose(2, 0, 1), dtype=np.float32)


@lru_cache(maxsize=1)
def occluder_net() -> OccluderNet:
    """The trained network, read once. Raises EngineError(BAD_INPUT) for a damaged file."""
    net = OccluderNet()
    arrays = read_safetensors(WEIGHTS)
    net.load_state_dict(
        {name: torch.from_numpy(array.astype(np.float32)) for name, array in arrays.items()}
    )
    return net.eval().requires_grad_(False)


def covered_texels(
    unlit: np.ndarray, coarse: np.ndarray, visible: np.ndarray, facing: np.ndarray
) -> np.ndarray:
    """(256, 256) float32 in [0, 1]: how surely something covers the skin. Maps of 256 a side, as
    for `net_input`. 0 where nothing is visible or the net does not look."""
    maps = [window(x) for x in (unlit, coarse, visible, facing)]
    with torch.no_grad():
        logits = occluder_net()(torch.from_numpy(net_input(*maps))[None])[0]
    return unwindow(torch.sigmoid(logits).numpy() * maps[2].astype(np.float32))
