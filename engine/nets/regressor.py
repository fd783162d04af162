"""The shape regressor: what the landmark net sees of a face -> head coefficients with deviations.

It looks through the fixed landmark net (`face_mesh.py`), which was trained on real faces: its map
half way up and its 468 points. Two small branches and a trunk read identity, expression, pose,
light and better points off them, each with a standard deviation. Ours; that a net which knows
faces is a good base for head coefficients is MICA's finding (Zielonka et al. 2022).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from .crop import SquareCrop, cut, to_batch
from .face_mesh import INPUT, POINTS
from .tflite_graph import GraphNet

MAP_CHANNELS, MAP_SIDE = 128, 12
"""Of the landmark net's last map with 12 x 12 places: 16 pixels of its input each."""
UNIT = 100.0
"""Points go in and come out in centimetres, so that all numbers are of order one."""
LIGHT = 27
POSE = 4
"""Rotation vector of the true pose after the observed one, and the log of the distance."""
LEAST_LOG, MOST_LOG = -5.0, 1.5
"""Limits of the logarithm of a standard deviation."""


@dataclass(frozen=True)
class RegressorInfo:
    """Sizes. identity, expression: coefficients that are told; hidden: width of the trunk;
    channels: of the branch that looks at the picture."""

    identity: int = 60
    expression: int = 52
    hidden: int = 320
    channels: int = 64

    def groups(self) -> dict[str, int]:
        """Numbers of each kind that the net tells, in order."""
        return {
            "identity": self.identity,
            "expression": self.expression,
            "pose": POSE,
            "light": LIGHT,
            "points": 3 * POINTS,
        }


@dataclass(frozen=True, eq=False)
class Seen:
    """points (468, 3) float64: pixels of the crop (192 a side), depth in the same scale.
    map (128, 12, 12) float32. presence in [0, 1]."""

    points: np.ndarray
    map: np.ndarray
    presence: float


def look(net: GraphNet, photos: Sequence[np.ndarray], crops: Sequence[SquareCrop]) -> list[Seen]:
    """One pass of the landmark net over a crop of each photo, INPUT pixels, with its inner map."""
    with torch.no_grad():
        pictures = to_batch(
            [cut(photo, crop, carry_rim=True) for photo, crop in zip(photos, crops, strict=True)]
        )
        (coordinates, logit), inner = net.run(pictures, (MAP_CHANNELS, MAP_SIDE, MAP_SIDE))
    assert inner is not None and INPUT == 16 * MAP_SIDE  # `load_nets` has checked the net
    points = coordinates.reshape(len(crops), POINTS, 3).numpy().astype(np.float64)
    presence = torch.sigmoid(logit.reshape(-1)).numpy()
    rows = zip(points, inner.numpy(), presence, strict=True)
    return [Seen(point, image, float(sure)) for point, image, sure in rows]


@dataclass(frozen=True, eq=False)
class Aligned:
    """Points laid over the mean head. offset (n, 468, 3): from the mean, metres, model space;
    rotation (n, 3, 3), scale (n,): points = scale * rotation @ model + shift."""

    offset: np.ndarray
    rotation: np.ndarray
    scale: np.ndarray
    shift: np.ndarray

    def back(self, offset: np.ndarray) -> np.ndarray:
        """(n, 468, 3) vectors of model space in the points' own space."""
        turned = offset @ self.rotation.transpose(0, 2, 1)
        return np.asarray(self.scale[:, None, None] * turned)


def align(points: np.ndarray, mean: np.ndarray, weight: np.ndarray) -> Aligned:
    """Many sets of points (n, 468, 3) on the mean landmarks (468, 3), weights (468,).

    Umeyama 1991, as `head.numerics.align_similarity` (its twin for one), all at once.
    """
    share = weight / weight.sum()
    centre, middle = share @ mean, np.einsum("l,nlx->nx", share, points)
    a, b = mean - centre, points - middle[:, None]
    u, d, vt = np.linalg.svd(np.einsum("nlx,l,ly->nxy", b, share, a))
    sign = np.ones_like(d)
    sign[:, 2] = np.sign(np.linalg.det(u @ vt))
    rotation = (u * sign[:, None]) @ vt
    scale = (d * sign).sum(1) / (share @ (a**2).sum(1))
    shift = middle - scale[:, None] * (rotation @ centre)
    offset = (points - shift[:, None]) @ rotation / scale[:, None, None] - mean
    return Aligned(offset, rotation, scale, shift)


def inputs_of(aligned: Aligned) -> np.ndarray:
    """(n, 3 * 468 + 9) float32: what the net sees of the points."""
    count = len(aligned.offset)
    parts = [aligned.offset.reshape(count, -1) * UNIT, aligned.rotation.reshape(count, -1)]
    return np.concatenate(parts, 1).astype(np.float32)


