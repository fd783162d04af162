"""Albedo models of any size in a fit: it solves on maps of about `SOLVE_SIZE`.

Light and coarse albedo are smooth, so finer texels add work but no information. Averaging is
linear: a model averaged over blocks of texels has the same coefficients as the model itself.
"""

import cv2
import numpy as np

from ...protocol.albedo import CHANNELS
from ...protocol.albedo_pack import AlbedoModel

SOLVE_SIZE = 256
"""Ours: the size of the default model, at which the settings were chosen."""


def reduce_model(model: AlbedoModel, size: int = SOLVE_SIZE) -> AlbedoModel:
    """The model averaged over square blocks of texels, at least `size` a side; itself when small.

    A block counts as valid when half of its texels are; the others take no part in its average.
    """
    side = model.valid.shape[0]
    step = next((step for step in range(side // size, 1, -1) if side % step == 0), 1)
    if step == 1:
        return model
    share = _blocks(model.valid.astype(np.float32), step)
    valid = share >= 0.5
    weight = np.where(valid, share, 1.0)
    mean = np.empty((CHANNELS, int(valid.sum())), np.float32)
    basis = np.empty((*model.basis.shape[:2], mean.shape[1]), np.float32)
    plane = np.zeros(model.valid.shape, np.float32)
    for channel in range(CHANNELS):
        rows = [model.mean[channel], *model.basis[channel]]
        for target, row in zip([mean[channel], *basis[channel]], rows, strict=True):
            plane[model.valid] = row
            target[:] = (_blocks(plane, step) / weight)[valid]
    return AlbedoModel(mean, basis, np.linalg.norm(basis, axis=2), valid, model.covariance)


def _blocks(plane: np.ndarray, step: int) -> np.ndarray:
    """Means of the step x step blocks of a square plane."""
    count = plane.shape[0] // step
    return cv2.resize(plane, (count, count), interpolation=cv2.INTER_AREA)
