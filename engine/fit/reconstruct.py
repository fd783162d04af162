"""The whole fit of one photo: the stages in order, as one function from values to a value."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch

from ..head.camera import Camera, crop_camera, project, resize_camera
from ..head.shape import evaluate_shape
from ..photo.load import Photo
from ..photo.prepare import PreparedPhoto, WorkingCrop, prepare_photo
from ..protocol.albedo import decode_albedo
from ..protocol.headpack import MASK_SIZE, HeadPack
from ..render.rasterize import Fragments, rasterize
from ..render.texture import sample_texture
from ..reporter import Reporter
from .albedo import AlbedoFit, fit_albedo
from .detail import DetailFit
from .layers import LayerTask, fit_layers
from .loaded import LoadedPack, evidence_mask
from .observe import FittedView, observe
from .request import FitRequest
from .resize import resize_texture
from .settings import FitSettings
from .shape import ShapeFit, fit_shape
from .shape_view import shape_view

STAGES = ("prepare", "shape", "albedo", "detail", "write")
"""Names in order; the last one belongs to the caller."""


@dataclass(frozen=True)
class Reconstruction:
    """Everything the fit found.

    vertices and neutral (V, 3) metres, model space; face (h, w) in [0, 1]: skin of the face on
    the working crop; coarse (T, T, 3) sRGB; layer_errors: see there; seconds by stage.
    """

    prepared: PreparedPhoto
    shape: ShapeFit
    vertices: np.ndarray
    neutral: np.ndarray
    face: np.ndarray
    albedo: AlbedoFit
    coarse: np.ndarray
    detail: DetailFit
    layer_errors: dict[str, float]
    seconds: dict[str, float]
    warnings: tuple[str, ...]


def photo_camera(shape: ShapeFit, width: int, height: int) -> Camera:
    """The fitted camera in pixels of the photo."""
    return Camera(
        torch.from_numpy(shape.intrinsics).float(),
        torch.from_numpy(shape.rotation).float(),
        torch.from_numpy(shape.translation).float(),
        width,
        height,
    )


def working_camera(camera: Camera, crop: WorkingCrop) -> Camera:
    """The same camera in pixels of the working crop."""
    height, width = crop.image.shape[:2]
    whole = (round(width / crop.scale), round(height / crop.scale))
    part = crop_camera(camera, crop.x0, crop.y0, *whole)
    return resize_camera(part, width, height)


def head_shape(
    head: HeadPack, identity: np.ndarray, expression: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(V, 3) vertices with and without the expression, metres, float32."""
    mean, modes, shapes = (
        torch.from_numpy(array) for array in (head.mean, head.identity, head.expression)
    )
    z, w = (torch.from_numpy(weights.astype(np.float32)) for weights in (identity, expression))
    neutral = evaluate_shape(mean, modes, shapes, z, torch.zeros_like(w))
    return evaluate_shape(mean, modes, shapes, z, w).numpy(), neutral.numpy()


def render_depth(vertices: torch.Tensor, triangles: torch.Tensor, camera: Camera) -> Fragments:
    """Z-buffer of the head's solid triangles."""
    pixels, depth = project(vertices, camera)
    return rasterize(pixels, depth, triangles, camera.height, camera.width)


class StageClock:
    """Announces stages and notes how long each took."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """One stage; raises Cancelled."""
        self._reporter.stage(name, STAGES.index(name), len(STAGES))
        start = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - start


def _warnings(prepared: PreparedPhoto, shape: ShapeFit) -> Iterator[str]:
    if prepared.faces > 1:
        yield (
            f"{prepared.faces} faces were found; this head is number {prepared.face} by size, "
            "counted from 0."
        )
    if shape.outer_eye_pixels < 60.0:
        yield "The face is small in the photo: expect a soft texture."
    yaw = np.degrees(np.arcsin(np.clip(-shape.rotation[2, 0], -1.0, 1.0)))
    if abs(yaw) > 40.0:
        yield "The face is turned far to the side: half of it is completed, not seen."
    if shape.relative_error > 0.04:
        yield "The landmarks fit badly; the shape may not look like the person."


def reconstruct(
    photos: Sequence[Photo],
    loaded: LoadedPack,
    request: FitRequest,
    settings: FitSettings,
    reporter: Reporter,
    clock: StageClock,
    show: Callable[[np.ndarray], None],
) -> Reconstruction:
    """Fit shape, camera, light, coarse albedo, detail and the photo layer to photos of a person.

    show: called with the fitted vertices (V, 3) as soon as the shape stands.
    Raises EngineError (NO_FACE, BAD_INPUT, BAD_SETTINGS) and Cancelled.
    """
    (photo,) = photos
    with clock.stage("prepare"):
        prepared = prepare_photo(photo, loaded.nets, request.face, settings.prepare, reporter)
    with clock.stage("shape"):
        shape = fit_shape(
            loaded.landmarks,
            loaded.head.expression_names,
            shape_view(prepared),
            settings.shape,
            reporter,
        )
        vertices, neutral = head_shape(loaded.head, shape.identity, shape.expression)
        show(vertices)
    camera = working_camera(photo_camera(shape, photo.width, photo.height), prepared.crop)
    with clock.stage("albedo"):
        points = torch.from_numpy(vertices)
        buffer = render_depth(points, loaded.triangles[loaded.solid], camera)
        reporter.progress(0, settings.albedo.rounds)
        view = FittedView(points, camera, buffer.depth, prepared.crop)
        size = loaded.solver.valid.shape[0]
        mask = evidence_mask(loaded.head, size)
        seen = observe(loaded, view, size)
        albedo = fit_albedo(loaded.solver, seen, mask, settings.albedo, reporter)
    with clock.stage("detail"):
        coarse = coarse_albedo(loaded, albedo.coefficients, request.texture_size)
        face = face_pixels(loaded, buffer)
        task = LayerTask(loaded, view, face, coarse, albedo, request.seed)
        detail, layer_errors = fit_layers(task, settings, reporter)
    warnings = tuple(_warnings(prepared, shape))
    for text in warnings:
        reporter.warning(text)
    return Reconstruction(
        prepared,
        shape,
        vertices,
        neutral,
        face,
        albedo,
        coarse,
        detail,
        layer_errors,
        clock.seconds,
        warnings,
    )


def face_pixels(loaded: LoadedPack, buffer: Fragments) -> np.ndarray:
    """(h, w) in [0, 1]: where the picture shows skin of the face. buffer: of `render_depth`."""
    head = loaded.head
    mask = torch.from_numpy(evidence_mask(head, MASK_SIZE))[..., None]
    uv = torch.from_numpy(head.triangle_uv)
    chosen = loaded.solid[buffer.triangle.reshape(-1)[buffer.covered].long()]
    weights = buffer.barycentric.reshape(-1, 3)[buffer.covered]
    values = sample_texture(mask, (uv[chosen] * weights[..., None]).sum(1))[:, 0]
    values = values * loaded.skin.repeat_interleave(2)[chosen]
    picture = torch.zeros(buffer.triangle.numel())
    picture[buffer.covered] = values
    return picture.reshape(buffer.triangle.shape).numpy()


def coarse_albedo(loaded: LoadedPack, coefficients: np.ndarray, size: int) -> np.ndarray:
    """(size, size, 3) sRGB albedo of the model, in [0, 1]."""
    model = loaded.albedo
    small = decode_albedo(model.mean, model.basis, model.valid, coefficients)
    return np.clip(resize_texture(small, size), 0.0, 1.0)
