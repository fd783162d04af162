"""How much of the picture each layer of the albedo explains."""

from collections.abc import Sequence

import numpy as np
import torch

from ..seen.face_view import FaceView

LAYERS = ("coarse", "detail", "photo")


def layer_errors(
    view: FaceView, coarse: np.ndarray, detailed: np.ndarray, albedo: np.ndarray
) -> dict[str, float]:
    """Figures of the render with the coarse albedo, with detail, and with the photo layer.

    view: the photo's pixels of the face's skin; the three maps (T, T, 3) sRGB. See
    `layer_figures`.
    """
    return layer_figures(view, unexplained(view, (coarse, detailed, albedo)))


def unexplained(view: FaceView, maps: Sequence[np.ndarray]) -> list[float]:
    """The `squared_error` of each albedo map (T, T, 3) sRGB."""
    layers = np.concatenate(maps, axis=-1, dtype=np.float32)
    each = view.sample(torch.from_numpy(layers)).split(3, dim=1)
    return [squared_error(view, view.still_picture(on_skin)) for on_skin in each]


def squared_error(view: FaceView, picture: torch.Tensor) -> float:
    """Sum over pixels and channels of weight times the squared difference of photo and picture
    (h, w, 3), sRGB units."""
    left = view.target - picture
    return float((view.weight[..., None] * left * left).sum())


def layer_figures(view: FaceView, sums: Sequence[float]) -> dict[str, float]:
    """residual_X and share_X of the `LAYERS` with these sums, see `unexplained`.

    residual_X: root mean square of render minus photo over the pixels and channels, sRGB units.
    share_X: what layer X adds to the explained part of the picture's variance, as the sequential
    sums of squares of a regression: with S_X = sum w (photo - render up to layer X)^2 and S = sum
    w (photo - its mean colour)^2 they are 1 - S_coarse / S, (S_coarse - S_detail) / S and
    (S_detail - S_photo) / S. Shape, light and coarse albedo are one in the first. What is missing
    to 1 nothing explains; a layer that makes the picture worse has a negative share.
    """
    weight = view.weight[..., None]
    count = max(3.0 * float(weight.sum()), 1e-9)
    mean = (weight * view.target).sum((0, 1)) / max(float(weight.sum()), 1e-9)
    total = max(float((weight * (view.target - mean) ** 2).sum()), 1e-12)
    figures, before = {}, total
    for name, left in zip(LAYERS, sums, strict=True):
        figures[f"residual_{name}"] = (left / count) ** 0.5
        figures[f"share_{name}"] = (before - left) / total
        before = left
    return figures
