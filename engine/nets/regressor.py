"""The shape regressor: what two fixed nets see of a face -> head coefficients with deviations.

It takes the embedding of the identity net, which tells who somebody is whatever the light and the
view, and the 468 points of the landmark net; both nets were trained on real faces. A trunk reads
identity, expression, pose, light and better points off them, each with a standard deviation. Ours;
that an identity net is the best base for the shape of a face is MICA's finding (Zielonka et al.
2022). On our random photos the embedding told more of the shape than the points or the landmark
net's inner maps; the identity net's own maps told still more there, but less on scans.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from .crop import SquareCrop, cut, to_batch
from .dlib_file import EMBEDDING_SIZE
from .face_mesh import POINTS
from .identity import IdentityNet, face_chip
from .tflite_graph import GraphNet

POINT_INPUTS = 3 * POINTS + 9
UNIT = 100.0
"""Points go in and come out in centimetres, so that all numbers are of order one."""
LIGHT = 27
POSE = 4
"""Rotation vector of the true pose after the observed one, and the log of the distance."""
LEAST_LOG, MOST_LOG = -5.0, 1.5
"""Limits of the logarithm of a standard deviation."""


@dataclass(frozen=True)
class RegressorInfo:
    """Sizes. identity, expression: coefficients that are told; hidden: width of the trunk."""

    identity: int = 60
    expression: int = 52
    hidden: int = 320

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
class Points:
    """points (468, 3) float64: pixels of the crop (192 a side), depth in the same scale.
    presence in [0, 1]."""

    points: np.ndarray
    presence: float


def look(net: GraphNet, photos: Sequence[np.ndarray], crops: Sequence[SquareCrop]) -> list[Points]:
    """One pass of the landmark net over a crop of INPUT pixels of each photo, all together."""
    pictures = [cut(photo, crop, carry_rim=True) for photo, crop in zip(photos, crops, strict=True)]
    with torch.no_grad():
        coordinates, logit = net(to_batch(pictures))
    points = coordinates.reshape(len(crops), POINTS, 3).numpy().astype(np.float64)
    presence = torch.sigmoid(logit.reshape(-1)).tolist()
    return [Points(each, sure) for each, sure in zip(points, presence, strict=True)]


def embeddings(
    net: IdentityNet, photos: Sequence[np.ndarray], points: Sequence[np.ndarray]
) -> np.ndarray:
    """(n, 128) float32: the identity net's embedding of each face, all together.

    photos (H, W, 3) float32 sRGB; points (468, 2+): of the photos, pixels.
    """
    chips = [face_chip(photo, each) for photo, each in zip(photos, points, strict=True)]
    with torch.no_grad():
        found: np.ndarray = net(to_batch(chips)).numpy()
    return found


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
    """(n, 1413) float32: what the net sees of the points."""
    count = len(aligned.offset)
    parts = [aligned.offset.reshape(count, -1) * UNIT, aligned.rotation.reshape(count, -1)]
    return np.concatenate(parts, 1).astype(np.float32)


class RegressorNet(nn.Module):
    """Embedding and points to means and logarithms of standard deviations."""

    embedding_mean: Tensor
    embedding_scale: Tensor
    points_mean: Tensor

    def __init__(self, info: RegressorInfo) -> None:
        super().__init__()
        self.info = info
        self.total = sum(info.groups().values())
        # What the samples have on average: set once, before the training.
        self.register_buffer("embedding_mean", torch.zeros(EMBEDDING_SIZE))
        self.register_buffer("embedding_scale", torch.ones(1))
        self.register_buffer("points_mean", torch.zeros(POINT_INPUTS))
        self.picture = nn.Linear(EMBEDDING_SIZE, info.hidden)
        self.points = nn.Linear(POINT_INPUTS, info.hidden)
        self.trunk = nn.Sequential(
            nn.PReLU(info.hidden), nn.Linear(info.hidden, info.hidden), nn.PReLU(info.hidden)
        )
        self.mean = nn.Linear(info.hidden, self.total)
        self.log = nn.Linear(info.hidden, self.total)
        # Straight ways for the identity, which is nearly linear in both.
        self.straight = nn.Linear(POINT_INPUTS, info.identity, bias=False)
        self.straight_picture = nn.Linear(EMBEDDING_SIZE, info.identity, bias=False)
        for layer in (self.mean, self.log, self.straight, self.straight_picture):
            nn.init.zeros_(layer.weight)

    def forward(self, embedding: Tensor, points: Tensor, drop: Tensor | None = None) -> Tensor:
        """(n, 2, total): means, then logarithms of standard deviations.

        embedding (n, 128) of `embeddings`; points (n, 1413) of `inputs_of`; drop (n, 2) factors of
        the two: 0 for what is not to be seen.
        """
        embedding = (embedding - self.embedding_mean) / self.embedding_scale
        points = points - self.points_mean
        if drop is not None:
            embedding, points = embedding * drop[:, :1], points * drop[:, 1:]
        hidden = self.trunk(self.picture(embedding) + self.points(points))
        mean, log = self.mean(hidden), self.log(hidden)
        straight = self.straight(points) + self.straight_picture(embedding)
        straight = functional.pad(straight, (0, self.total - self.info.identity))
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

    def read(
        self, points: np.ndarray, embedding: np.ndarray, with_points: bool = True
    ) -> tuple[Regressed, Aligned]:
        """What is told of one face, and the pose of its points.

        points (468, 3): levelled (eyes in one row), depth in the same scale; embedding (128,).
        Without points the picture alone tells: for those who weigh the points themselves.
        """
        aligned = align(points[None], self.mean, self.weight)
        drop = torch.tensor([[1.0, 1.0 if with_points else 0.0]])
        seen = torch.from_numpy(inputs_of(aligned))
        with torch.no_grad():
            out = self.net(torch.from_numpy(embedding[None]), seen, drop)[0].double()
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
