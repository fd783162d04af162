"""Stage 3 on a pack: gathers what the detail and the photo layer need, and puts them together."""

from concurrent.futures import Future
from dataclasses import dataclass

import cv2
import numpy as np
import torch

from ...beside import Start
from ...nets.detail import DetailNet
from ...nets.fovea import grid_matrices, resample
from ...render.resize import resize_texture
from ...reporter import Reporter
from ..hold import INSIDE, held_regions, hold_maps, region_mask
from ..loaded import (
    LoadedPack,
    evidence_mask,
    skin_atlas,
    uv_mask,
    writable_mask,
)
from ..request import FitRequest
from ..seen.confidence import confidence_map
from ..seen.face_view import FaceView, SkinGeometry, face_view, fitting_size, with_skin
from ..seen.fitted_photo import FittedPhoto
from ..seen.surfaces import PictureSurfaces, picture_surfaces, skin_view
from ..settings import FitSettings
from .layer_errors import layer_figures, squared_error, unexplained
from .photo_layer import PhotoLayer, photo_layer
from .residual import cell_trust, detail_residual, hair_cells
from .residual_light import without_residual_light
from .stage import (
    DetailFit,
    DetailMap,
    decoded,
    detail_fit,
    detailed_albedo,
    fit_detail,
    improve_detail,
    no_detail,
)
from .unwrap import joined, unwrap, unwrap_each


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


def _refined(task: LayerTask) -> bool:
    """Whether there is a detail to find: a model, and no earlier map that is held."""
    held = "detail" in task.request.held and task.request.start is not None
    return task.loaded.detail is not None and not held


def _look(task: LayerTask, samples: int) -> FaceView:
    """The skin in the main photo at about so many samples."""
    loaded, photo = task.loaded, task.photos[0]
    view = photo.view
    geometry = SkinGeometry(
        view.vertices,
        loaded.triangles[loaded.solid],
        torch.from_numpy(loaded.head.triangle_uv)[loaded.solid],
        loaded.skin.repeat_interleave(2)[loaded.solid],
        torch.from_numpy(photo.albedo.light.astype(np.float32)),
    )
    image, draw = view.crop.image, loaded.rasterizer
    size = fitting_size(photo.face, samples)
    return face_view(geometry, view.camera, image, photo.face, *size, draw)


def _detail_map(
    task: LayerTask, looking: "Future[FaceView] | None", settings: FitSettings, reporter: Reporter
) -> DetailMap:
    """looking: of `_look`, None where it is not `_refined`."""
    net = task.loaded.detail
    if net is None:
        return no_detail()
    if looking is None:
        return decoded(net, task.request.start.alpha)
    size = net.model.info.size
    coarse = resize_texture(task.coarse, size)
    mask = evidence_mask(task.loaded.head, size)
    photo = unwrap(task.loaded, task.photos, mask, coarse, settings)
    on_grid = resample(photo.seen, grid_matrices(size))
    trust = cell_trust(on_grid, net.model.info.latent_size, settings.detail)
    pixels = looking.result().trusting(photo.seen)
    start = task.request.start
    if start is not None and start.alpha is not None and start.seed == task.request.seed:
        found = improve_detail(net, start.alpha, trust, coarse, pixels, settings.detail, reporter)
        return _keep_regions(found, net, task.request)
    residual = detail_residual(photo.unlit, coarse, photo.seen, settings.detail)
    calm = hair_cells(uv_mask(task.loaded.head, ("scalp",), size), net.model.info.latent_size)
    found = fit_detail(
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
    return _keep_regions(found, net, task.request)


def _keep_regions(found: DetailMap, net: DetailNet, request: FitRequest) -> DetailMap:
    """The latent's cells of held regions as they were."""
    regions = held_regions(request.held)
    if not regions or request.start is None or request.start.alpha is None:
        return found
    info = net.model.info
    on_grid = resample(region_mask(regions, info.size), grid_matrices(info.size))
    inside = cv2.resize(on_grid, (info.latent_size,) * 2, interpolation=cv2.INTER_AREA) > INSIDE
    return decoded(net, np.where(inside, request.start.alpha, found.alpha))


def _kept_layer(over: PhotoLayer, detailed: np.ndarray, request: FitRequest) -> PhotoLayer:
    """The photo layer, with what is held of the earlier one: all where the whole albedo is."""
    if request.start is None:
        return over
    old = resize_texture(request.start.layer, len(detailed))
    regions = held_regions(request.held)
    if {"albedo", "detail"} <= request.held:
        layer = old
    elif regions:
        layer = hold_maps(over.layer, old, regions)
    else:
        return over
    albedo = np.clip(detailed + layer, 0.0, 1.0)
    return PhotoLayer(albedo - detailed, over.origin, albedo)


@dataclass(frozen=True, eq=False)
class FittedLayers:
    """fit: the stage's maps; errors: see `layer_errors`; skin (h, w, 3) sRGB: the main photo's
    working crop with the fitted skin of the face in its place; surfaces: see there."""

    fit: DetailFit
    errors: dict[str, float]
    skin: np.ndarray
    surfaces: PictureSurfaces | None


def fit_layers(
    task: LayerTask, settings: FitSettings, reporter: Reporter, start: Start
) -> FittedLayers:
    """Detail and photo layer of one photo, and what each explains.

    start: of `beside`, for what need not wait. Raises Cancelled.
    """
    coarse, size, loaded = task.coarse, len(task.coarse), task.loaded
    mask = writable_mask(loaded.head, size)
    looking = start(_look, task, settings.detail.samples) if _refined(task) else None
    waiting = start(unwrap_each, loaded, task.photos, mask, settings)
    drawing = start(_drawn, task)
    found = _detail_map(task, looking, settings, reporter)
    skins, (surfaces, whole) = waiting.result(), drawing.result()
    detailed = detailed_albedo(coarse, found.detail)
    lower = start(unexplained, whole, (coarse, detailed))
    photo = joined(skins, detailed, settings)
    reporter.progress(settings.detail.iterations, settings.detail.iterations)
    valid = skin_atlas(loaded, size).valid.numpy()
    unlit = without_residual_light(photo.unlit, detailed, photo.seen, settings.residual_light)
    over = photo_layer(unlit, detailed, photo.seen, mask, valid, settings.photo_layer)
    over = _kept_layer(over, detailed, task.request)
    confidence = confidence_map(photo.seen, photo.density, valid, settings.confidence)
    picture = whole.still_picture(whole.sample(torch.from_numpy(over.albedo)))
    errors = layer_figures(whole, [*lower.result(), squared_error(whole, picture)])
    skin = with_skin(task.photos[0].view.crop.image, task.photos[0].face, whole, picture)
    return FittedLayers(detail_fit(found, detailed, over, confidence), errors, skin, surfaces)


def _drawn(task: LayerTask) -> tuple[PictureSurfaces | None, FaceView]:
    """Surfaces only where the request wants the pictures for people."""
    loaded, photo = task.loaded, task.photos[0]
    surfaces = picture_surfaces(loaded, photo) if task.request.sheet else None
    return surfaces, skin_view(loaded, photo, surfaces)
