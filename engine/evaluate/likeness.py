"""How alike a render and its photo are inside the face, at 224 pixels (the paper's Table 1)."""

from dataclasses import dataclass

import numpy as np
import torch

from ..fit.paper.losses import feature_loss, feature_maps, identity_loss
from ..nets.bundle import Nets
from ..nets.crop import SquareCrop, resample, to_batch
from ..nets.identity import face_chip
from ..train.detail.lpips import LpipsDistance
from .image_metrics import compare

CROP_SIZE = 224
"""Pixels a side, as in the UVAPM paper and in Deng et al. 2019."""
CROP_SCALE = 1.4
"""Side of the crop over that of the landmarks' box. Ours: what Deng et al.'s crops come to."""


@dataclass(frozen=True)
class Likeness:
    """A render against its photo.

    psnr in dB and ssim over the region; identity: 1 - cosine of the identity network's embeddings,
    and feature, lpips: distances averaged over the region, of pictures in which the render lies
    over the photo. lpips is None without weights.
    """

    psnr: float
    ssim: float
    identity: float
    feature: float
    lpips: float | None


COLUMNS = ("psnr", "ssim", "identity", "feature")
HIGHER_IS_BETTER = ("psnr", "ssim")


@dataclass(frozen=True, eq=False)
class FaceCrop:
    """A square of the photo round the face.

    picture (224, 224, 3) sRGB; matrix (2, 3): its coordinates to the photo's; points (468, 2): the
    photo's landmarks in it.
    """

    picture: np.ndarray
    matrix: np.ndarray
    points: np.ndarray

    def to_crop(self) -> np.ndarray:
        """(3, 3) homogeneous map from the photo to the crop."""
        return np.linalg.inv(np.vstack([self.matrix, [0.0, 0.0, 1.0]]))


def crop_at(photo: np.ndarray, landmarks: np.ndarray, matrix: np.ndarray) -> FaceCrop:
    """The crop of a photo (H, W, 3) with landmarks (468, 2+) that matrix (2, 3) describes."""
    inverse = np.linalg.inv(matrix[:, :2])
    points = (landmarks[:, :2] - matrix[:, 2]) @ inverse.T
    return FaceCrop(resample(photo, matrix, CROP_SIZE), matrix, points)


def face_crop(photo: np.ndarray, landmarks: np.ndarray) -> FaceCrop:
    """The crop round the landmarks' box."""
    low, high = landmarks[:, :2].min(axis=0), landmarks[:, :2].max(axis=0)
    center, side = (low + high) / 2.0, CROP_SCALE * float((high - low).max())
    square = SquareCrop(float(center[0]), float(center[1]), side, 0.0, CROP_SIZE)
    return crop_at(photo, landmarks, square.matrix())


@dataclass(frozen=True, eq=False)
class Judge:
    """The networks that compare. lpips: None without the user's weights. Faces are told apart by
    ArcFace where the networks have it, else by the pack's own."""

    nets: Nets
    lpips: LpipsDistance | None = None

    def embed(self, picture: np.ndarray, points: np.ndarray) -> torch.Tensor:
        """(128,), of ArcFace (512,), of the face with these landmarks (468, 2) in a picture (H, W,
        3) sRGB."""
        if self.nets.arcface is not None:
            return self.nets.arcface.embed(picture, points)
        with torch.no_grad():
            return self.nets.identity(to_batch([face_chip(picture, points)]))[0]

    def identity_distance(self, one: torch.Tensor, two: torch.Tensor) -> float:
        """1 - cosine of two embeddings."""
        return float(identity_loss(one, two))

    def likeness(self, crop: FaceCrop, render: np.ndarray, region: np.ndarray) -> Likeness:
        """Compare a render (224, 224, 3) sRGB with the photo over a region (224, 224) bool.

        Outside of the region both show the photo, so that hair and background count for neither.
        """
        figures = compare(crop.picture, render, region, region)
        shown = np.where(region[..., None], render, crop.picture).astype(np.float32)
        embedded = [self.embed(picture, crop.points) for picture in (crop.picture, shown)]
        pictures = [to_batch([picture]) for picture in (crop.picture, shown)]
        weight = torch.from_numpy(region.astype(np.float32))
        with torch.no_grad():
            maps = [feature_maps(self.nets.identity, picture) for picture in pictures]
            feature = float(feature_loss(*maps, weight))
            lpips = None if self.lpips is None else _over(self.lpips(*pictures), weight)
        identity = self.identity_distance(*embedded)
        return Likeness(figures.psnr, figures.ssim, identity, feature, lpips)


def _over(distance: torch.Tensor, weight: torch.Tensor) -> float:
    """Mean of a map (1, 1, h, w) over the region."""
    share = torch.nn.functional.interpolate(
        weight[None, None], size=distance.shape[-2:], mode="area"
    )
    return float((distance * share).sum() / share.sum().clamp(min=1e-8))


def flat_face(crop: FaceCrop, region: np.ndarray) -> np.ndarray:
    """A face of the photo's median colour: what no fit at all would come to. (224, 224, 3)."""
    return np.broadcast_to(np.median(crop.picture[region], axis=0), crop.picture.shape)
