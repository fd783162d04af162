"""`evaluate light`: is the albedo right, whatever the light? Known heads in five lights.

Beside the fit stand three answers that cost nothing: they say how hard a picture is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ..fit.loaded import LoadedPack, evidence_mask
from ..fit.reconstruct import Reconstruction, StageClock, reconstruct
from ..fit.request import FitRequest
from ..fit.seen.geometry import photo_camera
from ..fit.settings import FitSettings
from ..head.camera import project, scale_camera
from ..head.normals import vertex_normals
from ..photo.load import Photo
from ..protocol.conventions import sh_basis, srgb_to_linear
from ..render.interpolate import covered_triangles, interpolate_covered, to_image
from ..render.rasterize import rasterize
from ..render.texture import resize_area, sample_texture
from ..reporter import NullReporter, Reporter
from ..skin.layout import region_masks
from .albedo_error import AlbedoErrors, albedo_errors
from .known_heads import KnownHead
from .known_pictures import PHOTO_SIZE, Portrait, take_portrait
from .rig import FIVE_LIGHTS, Environment
from .skin_tone import REGIONS

TEXTURE_SIZE = 1024
SIZE = 224
"""Pixels a side at which albedos are compared: a misplaced pore is no wrong albedo."""
_SAMPLES = 2
_MASK_SIZE = 512
INSIDE = 0.5
LEAST_SHADING = 0.05
"""Of its mean: the trivial answer that divides by light does not divide by less."""

METHODS = {
    "albedo": "albedo (coarse + detail + photo layer)",
    "coarse": "coarse albedo",
    "photo": "the photo as albedo",
    "constant": "photo over SH light of a constant albedo",
    "flat": "one flat median colour",
}


@dataclass(frozen=True, eq=False)
class FitView:
    """A fit seen from its own camera, SIZE x SIZE: coarse, albedo (.., 3) linear RGB; normal
    (.., 3) model space; face, tone (..) in [0, 1]: the face's skin, and where the tone is read."""

    coarse: np.ndarray
    albedo: np.ndarray
    normal: np.ndarray
    face: np.ndarray
    tone: np.ndarray


@dataclass(frozen=True, eq=False)
class HeadOutcome:
    """One head. errors: by name of METHODS; region: (SIZE, SIZE) bool, the compared pixels."""

    name: str
    environments: tuple[Environment, ...]
    portrait: Portrait
    views: tuple[FitView, ...]
    errors: Mapping[str, AlbedoErrors]
    region: np.ndarray


def fit_quietly(photo: Photo, loaded: LoadedPack, settings: FitSettings) -> Reconstruction:
    """A fit as the product makes it. Raises EngineError(NO_FACE)."""
    quiet = NullReporter()
    request = FitRequest(texture_size=TEXTURE_SIZE)
    return reconstruct(
        (photo,), loaded, request, settings, quiet, StageClock(quiet), lambda vertices: None
    )


def view_of(found: Reconstruction, loaded: LoadedPack) -> FitView:
    """What the fit says of each pixel of its (square) photo."""
    head = loaded.head
    camera = photo_camera(found.shape, PHOTO_SIZE, PHOTO_SIZE)
    camera = scale_camera(camera, SIZE * _SAMPLES / PHOTO_SIZE)
    vertices = torch.from_numpy(found.vertices)
    triangles = loaded.triangles[loaded.solid]
    pixels, depth = project(vertices, camera)
    fragments = rasterize(pixels, depth, triangles, camera.height, camera.width)
    weights = fragments.barycentric.reshape(-1, 3)[fragments.covered]
    uv = torch.from_numpy(head.triangle_uv)[loaded.solid]
    places = interpolate_covered(uv, fragments, None, weights)
    textures = [srgb_to_linear(found.coarse), srgb_to_linear(found.detail.albedo)]
    colours = [sample_texture(_tensor(one), places) for one in textures]
    regions = region_masks(_MASK_SIZE)
    tone = np.maximum.reduce([regions[name] for name in REGIONS])
    masks = np.stack([evidence_mask(head, _MASK_SIZE) * (regions["face"] > INSIDE), tone], -1)
    skin = loaded.skin.repeat_interleave(2)[loaded.solid][covered_triangles(fragments)]
    inside = sample_texture(_tensor(masks), places) * skin[:, None]
    normals = interpolate_covered(
        vertex_normals(vertices, triangles), fragments, triangles, weights
    )
    values = torch.cat([*colours, normals, inside], -1)
    image = to_image(values, fragments.covered, camera.height, camera.width)
    picture = resize_area(image, SIZE, SIZE).numpy()
    return FitView(
        picture[..., :3], picture[..., 3:6], picture[..., 6:9], picture[..., 9], picture[..., 10]
    )


def _tensor(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(array.astype(np.float32))


def evaluate_light(
    head: KnownHead,
    loaded: LoadedPack,
    settings: FitSettings,
    reporter: Reporter,
    environments: Sequence[Environment] = FIVE_LIGHTS,
) -> HeadOutcome:
    """Take the pictures, fit each one as any photo, and compare.

    Raises Cancelled, and EngineError(NO_FACE) if a picture is not taken for a face.
    """
    reporter.progress(0, len(environments) + 1)
    portrait = take_portrait(head, loaded, environments)
    views = []
    for done, photo in enumerate(portrait.photos):
        reporter.progress(done + 1, len(environments) + 1)
        views.append(view_of(fit_quietly(photo, loaded, settings), loaded))
    return compare(head.name, tuple(environments), portrait, tuple(views))


def compare(
    name: str, environments: tuple[Environment, ...], portrait: Portrait, views: tuple[FitView, ...]
) -> HeadOutcome:
    """Errors of all METHODS over the face that all fits cover."""
    truth, cover = small(portrait.albedo), small(portrait.cover)
    region = (cover > 0.99) & np.logical_and.reduce([view.face > 0.99 for view in views])
    tone = np.logical_and.reduce([view.tone > INSIDE for view in views])[region]
    photos = [small(srgb_to_linear(photo.pixels))[region] for photo in portrait.photos]
    normals = [view.normal[region] for view in views]
    answers = {
        "albedo": [view.albedo[region] for view in views],
        "coarse": [view.coarse[region] for view in views],
        "photo": photos,
        "constant": [constant_albedo(*pair) for pair in zip(photos, normals, strict=True)],
        "flat": [np.broadcast_to(np.median(photo, axis=0), photo.shape) for photo in photos],
    }
    errors = {name: albedo_errors(each, truth[region], tone) for name, each in answers.items()}
    return HeadOutcome(name, environments, portrait, views, errors, region)


def small(image: np.ndarray) -> np.ndarray:
    """A picture of PHOTO_SIZE at SIZE, by means; linear colours stay true."""
    tensor = _tensor(image)
    flat = tensor[..., None] if tensor.dim() == 2 else tensor
    return resize_area(flat, SIZE, SIZE).numpy().reshape(SIZE, SIZE, *image.shape[2:])


def constant_albedo(photo: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """(n, 3) photo over the light that explains it best with one albedo, linear RGB.

    The light's colour stays in the albedo: without a prior nothing tells them apart.
    """
    basis = sh_basis(normal / np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-6))
    shading = basis @ np.linalg.lstsq(basis, photo, rcond=None)[0]
    mean = shading.mean(axis=0)
    return photo / np.maximum(shading / mean, LEAST_SHADING)
