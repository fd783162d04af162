"""Settings of the paper's recipe. Where paper and code say nothing, a number is ours."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class PaperWeights:
    """Weights of the losses; 0 leaves one out.

    identity, photometric (colour) and feature are those of the released fitting code, the others
    those of the code it builds on (stages that are dead there), see `losses` for the terms.
    """

    photometric: float = 10.0
    landmarks: float = 2e-3
    identity: float = 10.0
    feature: float = 12.0
    """100 in the code, on a VGG whose distances are an eighth of those of our network's layers."""
    consistency: float = 1.0
    """The paper names the term without a weight. Ours."""
    identity_prior: float = 2e-4
    expression_prior: float = 1.6e-3
    albedo_prior: float = 2e-4
    detail_prior: float = 2e-5
    """On the 4096 numbers of the latent. Ours, like the one on the albedo."""
    even_light: float = 10.0


@dataclass(frozen=True)
class PaperSettings:
    """Adam's rates and steps for shape, coarse albedo and detail, and the weights of the losses."""

    rates: tuple[float, float, float] = (1e-3, 1e-3, 1e-3)
    """Of the paper (Adam, 1e-3). All parameters are in standard deviations, radians, metres."""
    steps: tuple[int, int, int] = (100, 100, 100)
    """Of the released code: 100 and 100 after its regressor. Ours for the first stage, in which
    our landmark fit stands in for the regressor, whose weights cannot be had."""
    weights: PaperWeights = field(default_factory=PaperWeights)
    feature_weight: float = 3.0
    """Weight of brows, lids and lips in the photometric loss, other skin 1. The paper has weights
    of regions and does not tell them. Ours."""
    views: tuple[float, ...] = (-30.0, 30.0)
    """Yaw in degrees of the views whose features must agree. Ours."""


QUICK = PaperSettings(rates=(1e-3, 0.05, 0.05), steps=(20, 20, 10))
"""Rates with which so few steps arrive, for `evaluate ablation`. Ours: coefficients are in standard
deviations, of which 1e-3 a step never leaves the start. The shape, with its own units, moves less:
the identity network likes closed eyes and a wry mouth better than ours where it may have them."""
