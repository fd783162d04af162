"""Stage 3, first step: the detail that the photo itself shows, unwrapped."""

import cv2
import numpy as np
import torch

from ...nets.fovea import grid_matrices, resample
from ...protocol.detail import detail_of
from ...render.low_pass import LowPass
from ..settings import DetailSettings


def detail_residual(
    unlit: np.ndarray, coarse: np.ndarray, seen: np.ndarray, settings: DetailSettings
) -> np.ndarray:
    """V of the photo's own albedo minus V of the coarse one, fast part: (S, S) float32, signed.

    unlit, coarse (S, S, 3) sRGB; seen (S, S) in [0, 1]. The slow part, a Gaussian of
    `highpass_sigma` read over seen skin, is where light that the fit missed hides; what the
    coarse model can express is not lost with it. Large values are limited softly: they are hair,
    highlights or misplaced features. Unseen texels fade to 0 over `fade_sigma`.
    """
    difference = detail_of(unlit, coarse).astype(np.float32)
    slow = LowPass(torch.from_numpy(seen), settings.highpass_sigma * len(coarse))
    fast = difference - slow(torch.from_numpy(difference)[..., None])[..., 0].numpy()
    limited = settings.limit * np.tanh(fast / settings.limit)
    faded = cv2.GaussianBlur(seen, (0, 0), settings.fade_sigma * len(coarse)) * (seen > 0.0)
    return (limited * faded).astype(np.float32)


def hair_cells(scalp: np.ndarray, cells: int) -> np.ndarray:
    """(cells, cells) in [0, 1]: latent cells in the scalp or at its rim. scalp (S, S) likewise."""
    on_grid = resample(scalp, grid_matrices(len(scalp)))
    share = cv2.resize(on_grid, (cells, cells), interpolation=cv2.INTER_AREA)
    return np.clip(2.0 * cv2.dilate(share, np.ones((3, 3))), 0.0, 1.0)


def cell_trust(seen: np.ndarray, cells: int, settings: DetailSettings) -> np.ndarray:
    """(cells, cells) in [0, 1]: how far the latent cells can be read off.

    seen (S, S) in [0, 1], on the net's own grid. The share of a cell that was seen, as a step
    from `least_cover` to `sure_cover`.
    """
    cover = cv2.resize(seen, (cells, cells), interpolation=cv2.INTER_AREA)
    step = (cover - settings.least_cover) / (settings.sure_cover - settings.least_cover)
    return np.clip(step, 0.0, 1.0)