class RegressorNet(nn.Module):
    """Map and points to means and logarithms of standard deviations."""

    def __init__(self, info: RegressorInfo) -> None:
        super().__init__()
        self.info = info
        self.total = sum(info.groups().values())
        points = 3 * POINTS + 9
        self.picture = nn.Sequential(
            nn.Conv2d(MAP_CHANNELS, info.channels, 3, stride=2, padding=1),
            nn.PReLU(info.channels),
            nn.Conv2d(info.channels, info.channels // 2, 1),
            nn.Flatten(),
            nn.Linear(info.channels // 2 * (MAP_SIDE // 2) ** 2, info.hidden),
        )
        self.points = nn.Linear(points, info.hidden)
        self.trunk = nn.Sequential(
            nn.PReLU(info.hidden), nn.Linear(info.hidden, info.hidden), nn.PReLU(info.hidden)
        )
        self.mean = nn.Linear(info.hidden, self.total)
        self.log = nn.Linear(info.hidden, self.total)
        # A straight way for the identity: points depend on it linearly.
        self.straight = nn.Linear(points, info.identity, bias=False)
        for layer in (self.mean, self.log, self.straight):
            nn.init.zeros_(layer.weight)

    def forward(self, image: Tensor, points: Tensor, drop: Tensor | None = None) -> Tensor:
        """(n, 2, total): means, then logarithms of standard deviations.

        image (n, 128, 12, 12); points (n, 1413) of `inputs_of`; drop (n, 2) factors of the two
        branches in training.
        """
        one, two = self.picture(image), self.points(points)
        if drop is not None:
            one, two = one * drop[:, :1], two * drop[:, 1:]
        hidden = self.trunk(one + two)
        mean, log = self.mean(hidden), self.log(hidden)
        straight = functional.pad(self.straight(points), (0, self.total - self.info.identity))
        # A soft limit keeps gradients alive beyond it.
        half, middle = (MOST_LOG - LEAST_LOG) / 2.0, (MOST_LOG + LEAST_LOG) / 2.0
        log = middle + half * torch.tanh((log - middle) / half)
        return torch.stack([mean + straight, log], 1)


@dataclass(frozen=True, eq=False)
class Regressed:
    """What the net tells of one face; each mean has a standard deviation of the same shape.

    identity (K,) sigmas of the head's prior; expression (E,); pose (4,): rotation vector after
    the observed pose, and log of the distance in metres; light (9, 3): shading in model space,
    its ambient luminance 1; points (468, 3): metres in model space, by which the observed points
    must be moved.
    """

    identity: np.ndarray
    identity_sigma: np.ndarray
    expression: np.ndarray
    expression_sigma: np.ndarray
    pose: np.ndarray
    pose_sigma: np.ndarray
    light: np.ndarray
    light_sigma: np.ndarray
    points: np.ndarray
    points_sigma: np.ndarray


@dataclass(frozen=True, eq=False)
class Regressor:
    """A trained net with the landmarks of the head that it knows: mean (468, 3) metres, weight
    (468,), modes (K, 468, 3) metres per sigma of the identity."""

    net: RegressorNet
    mean: np.ndarray
    weight: np.ndarray
    modes: np.ndarray

    def read(self, seen: Seen) -> tuple[Regressed, Aligned]:
        """What is told of one face, and the pose of the observed points in the crop."""
        aligned = align(seen.points[None], self.mean, self.weight)
        with torch.no_grad():
            image = torch.from_numpy(seen.map[None])
            out = self.net(image, torch.from_numpy(inputs_of(aligned)))[0].double()
        return regressed(out.numpy(), self.net.info), aligned


def regressed(out: np.ndarray, info: RegressorInfo) -> Regressed:
    """The named parts of an output (2, total)."""
    sizes = list(info.groups().values())
    means = np.split(out[0], np.cumsum(sizes)[:-1])
    sigmas = np.split(np.exp(out[1]), np.cumsum(sizes)[:-1])
    shapes = ((-1,), (-1,), (-1,), (9, 3), (POINTS, 3))
    units = (1.0, 1.0, 1.0, 1.0, 1.0 / UNIT)
    parts = [
        values.reshape(shape) * unit
        for mean, sigma, shape, unit in zip(means, sigmas, shapes, units, strict=True)
        for values in (mean, sigma)
    ]
    return Regressed(*parts)


def normal_nll(mean: Tensor, log: Tensor, truth: Tensor) -> Tensor:
    """Negative log likelihood of a normal distribution, without its constant, elementwise."""
    return 0.5 * ((truth - mean) * torch.exp(-log)).square() + log
