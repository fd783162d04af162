"""What a camera sees of a head, before it has colours: found once, lit as often as wanted."""

from collections.abc import Collection
from dataclasses import dataclass

import torch

from ..head.camera import Camera, project, scale_camera
from ..head.normals import unit, vertex_normals
from .interpolate import covered_triangles, found_weights, interpolate_covered
from .rasterize import Fragments, rasterize


@dataclass(frozen=True, eq=False)
class Surface:
    """The covered samples (N,) of a raster: unit normals (N, 3), uv (N, 2), parts (N,)."""

    fragments: Fragments
    normals: torch.Tensor
    uv: torch.Tensor
    parts: torch.Tensor


@dataclass(frozen=True, eq=False)
class HeadSurface:
    """solid: the nearest surface that hides what is behind it; front: the nearest of the cut-outs,
    None without any; height, width: of the picture, rasters of larger ones are of samples."""

    solid: Surface
    front: Surface | None
    height: int
    width: int


@dataclass(frozen=True, eq=False)
class _Scene:
    vertices: torch.Tensor
    normals: torch.Tensor
    pixels: torch.Tensor
    depth: torch.Tensor
    triangles: torch.Tensor
    corner_uv: torch.Tensor
    part: torch.Tensor


def head_surface(
    vertices: torch.Tensor,
    triangles: torch.Tensor,
    corner_uv: torch.Tensor,
    triangle_part: torch.Tensor,
    cutouts: Collection[int],
    camera: Camera,
    supersample: float = 1,
) -> HeadSurface:
    """Of a head with some parts as cut-outs. Differentiable in vertices and camera.

    cutouts: parts whose material has alpha; the rest as in `render.render_head`.
    """
    big = scale_camera(camera, supersample) if supersample > 1 else camera
    pixels, depth = project(vertices, big)
    normals = vertex_normals(vertices, triangles)
    scene = _Scene(vertices, normals, pixels, depth, triangles, corner_uv, triangle_part)
    wanted = torch.tensor(sorted(cutouts), dtype=torch.long, device=triangles.device)
    is_cutout = torch.isin(triangle_part.long(), wanted)
    solid = _find_surface(scene, ~is_cutout, big)
    front = _find_surface(scene, is_cutout, big) if len(wanted) else None
    return HeadSurface(solid, front, camera.height, camera.width)


def _find_surface(scene: _Scene, drawn: torch.Tensor, camera: Camera) -> Surface:
    """What the camera sees of the triangles `drawn` (T,)."""
    kept = drawn.nonzero().squeeze(1)
    triangles = scene.triangles.index_select(0, kept)
    fragments = rasterize(scene.pixels, scene.depth, triangles, camera.height, camera.width)
    weights = found_weights(scene.pixels, scene.depth, triangles, fragments)
    normals = unit(interpolate_covered(scene.normals, fragments, triangles, weights))
    uv = interpolate_covered(scene.corner_uv.index_select(0, kept), fragments, None, weights)
    parts = scene.part.index_select(0, kept).long().index_select(0, covered_triangles(fragments))
    return Surface(fragments, normals, uv, parts)
