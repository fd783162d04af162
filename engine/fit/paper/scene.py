"""The face of one photo at 224 pixels, rendered so that gradients reach everything."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from ...head.camera import Camera, project, rotation_from_vector
from ...head.lighting import shade
from ...head.normals import unit, vertex_normals
from ...head.shape import evaluate_shape
from ...nets.crop import SquareCrop, resample
from ...protocol.conventions import linear_to_srgb, srgb_to_linear
from ...protocol.headpack import MASK_SIZE
from ...render.interpolate import covered_barycentric, interpolate_covered, to_image
from ...render.rasterize import rasterize
from ...render.texture import sample_texture
from ..loaded import LoadedPack, uv_mask
from ..seen.fitted_photo import FittedPhoto

CROP_SIZE = 224
CROP_SCALE = 1.4
"""As `evaluate photos` cuts them, see `evaluate/likeness.py`."""
IBUG_68 = (
    *(162, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 389),
    *(71, 63, 105, 66, 107, 336, 296, 334, 293, 301, 168, 197, 5, 4, 75, 97, 2, 326, 305),
    *(33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380),
    *(61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181),
    *(78, 82, 13, 312, 308, 317, 14, 87),
)
"""The iBUG 68 points among the 468 of the mesh net, in their usual order. Ours, by their names."""
_GREY = 0.5


@dataclass(frozen=True, eq=False)
class FaceMesh:
    """The skin of the face alone: vertices (n, 3), shapes (K, n, 3) and (E, n, 3), triangles (t, 3)
    and their UV (t, 3, 2)."""

    mean: torch.Tensor
    identity: torch.Tensor
    expression: torch.Tensor
    triangles: torch.Tensor
    uv: torch.Tensor


@dataclass(frozen=True, eq=False)
class PaperScene:
    """What the stages look at.

    picture (224, 224, 3) sRGB; person (224, 224); points (68, 2) pixels with trust (68,); points
    (468, 2) all; intrinsics (3, 3) of the crop; rotation, translation: pose to start from; region
    (S, S): weight of the photometric loss in UV.
    """

    loaded: LoadedPack
    mesh: FaceMesh
    picture: torch.Tensor
    person: torch.Tensor
    all_points: np.ndarray
    points: torch.Tensor
    trust: torch.Tensor
    intrinsics: torch.Tensor
    rotation: torch.Tensor
    translation: torch.Tensor
    region: torch.Tensor


@dataclass(frozen=True, eq=False)
class Picture:
    """rgb (224, 224, 3) sRGB, over the background; covered (224, 224) in {0, 1}, and weight: the
    region's there."""

    rgb: torch.Tensor
    covered: torch.Tensor
    weight: torch.Tensor


def face_mesh_of(loaded: LoadedPack) -> FaceMesh:
    """The triangles of skin whose three corners lie in the UV mask of the face."""
    head = loaded.head
    hidden = uv_mask(head, ("scalp", "sockets", "mouth"), MASK_SIZE)
    mask = uv_mask(head, ("face",), MASK_SIZE) * (1.0 - hidden)
    corner_uv = torch.from_numpy(head.triangle_uv)
    values = sample_texture(torch.from_numpy(mask)[..., None], corner_uv.reshape(-1, 2))
    inside = (values.reshape(-1, 3) > 0.5).all(1) & loaded.skin.repeat_interleave(2)
    used, triangles = torch.unique(loaded.triangles[inside], return_inverse=True)
    mean, identity, expression = (
        torch.from_numpy(array) for array in (head.mean, head.identity, head.expression)
    )
    return FaceMesh(
        mean[used], identity[:, used], expression[:, used], triangles, corner_uv[inside]
    )


