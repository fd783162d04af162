"""From the fitted numbers to cameras, vertices and pixels of the head."""

import numpy as np
import torch

from ...head.camera import Camera, crop_camera, project, resize_camera
from ...head.shape import evaluate_shape
from ...photo.prepare import WorkingCrop
from ...protocol.headpack import MASK_SIZE, HeadPack
from ...render.interpolate import covered_triangles, interpolate_covered
from ...render.rasterize import (
    Fragments,
    Rasterizer,
    front_facing,
    of_all_triangles,
    rasterize,
)
from ...render.texture import sample_texture
from ..loaded import LoadedPack, evidence_mask
from ..shape.stage import ShapeFit


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


def render_depth(
    vertices: torch.Tensor,
    triangles: torch.Tensor,
    camera: Camera,
    rasterizer: Rasterizer = rasterize,
) -> Fragments:
    """Z-buffer of the head's solid triangles; into the open neck it sees nothing."""
    pixels, depth = project(vertices, camera)
    front = front_facing(pixels, triangles)
    drawn = rasterizer(pixels, depth, triangles[front], camera.height, camera.width)
    return of_all_triangles(drawn, front)


def face_pixels(loaded: LoadedPack, buffer: Fragments) -> np.ndarray:
    """(h, w) in [0, 1]: where the picture shows skin of the face. buffer: of `render_depth`."""
    head = loaded.head
    mask = torch.from_numpy(evidence_mask(head, MASK_SIZE))[..., None]
    corner_uv = torch.from_numpy(head.triangle_uv)[loaded.solid]
    weights = buffer.barycentric.reshape(-1, 3).index_select(0, buffer.covered)
    uv = interpolate_covered(corner_uv, buffer, None, weights)
    skin = loaded.skin.repeat_interleave(2)[loaded.solid]
    values = sample_texture(mask, uv)[:, 0] * skin[covered_triangles(buffer)]
    picture = torch.zeros(buffer.triangle.numel())
    picture[buffer.covered] = values
    return picture.reshape(buffer.triangle.shape).numpy()
