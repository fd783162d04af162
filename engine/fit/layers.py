"""Stage 3 on a pack: gathers what the detail and the photo layer need, and puts them together."""

from dataclasses import dataclass, replace

import numpy as np
import torch

from ..nets.fovea import grid_matrices, resample
from ..reporter import Reporter
from .albedo import AlbedoFit
from .detail import DetailFit, DetailMap, detail_fit, detailed_albedo, fit_detail, no_detail
from .detail_residual import cell_trust, detail_residual, hair_cells
from .face_view import FaceView, SkinGeometry, face_view, fitting_size
from .layer_errors import layer_errors
from .loaded import (
    LoadedPack,
    closable_mask,
    evidence_mask,
    skin_atlas,
    uv_mask,
    writable_mask,
)
from .observe import FittedView, observe
from .photo_layer import photo_layer
from .resize import resize_texture
from .settings import FitSettings
from .unlit import closed_skin, inner_person, seen_texels, unlit_colour


@dataclass(frozen=True, eq=False)
class _Unwrapped:
    """The photo without light (S, S, 3) sRGB, and the trust in it (S, S)."""

    unlit: np.ndarray
    seen: np.ndarray


@dataclass(frozen=True, eq=False)
class LayerTask:
    """What stage 3 starts from.

    face (h, w) in [0, 1]: the working crop's pixels of the face's skin; coarse (T, T, 3) sRGB;
    seed: of the detail that is drawn where nothing was seen.
    """

    loaded: LoadedPack
    view: FittedView
    face: np.ndarray
    coarse: np.ndarray
    albedo: AlbedoFit
    seed: int


def _unwrap(task: LayerTask, mask: np.ndarray, settings: FitSettings) -> _Unwrapped:
    """mask (S, S) in [0, 1]: which texels may count."""
    view, crop = task.view, task.view.crop
    inner = inner_person(crop.person, task.face, settings.seen)
    inside = replace(view, crop=replace(crop, person=inner))
    observation = observe(task.loaded, inside, len(mask))
    skin = task.albedo.skin
    skin = closed_skin(skin, closable_mask(task.loaded.head, len(skin)), settings.seen)
    seen = seen_texels(observation, mask, skin, settings.albedo, settings.seen)
    return _Unwrapped(unlit_colour(observation, task.albedo.light, settings.albedo), seen)


def _look(task: LayerTask, trust: np.ndarray, scale: float, samples: int) -> FaceView:
    loaded, view = task.loaded, task.view
    geometry = SkinGeometry(
        view.vertices,
        loaded.triangles[loaded.solid],
        torch.from_numpy(loaded.head.triangle_uv)[loaded.solid],
        loaded.skin.repeat_interleave(2)[loaded.solid],
        torch.from_numpy(task.albedo.light.astype(np.float32)),
    )
    return face_view(geometry, view.camera, view.crop.image, task.face, trust, scale, samples)


def _detail_map(task: LayerTask, settings: FitSettings, reporter: Reporter) -> DetailMap:
    net = task.loaded.detail
    if net is None:
        return no_detail()
    size = net.model.info.size
    coarse = resize_texture(task.coarse, size)
    photo = _unwrap(task, evidence_mask(task.loaded.head, size), settings)
    residual = detail_residual(photo.unlit, coarse, photo.seen, settings.detail)
    on_grid = resample(photo.seen, grid_matrices(size))
    trust = cell_trust(on_grid, net.model.info.latent_size, settings.detail)
    calm = hair_cells(uv_mask(task.loaded.head, ("scalp",), size), net.model.info.latent_size)
    pixels = _look(task, photo.seen, *fitting_size(task.face, settings.detail.samples))
    return fit_detail(
        net, residual, photo.seen, trust, calm, coarse, pixels, task.seed, settings.detail, reporter
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
    photo = _unwrap(task, mask, settings)
    reporter.progress(settings.detail.iterations, settings.detail.iterations)
    over = photo_layer(
        photo.unlit,
        detailed,
        photo.seen,
        mask,
        skin_atlas(task.loaded, size).valid.numpy(),
        settings.photo_layer,
    )
    whole = _look(task, np.ones((1, 1), np.float32), 1.0, 1)
    errors = layer_errors(whole, coarse, detailed, over.albedo)
    return detail_fit(found, detailed, over), errors
