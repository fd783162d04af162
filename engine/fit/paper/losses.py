"""Losses of fitting a face to a photo, each a pure, differentiable function.

The multilevel loss of Deng et al. 2019 ("Accurate 3D Face Reconstruction with Weakly-Supervised
Learning", equations 3 to 8), which the UVAPM paper takes over with weights of regions, and the
consistency of features between views that it adds. None of them knows a renderer.
"""

import torch
from torch import Tensor
from torch.nn import functional

from ...nets.identity import IdentityNet

FEATURE_LAYERS = (0, 3, 7, 11)
"""Outputs of the identity network that are compared: its stem and the ends of its stages at 1/4,
1/8 and 1/16 of the picture, as LPIPS takes one layer of each size (Zhang et al. 2018)."""
HEAVY_LANDMARKS = (*range(28, 31), *range(60, 68))
"""Of the iBUG 68: nose ridge and inner mouth, which count 20 times (Deng et al. 2019, eq. 4)."""
HEAVY_WEIGHT = 20.0
_EPSILON = 1e-8


def photometric_loss(render: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Mean length of the colour difference over the weighted pixels (Deng et al. 2019, eq. 3).

    render, target (H, W, 3) sRGB in [0, 1]; weight (H, W) >= 0: visible skin times the weight of
    its region. Returns (), sRGB units; 0 when no pixel counts.
    """
    squared = ((render - target) ** 2).sum(-1)
    # The root has no slope at zero, where the pictures agree and nothing should pull.
    length = torch.where(squared > 0, squared, torch.ones_like(squared)).sqrt() * (squared > 0)
    return (weight * length).sum() / weight.sum().clamp(min=_EPSILON)


def landmark_weights(count: int = 68) -> Tensor:
    """(68,) weights of the iBUG landmarks: `HEAVY_WEIGHT` for `HEAVY_LANDMARKS`, else 1."""
    weight = torch.ones(count)
    weight[list(HEAVY_LANDMARKS)] = HEAVY_WEIGHT
    return weight


def landmark_loss(points: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Mean over the points of weight times squared distance (Deng et al. 2019, eq. 4).

    points, target (N, 2) pixels; weight (N,) >= 0, 0 for points that are not trusted. Returns (),
    squared pixels.
    """
    return (weight * ((points - target) ** 2).sum(-1)).sum() / len(points)


def identity_loss(a: Tensor, b: Tensor) -> Tensor:
    """1 - cosine of embeddings (..., D), averaged: 0 for equal directions (Deng et al., eq. 5).

    The same figure is the identity distance of `evaluate photos`.
    """
    return (1.0 - functional.cosine_similarity(a, b, dim=-1)).mean()


def consistency_loss(views: Tensor, reference: Tensor) -> Tensor:
    """How far the features of a person differ from view to view and from the photo.

    views (V, D): embeddings of renders from several sides; reference (D,): of the photo. Mean over
    the views of 1 - cosine to the photo, and over pairs of views of 1 - cosine to each other, half
    each. Ours: the paper names the term (multi-view consistency) and gives no formula.
    """
    unit = functional.normalize(views, dim=-1)
    to_photo = 1.0 - unit @ functional.normalize(reference, dim=-1)
    count = len(views)
    if count < 2:
        return to_photo.mean()
    among = (count**2 - unit.sum(0).square().sum()) / (count * (count - 1))
    return 0.5 * (to_photo.mean() + among)


def prior_loss(coefficients: Tensor) -> Tensor:
    """Sum of squares of coefficients in standard deviations (Deng et al. 2019, eq. 7)."""
    return coefficients.square().sum()


def even_light_loss(light: Tensor) -> Tensor:
    """Mean squared distance of the light's channels from their mean: a monochrome prior.

    light (9, 3) shading. The term that FFHQ-UV calls gamma and takes over from Deng et al.'s code.
    """
    return (light - light.mean(-1, keepdim=True)).square().mean()


def feature_maps(net: IdentityNet, pictures: Tensor) -> list[Tensor]:
    """Unit feature vectors (N, C, h, w) of each of `FEATURE_LAYERS`.

    pictures (N, 3, H, W) sRGB in [0, 1]. Differentiable.
    """
    features = net.features(pictures, FEATURE_LAYERS[-1])
    chosen = [features[number] for number in FEATURE_LAYERS]
    # Unit vectors as in LPIPS (equation 1); the small number keeps flat areas finite.
    return [x / (x.square().sum(1, keepdim=True) + _EPSILON).sqrt() for x in chosen]


def feature_loss(a: list[Tensor], b: list[Tensor], weight: Tensor) -> Tensor:
    """Squared distance of unit features, averaged over a region and summed over the layers.

    Zhang et al. 2018, equation 1, with all channel weights 1. a, b: `feature_maps` of N pictures;
    weight (H, W) >= 0. Returns ().
    """
    total = weight.new_zeros(())
    for one, two in zip(a, b, strict=True):
        share = functional.interpolate(weight[None, None], size=one.shape[-2:], mode="area")
        distance = (one - two).square().sum(1, keepdim=True)
        total = total + (share * distance).sum() / (share.sum() * len(one)).clamp(min=_EPSILON)
    return total
