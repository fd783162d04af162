"""Stage 3 on a pack: gathers what the detail and the photo layer need, and puts them together."""

from dataclasses import dataclass

import numpy as np
import torch

from ..nets.fovea import grid_matrices, resample
from ..reporter import Reporter
from .confidence import confidence_map
from .detail import DetailFit, DetailMap, detail_fit, detailed_albedo, fit_detail, no_detail
from .detail_residual import cell_trust, detail_residual, hair_cells
from .face_view import FaceView, SkinGeometry, face_view, fitting_size
from .fitted_photo import FittedPhoto
from .layer_errors import layer_errors
from .loaded import (
    LoadedPack,
    evidence_mask,
    skin_atlas,
    uv_mask,
    writable_mask,
)
from .photo_layer import photo_layer
from .request import FitRequest
from .resize import resize_texture
from .settings import FitSettings
from .unwrap import unwrap


@dataclass(frozen=True, eq=False)
class LayerTask:
    """What stage 3 starts from.

    photos: of the person, the main one first; coarse (T, T, 3) sRGB; request: seed of the detail
    that is drawn where nothing was seen, and what is held.
    """

    loaded: LoadedPack
    photos: tuple[FittedPhoto, ...]
    coarse: np.ndarray
    request: FitRequest


def _look(task: LayerTask, trust: np.ndarray, scale: float, samples: int) -> FaceView:
    loaded, photo = task.loaded, task.photos[0]
    view = photo.view
    geometry = SkinGeometry(
        view.vertices,
        loaded.triangles[loaded.solid],
        torch.from_numpy(loaded.head.triangle_uv)[loaded.solid],
        loaded.skin.repeat_interleave(2)[loaded.solid],
        torch.from_numpy(photo.albedo.light.astype(np.float32)),
    )
    return face_view(geometry, view.camera, view.crop.image, photo.face, trust, scale, samples)


def _detail_map(task: LayerTask, settings: FitSettings, reporter: Reporter) -> DetailMap:
    net = task.loaded.detail
    if net is None:
        return no_detail()
    size = net.model.info.size
    coarse = resize_texture(task.coarse, size)
    mask = evidence_mask(task.loaded.head, size)
    photo = unwrap(task.loaded, task.photos, mask, coarse, settings)
    residual = detail_residual(photo.unlit, coarse, photo.seen, settings.detail)
    on_grid = resample(photo.seen, grid_matrices(size))
    trust = cell_trust(on_grid, net.model.info.latent_size, settings.detail)
    calm = hair_cells(uv_mask(task.loaded.head, ("scalp",), size), net.model.info.latent_size)
    pixels = _look(task, photo.seen, *fitting_size(task.photos[0].face, settings.detail.samples))
    return fit_detail(
        net,
        residual,
        photo.seen,
        trust,
        calm,
        coarse,
        pixels,
        task.request.seed,
        settings.detail,
        reporter,
    )


def fit_layers(
    task: LayerTask, settings: FitSettings, reporter: Reporter
) -> tuple[DetailFit, dict[str, float]]:
    """Detail and photo layer of one photo, and what each explains (see `layer_errors`).

    Raises Cancelled.
    """
    found = _detail_map(task, settings, reporter)
    coarse, size = task.coarse, len(task.coarse)
    detailed = detailed_albedo(coarse, found.detail)
    mask = writable_mask(task.loaded.head, size)
    photo = unwrap(task.loaded, task.photos, mask, detailed, settings)
    reporter.progress(settings.detail.iterations, settings.detail.iterations)
    valid = skin_atlas(task.loaded, size).valid.numpy()
    over = photo_layer(photo.unlit, detailed, photo.seen, mask, valid, settings.photo_layer)
    confidence = confidence_map(photo.seen, photo.density, valid, settings.confidence)
    whole = _look(task, np.ones((1, 1), np.float32), 1.0, 1)
    errors = layer_errors(whole, coarse, detailed, over.albedo)
    return detail_fit(found, detailed, over, confidence), errors
