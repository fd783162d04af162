"""The photo's view of the face's skin, geometry and light fixed: only the texture is still free."""

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from torch.nn import functional

from ...head.camera import Camera, crop_camera, project, resize_camera
from ...head.lighting import shade
from ...head.normals import unit, vertex_normals
from ...head.transfer import picture_to_linear, picture_to_srgb
from ...protocol.conventions import linear_to_srgb, srgb_to_linear, uv_to_pixels
from ...render.interpolate import found_weights, interpolate_covered
from ...render.rasterize import Rasterizer, front_facing, of_all_triangles, rasterize
from ...render.surface import Surface
from ...render.texture import sample_texture

MOST_SAMPLES = 4
"""Samples a side of a pixel. Ours: beyond, a pixel tells less of a texel than the prior does."""


@dataclass(frozen=True, eq=False)
class FaceView:
    """A rectangle of the photo and the skin that its pixels show.

    target (h, w, 3) sRGB; weight (h, w) in [0, 1]; uv (n, 2) and shading (n, 3) linear RGB of the
    samples that hit skin; place (n,) int64: their flat index in the sample raster, which has
    `samples` x `samples` to a pixel.
    """

    target: torch.Tensor
    weight: torch.Tensor
    uv: torch.Tensor
    shading: torch.Tensor
    place: torch.Tensor
    samples: int

    def picture(self, albedo: torch.Tensor) -> torch.Tensor:
        """(h, w, 3) sRGB of albedo (n, 3) sRGB at the samples. Differentiable.

        Shaded in linear light, averaged over each pixel, encoded again.
        """
        height, width, samples = *self.weight.shape, self.samples
        lit = srgb_to_linear(albedo, xp=torch) * self.shading
        raster = lit.new_zeros(height * width * samples**2, 3).index_put((self.place,), lit)
        raster = raster.reshape(height * samples, width * samples, 3)
        if samples > 1:
            raster = functional.avg_pool2d(raster.permute(2, 0, 1), samples).permute(1, 2, 0)
        return linear_to_srgb(raster.clamp(0.0, 1.0), xp=torch)

    def still_picture(self, albedo: torch.Tensor) -> torch.Tensor:
        """`picture` without gradients: OpenCV's powers take a third of the time."""
        height, width, samples = *self.weight.shape, self.samples
        raster = np.zeros((height * width * samples**2, 3), np.float32)
        raster[self.place.numpy()] = picture_to_linear(albedo.numpy()) * self.shading.numpy()
        raster = raster.reshape(height * samples, width * samples, 3)
        if samples > 1:
            raster = cv2.resize(raster, (width, height), interpolation=cv2.INTER_AREA)
        return torch.from_numpy(picture_to_srgb(np.clip(raster, 0.0, 1.0)))

    def sample(self, texture: torch.Tensor) -> torch.Tensor:
        """(n, C) of a texture (S, S, C) at the samples, bilinear. Differentiable."""
        return sample_texture(texture, self.uv)

    def trusting(self, trust: np.ndarray) -> "FaceView":
        """The view with the weight of its pixels times the mean trust of their samples. trust (S,
        S) in [0, 1]: texels that count."""
        height, width, samples = *self.weight.shape, self.samples
        each = torch.zeros(2, height * width * samples**2)
        each[0, self.place] = sample_texture(torch.from_numpy(trust)[..., None], self.uv)[:, 0]
        each[1, self.place] = 1.0
        sums = functional.avg_pool2d(each.reshape(2, height * samples, width * samples), samples)
        share = sums[0] / sums[1].clamp(min=0.5 / samples**2)
        return replace(self, weight=self.weight * share)

    def to_texels(self, pixels: torch.Tensor, size: int) -> torch.Tensor:
        """(size, size) sums of pixels (h, w) over the texels that they show, nearest texel."""
        width = self.weight.shape[1] * self.samples
        row = torch.div(self.place, width, rounding_mode="floor")
        column = self.place - row * width
        share = pixels[row // self.samples, column // self.samples] / self.samples**2
        at = uv_to_pixels(self.uv, size, size, xp=torch).long().clamp(0, size - 1)
        texels = pixels.new_zeros(size * size)
        return texels.index_add(0, at[:, 1] * size + at[:, 0], share).reshape(size, size)


@dataclass(frozen=True, eq=False)
class SkinGeometry:
    """The fitted head as a picture sees it. vertices (V, 3); triangles (T, 3) that hide what is
    behind them; triangle_uv (T, 3, 2); skin (T,) bool: carries the texture; light (9, 3)."""

    vertices: torch.Tensor
    triangles: torch.Tensor
    triangle_uv: torch.Tensor
    skin: torch.Tensor
    light: torch.Tensor


def fitting_size(face: np.ndarray, wanted: int) -> tuple[float, int]:
    """Scale of a picture (at most 1) and samples a side of a pixel for about `wanted` samples.

    face (h, w) in [0, 1]. Larger photos are shrunk; in smaller ones a pixel gets several samples,
    since it shows several texels.
    """
    ratio = math.sqrt(wanted / max(float((face > 0.5).sum()), 1.0))
    return min(1.0, ratio), int(np.clip(math.ceil(ratio), 1, MOST_SAMPLES))


def bounds(mask: np.ndarray) -> tuple[int, int, int, int]:
    """Rows and columns (first, end) of what is above 0; one pixel when nothing is."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return 0, 1, 0, 1
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


def surface_view(
    surface: Surface,
    skin: int,
    samples: int,
    image: np.ndarray,
    face: np.ndarray,
    light: np.ndarray,
) -> FaceView:
    """`face_view` of a whole picture whose surface is known already.

    surface: at `samples` samples a side of the pixels of image (h, w, 3) sRGB; skin: number of the
    part that carries the texture; face (h, w) in [0, 1]; light (9, 3).
    """
    top, bottom, left, right = bounds(face > 0.0)
    raster_width = surface.fragments.triangle.shape[1]
    at = surface.fragments.covered
    row = torch.div(at, raster_width, rounding_mode="floor")
    column = at - row * raster_width
    kept = (surface.parts == skin) & (row >= top * samples) & (row < bottom * samples)
    kept &= (column >= left * samples) & (column < right * samples)
    width = (right - left) * samples
    place = ((row - top * samples) * width + column - left * samples)[kept]
    shading = shade(surface.normals[kept], torch.from_numpy(light.astype(np.float32)))
    covered = torch.zeros(1, (bottom - top) * samples, width)
    covered.view(-1)[place] = 1.0
    box = (slice(top, bottom), slice(left, right))
    known = functional.avg_pool2d(covered, samples)[0]
    return FaceView(
        torch.from_numpy(np.ascontiguousarray(image[box], dtype=np.float32)),
        known * torch.from_numpy(face[box].astype(np.float32)),
        surface.uv[kept],
        shading.clamp(min=0.0),
        place,
        samples,
    )


def with_skin(
    image: np.ndarray, face: np.ndarray, view: FaceView, picture: torch.Tensor
) -> np.ndarray:
    """The image (h, w, 3) sRGB of a `surface_view` with a picture of that view where it has
    weight. face (h, w): that of the view."""
    top, bottom, left, right = bounds(face > 0.0)
    both = image.astype(np.float32)
    part = both[top:bottom, left:right]
    np.copyto(part, picture.numpy(), where=view.weight.numpy()[..., None] > 0.0)
    return both


def face_view(
    geometry: SkinGeometry,
    camera: Camera,
    image: np.ndarray,
    face: np.ndarray,
    scale: float,
    samples: int,
    rasterizer: Rasterizer = rasterize,
) -> FaceView:
    """Look at the face's skin through the camera.

    image (h, w, 3) sRGB; face (h, w) in [0, 1]: pixels of the face's skin; scale, samples: see
    `fitting_size`. All texels count, see `FaceView.trusting`.
    """
    if scale < 1.0:
        size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        face = cv2.resize(face, size, interpolation=cv2.INTER_AREA)
        camera = resize_camera(camera, *size)
    top, bottom, left, right = bounds(face > 0.0)
    height, width = bottom - top, right - left
    part = crop_camera(camera, left, top, width, height)
    fine = resize_camera(part, width * samples, height * samples)
    pixels, depth = project(geometry.vertices, fine)
    front = front_facing(pixels, geometry.triangles)
    drawn = rasterizer(pixels, depth, geometry.triangles[front], fine.height, fine.width)
    raster = of_all_triangles(drawn, front)
    weights = found_weights(pixels, depth, geometry.triangles, raster)
    normals = vertex_normals(geometry.vertices, geometry.triangles)
    normal = unit(interpolate_covered(normals, raster, geometry.triangles, weights))
    uv = interpolate_covered(geometry.triangle_uv, raster, None, weights)
    chosen = raster.triangle.reshape(-1)[raster.covered].long()
    kept = geometry.skin[chosen]
    uv, place = uv[kept], raster.covered[kept]
    shading = shade(normal[kept], geometry.light).clamp(min=0.0)
    covered = torch.zeros(fine.height * fine.width)
    covered[place] = 1.0
    known = functional.avg_pool2d(covered.reshape(1, fine.height, fine.width), samples)[0]
    box = (slice(top, bottom), slice(left, right))
    return FaceView(
        torch.from_numpy(np.ascontiguousarray(image[box], dtype=np.float32)),
        known * torch.from_numpy(face[box].astype(np.float32)),
        uv,
        shading,
        place,
        samples,
    )
