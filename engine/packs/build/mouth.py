"""The mouth of the mean head: lips closed, tongue and upper teeth where a smile shows them right.

The source mesh leaves a slit between the lips, and its tongue fills the mouth up to the lips.
"""

import numpy as np

from .makehuman import ControlHead
from .subdivide import Subdivision

INNER_DEPTH = 0.012
"""Metres behind the foremost lip vertex within which the mouth's lining moves with the lips."""
JAW_DROP = (0.004, 0.012)
"""Metres that jawOpen lowers a vertex: below the first it is upper lip, above the second lower."""
HALF_WIDTH = 0.012
BIN = 0.003
OVERLAP = 0.0009
"""Metres by which the closed lips overlap, so that identity (0.3 mm at two sigma) seldom opens
them. Ours: seen in renders, less lets the teeth through."""

TONGUE_SHIFT = (0.0, -0.014, -0.020)
UPPER_TEETH_SHIFT = (0.0, -0.0070, 0.003)
"""Metres. Ours, by eye in rendered smiles: the upper teeth overlap the lower ones and show, the
tongue rests behind them."""


def settle_mouth(mean: np.ndarray, groups: dict[str, np.ndarray]) -> np.ndarray:
    """Mean head (V0, 3) with tongue and upper teeth moved to where they rest."""
    tongue = groups["tongue"][:, None] * np.array(TONGUE_SHIFT)
    return mean + tongue + groups["teeth_upper"][:, None] * np.array(UPPER_TEETH_SHIFT)


def settle_expression(
    expression: np.ndarray, names: tuple[str, ...], groups: dict[str, np.ndarray]
) -> np.ndarray:
    """Shapes (E, V0, 3) over the settled head: tongueOut starts from the tongue's old place, or
    the tongue would come out through the lower lip."""
    out = expression.copy()
    out[names.index("tongueOut")] -= groups["tongue"][:, None] * np.array(TONGUE_SHIFT)
    return out


def lip_weights(head: ControlHead, groups: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """(V0,) weights in [0, 1] of the upper and the lower lip with the lining just behind them."""
    depth = head.vertices[:, 2]
    near = depth > depth[groups["lips"] > 0.5].max() - INNER_DEPTH
    region = np.maximum(groups["lips"], groups["mouth"] * near)
    drop = -head.expression[head.expression_names.index("jawOpen"), :, 1]
    lower = np.clip((drop - JAW_DROP[0]) / (JAW_DROP[1] - JAW_DROP[0]), 0.0, 1.0)
    return region * (1.0 - lower), region * lower


def lip_gap(fine: np.ndarray, upper: np.ndarray, lower: np.ndarray) -> float:
    """Metres between the lips (negative: overlap), the widest place of the middle 24 mm.

    fine (V, 3): positions; upper, lower (V,): fine lip weights. Per 3 mm of width (finer bins
    miss vertices): lowest point of the upper lip less highest point of the lower lip.
    """
    gaps = []
    for left in np.arange(-HALF_WIDTH, HALF_WIDTH, BIN):
        inside = (fine[:, 0] >= left) & (fine[:, 0] < left + BIN)
        above, below = fine[inside & (upper > 0.5), 1], fine[inside & (lower > 0.5), 1]
        if len(above) and len(below):
            gaps.append(above.min() - below.max())
    return float(max(gaps)) if gaps else 0.0


def seal_lips(
    mean: np.ndarray, head: ControlHead, groups: dict[str, np.ndarray], step: Subdivision
) -> np.ndarray:
    """Mean head (V0, 3) with both lips moved half the gap (and half OVERLAP) towards each other."""
    upper, lower = lip_weights(head, groups)
    gap = lip_gap(step.apply(mean), step.apply(upper), step.apply(lower))
    shift = np.zeros_like(mean)
    shift[:, 1] = 0.5 * max(gap + OVERLAP, 0.0) * (lower - upper)
    return mean + shift
