"""The linear head model: coefficients to vertices."""

import torch


def evaluate_shape(
    mean: torch.Tensor,
    identity: torch.Tensor,
    expression: torch.Tensor,
    z: torch.Tensor,
    w: torch.Tensor,
) -> torch.Tensor:
    """Vertices of a head, in metres, model space; differentiable in all inputs.

    mean: (V, 3). identity: (K, V, 3), displacement at one standard deviation. expression:
    (E, V, 3), displacement at weight 1. z: (K,) standard deviations. w: (E,) weights in [0, 1].
    Returns (V, 3). Fewer coefficients than components are refused by torch (RuntimeError).

    `mean + sum_k z_k identity_k + sum_e w_e expression_e`: the linear model with additive
    expressions of Blanz & Vetter 1999 and Cao et al. 2014.
    """
    shape = mean.reshape(-1)
    if z.numel():
        shape = shape + z @ identity.reshape(identity.shape[0], -1)
    if w.numel():
        shape = shape + w @ expression.reshape(expression.shape[0], -1)
    return shape.reshape(mean.shape)