def paper_scene(loaded: LoadedPack, photo: FittedPhoto, feature_weight: float) -> PaperScene:
    """Cut the crop of a fitted photo and gather what its stages need."""
    prepared, shape = photo.prepared, photo.shape
    pixels, landmarks = prepared.photo.pixels, prepared.landmarks[:, :2]
    low, high = landmarks.min(axis=0), landmarks.max(axis=0)
    side = CROP_SCALE * float((high - low).max())
    matrix = SquareCrop(*((low + high) / 2.0).tolist(), side, 0.0, CROP_SIZE).matrix()
    to_crop = np.linalg.inv(np.vstack([matrix, [0.0, 0.0, 1.0]]))
    points = landmarks @ to_crop[:2, :2].T + to_crop[:2, 2]
    crop = prepared.crop
    # The person mask lies on the working crop: photo = working / scale + corner.
    shift = matrix[:, 2] - (crop.x0, crop.y0)
    person = resample(crop.person, np.column_stack([matrix[:, :2], shift]) * crop.scale, CROP_SIZE)
    features = uv_mask(loaded.head, ("lips", "lids", "brows"), MASK_SIZE)
    return PaperScene(
        loaded,
        face_mesh_of(loaded),
        torch.from_numpy(resample(pixels, matrix, CROP_SIZE)),
        torch.from_numpy(person.astype(np.float32)),
        points,
        torch.from_numpy(points[list(IBUG_68)]).float(),
        torch.from_numpy(loaded.landmarks.weight[list(IBUG_68)]).float(),
        torch.from_numpy(to_crop @ shape.intrinsics).float(),
        torch.from_numpy(shape.rotation).float(),
        torch.from_numpy(shape.translation).float(),
        torch.from_numpy(1.0 + (feature_weight - 1.0) * features).float(),
    )


Values = Mapping[str, torch.Tensor]
"""identity (K,), expression (E,), turn (3,) radians, shift (3,) metres, light (9, 3), albedo (3, K)
and detail (C, s, s): what the stages improve."""


def vertices_of(scene: PaperScene, values: Values) -> torch.Tensor:
    """(n, 3) of the face's mesh."""
    mesh = scene.mesh
    return evaluate_shape(
        mesh.mean, mesh.identity, mesh.expression, values["identity"], values["expression"]
    )


def camera_of(scene: PaperScene, values: Values, yaw: float = 0.0) -> Camera:
    """The camera of the crop; yaw, degrees: after the head has turned about its own axis."""
    turned = rotation_from_vector(torch.tensor([0.0, float(np.radians(yaw)), 0.0]))
    rotation = rotation_from_vector(values["turn"]) @ scene.rotation @ turned
    translation = scene.translation + values["shift"]
    return Camera(scene.intrinsics, rotation, translation, CROP_SIZE, CROP_SIZE)


def landmarks_of(scene: PaperScene, values: Values, camera: Camera) -> torch.Tensor:
    """(468, 2) pixels of the model's landmarks."""
    basis = scene.loaded.landmarks
    mean, identity, expression = (
        torch.from_numpy(array).float() for array in (basis.mean, basis.identity, basis.expression)
    )
    points = evaluate_shape(mean, identity, expression, values["identity"], values["expression"])
    return project(points, camera)[0]


def render(
    scene: PaperScene,
    vertices: torch.Tensor,
    albedo: torch.Tensor,
    light: torch.Tensor,
    camera: Camera,
    background: torch.Tensor | None,
) -> Picture:
    """The face's skin with an albedo (S, S, 3) sRGB over a background (224, 224, 3), grey if None.

    Differentiable in vertices, albedo, light and camera; coverage is not.
    """
    mesh = scene.mesh
    pixels, depth = project(vertices, camera)
    raster = rasterize(pixels.detach(), depth.detach(), mesh.triangles, CROP_SIZE, CROP_SIZE)
    weights = covered_barycentric(pixels, depth, mesh.triangles, raster)
    normals = vertex_normals(vertices, mesh.triangles)
    normal = unit(interpolate_covered(normals, raster, mesh.triangles, weights))
    uv = interpolate_covered(mesh.uv, raster, None, weights)
    lit = srgb_to_linear(sample_texture(albedo, uv).clamp(0.0, 1.0), xp=torch)
    lit = lit * shade(normal, light).clamp(min=0.0)
    colour = linear_to_srgb(lit.clamp(0.0, 1.0), xp=torch)
    region = sample_texture(scene.region[..., None], uv.detach())
    full = torch.cat([colour, torch.ones_like(region), region], -1)
    image = to_image(full, raster.covered, CROP_SIZE, CROP_SIZE)
    rgb, covered, weight = image[..., :3], image[..., 3], image[..., 4]
    behind = torch.full_like(rgb, _GREY) if background is None else background
    return Picture(rgb + (1.0 - covered[..., None]) * behind, covered, weight)


def chip_of(picture: torch.Tensor, place: np.ndarray, size: int) -> torch.Tensor:
    """(1, 3, size, size) of the picture through place (2, 3), chip to picture. Differentiable."""
    matrix = torch.from_numpy(place).float()
    axis = torch.arange(size) + 0.5
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    spots = torch.stack([x, y], -1) @ matrix[:, :2].T + matrix[:, 2]
    grid = spots / (0.5 * CROP_SIZE) - 1.0
    batch = picture.permute(2, 0, 1)[None]
    return functional.grid_sample(batch, grid[None], align_corners=False)
