"""Small formulas that several folders need. numpy only."""

import numpy as np


def smoothstep(value: np.ndarray, zero: float, one: float) -> np.ndarray:
    """Cubic step 3t^2 - 2t^3, elementwise: 0 at `zero` and before, 1 at `one` and beyond.

    A Hermite polynomial with flat ends; `zero` may lie above `one`, then the step falls.
    """
    t = np.clip((value - zero) / (one - zero), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def align_similarity(
    source: np.ndarray, target: np.ndarray, weight: np.ndarray
) -> tuple[float, np.ndarray, np.ndarray]:
    """Scale, rotation, translation with target ~ scale * R @ source + t (Umeyama 1991, eq. 34-43).

    source, target (n, 3); weight (n,) >= 0, not all 0.
    """
    share = weight / weight.sum()
    mean_source, mean_target = share @ source, share @ target
    a, b = source - mean_source, target - mean_target
    u, d, vt = np.linalg.svd((b * share[:, None]).T @ a)
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = (u * sign) @ vt
    scale = float((d * sign).sum() / (share @ (a**2).sum(axis=1)))
    return scale, rotation, mean_target - scale * rotation @ mean_source
