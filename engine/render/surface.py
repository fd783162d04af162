"""What a camera sees of a head, before it has colours: found once, lit as often as wanted."""

from collections.abc import Collection
from dataclasses import dataclass, replace

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
    scene, big = _scene(vertices, triangles, corner_uv, triangle_part, camera, supersample)
    is_cutout = _is_any(triangle_part, cutouts)
    solid = _find_surface(scene, ~is_cutout, big)
    front = _find_surface(scene, is_cutout, big) if cutouts else None
    return HeadSurface(solid, front, camera.height, camera.width)


Box = tuple[int, int, int, int]
"""First row, end row, first column, end column, pixels."""


def part_surface(
    vertices: torch.Tensor,
    triangles: torch.Tensor,
    corner_uv: torch.Tensor,
    triangle_part: torch.Tensor,
    cutouts: Collection[int],
    camera: Camera,
    supersample: int,
    part: int,
    box: Box,
) -> Surface:
    """`head_surface(...).solid`, of it only the samples of one part in a box of the picture's
    pixels: what hides them is looked at too, but nothing is found of it."""
    scene, big = _scene(vertices, triangles, corner_uv, triangle_part, camera, supersample)
    kept = (~_is_any(triangle_part, cutouts)).nonzero().squeeze(1)
    fragments = _find_fragments(scene, kept, big)
    top, bottom, left, right = (edge * supersample for edge in box)
    shown = scene.part.index_select(0, kept) == part
    inside = torch.zeros(big.height, big.width, dtype=torch.bool, device=shown.device)
    inside[top:bottom, left:right] = True
    wanted = inside.reshape(-1).index_select(0, fragments.covered)
    wanted &= shown.index_select(0, covered_triangles(fragments))
    return _attributes(scene, kept, replace(fragments, covered=fragments.covered[wanted]))


def _scene(
    vertices: torch.Tensor,
    triangles: torch.Tensor,
    corner_uv: torch.Tensor,
    part: torch.Tensor,
    camera: Camera,
    supersample: float,
) -> tuple[_Scene, Camera]:
    """The head, and the camera of its samples."""
    big = scale_camera(camera, supersample) if supersample > 1 else camera
    pixels, depth = project(vertices, big)
    normals = vertex_normals(vertices, triangles)
    return _Scene(vertices, normals, pixels, depth, triangles, corner_uv, part), big


def _is_any(triangle_part: torch.Tensor, parts: Collection[int]) -> torch.Tensor:
    wanted = torch.tensor(sorted(parts), dtype=torch.long, device=triangle_part.device)
    return torch.isin(triangle_part.long(), wanted)


def _find_surface(scene: _Scene, drawn: torch.Tensor, camera: Camera) -> Surface:
    """What the camera sees of the triangles `drawn` (T,)."""
    kept = drawn.nonzero().squeeze(1)
    return _attributes(scene, kept, _find_fragments(scene, kept, camera))


def _find_fragments(scene: _Scene, kept: torch.Tensor, camera: Camera) -> Fragments:
    """Of the triangles numbered `kept` (n,), counted among these."""
    triangles = scene.triangles.index_select(0, kept)
    return rasterize(scene.pixels, scene.depth, triangles, camera.height, camera.width)


def _attributes(scene: _Scene, kept: torch.Tensor, fragments: Fragments) -> Surface:
    """At the covered pixels of `_find_fragments`."""
    triangles = scene.triangles.index_select(0, kept)
    weights = found_weights(scene.pixels, scene.depth, triangles, fragments)
    normals = unit(interpolate_covered(scene.normals, fragments, triangles, weights))
    uv = interpolate_covered(scene.corner_uv.index_select(0, kept), fragments, None, weights)
    parts = scene.part.index_select(0, kept).long().index_select(0, covered_triangles(fragments))
    return Surface(fragments, normals, uv, parts)
