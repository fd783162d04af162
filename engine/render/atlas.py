"""The UV atlas: which point of the surface each texel of the skin texture shows."""

from dataclasses import dataclass

import cv2
import numpy as np
import torch

from ..head.camera import Camera, camera_centre, project
from ..head.normals import unit
from ..protocol import conventions
from ..protocol.headpack import split_quads
from .interpolate import interpolate, to_image
from .rasterize import rasterize

_REACH = 1.6
"""Pixels from a texel to the farthest centre that its bilinear lookup blends: sqrt(2), and a
little for facets that are steeper than the smooth normal (ours, measured on spheres)."""


@dataclass(frozen=True, eq=False)
class Atlas:
    """The surface point at each texel centre, row 0 on top (v up).

    triangle: (S, S) int32 into the head's triangles (two per quad), -1 where empty.
    barycentric: (S, S, 3) weights of its corners. valid: (S, S) bool. covered: (N,) int64 flat
    indices of the valid texels.
    """

    triangle: torch.Tensor
    barycentric: torch.Tensor
    valid: torch.Tensor
    covered: torch.Tensor


@dataclass(frozen=True, eq=False)
class Visibility:
    """What a camera sees of each texel, all (S, S) unless said.

    visible: bool. cosine: between normal and direction to the camera, 0 where not valid.
    pixels: (S, S, 2) where the texel projects, 0 where not valid. depth: metres, likewise.
    """

    visible: torch.Tensor
    cosine: torch.Tensor
    pixels: torch.Tensor
    depth: torch.Tensor


def build_atlas(corner_uv: torch.Tensor, size: int, faces: torch.Tensor | None = None) -> Atlas:
    """Rasters the UV layout at size x size texels.

    corner_uv: (F, 4, 2) of all quads. faces: (F,) bool, the quads to draw (the skin); all by
    default. Where the layout overlaps itself the lower triangle wins.
    """
    uv = torch.as_tensor(split_quads(corner_uv.cpu().numpy()), device=corner_uv.device)
    drawn = torch.arange(len(uv), device=uv.device)
    if faces is not None:
        drawn = faces.repeat_interleave(2).nonzero().squeeze(1)
    pixels = conventions.uv_to_pixels(uv[drawn].reshape(-1, 2), size, size, xp=torch)
    triangles = torch.arange(len(pixels), device=uv.device).reshape(-1, 3)
    fragments = rasterize(pixels, torch.ones_like(pixels[:, 0]), triangles, size, size)
    valid = fragments.triangle >= 0
    triangle = torch.full_like(fragments.triangle, -1)
    triangle[valid] = drawn[fragments.triangle[valid].long()].int()
    return Atlas(triangle, fragments.barycentric, valid, fragments.covered)


_TURNED = -0.05
"""Cosine between a corner's normal and the way to the camera below which it faces away: that way
changes by less over a triangle, and a sum of three such normals faces away too."""


def facing_atlas(
    vertices: torch.Tensor,
    normals: torch.Tensor,
    triangles: torch.Tensor,
    atlas: Atlas,
    camera: Camera,
) -> Atlas:
    """The texels of triangles with a corner that faces the camera; no other can be visible.

    vertices, normals: (V, 3) metres and unit. triangles: (2F, 3), of all quads.
    """
    cosine = (normals * unit(camera_centre(camera) - vertices)).sum(-1)
    turned = (cosine > _TURNED)[triangles.long()].any(-1)
    flat = atlas.triangle.reshape(-1).index_select(0, atlas.covered).long()
    covered = atlas.covered[turned.index_select(0, flat)]
    valid = torch.zeros_like(atlas.valid).reshape(-1)
    valid[covered] = True
    return Atlas(atlas.triangle, atlas.barycentric, valid.reshape(atlas.valid.shape), covered)


def texel_values(values: torch.Tensor, triangles: torch.Tensor, atlas: Atlas) -> torch.Tensor:
    """(S, S, C) of per-vertex values (V, C) at each texel, 0 where not valid. Differentiable.

    triangles: (2F, 3), of all quads (`headpack.split_quads`).
    """
    return interpolate(values, atlas, triangles)


def visible_texels(
    positions: torch.Tensor,
    normals: torch.Tensor,
    atlas: Atlas,
    camera: Camera,
    depth: torch.Tensor,
    bias: float = 5e-4,
) -> Visibility:
    """`covered_visibility` of the texels of an atlas.

    positions, normals: (S, S, 3) of `texel_values`, metres, model space.
    """
    at, towards = (
        each.reshape(-1, 3).index_select(0, atlas.covered) for each in (positions, normals)
    )
    seen = covered_visibility(at, towards, camera, depth, bias)
    flat = torch.cat([seen.pixels, seen.depth[:, None], seen.cosine[:, None]], -1)
    image = to_image(flat, atlas.covered, *atlas.valid.shape)
    visible = torch.zeros_like(atlas.valid).reshape(-1)
    visible[atlas.covered] = seen.visible
    shaped = visible.reshape(atlas.valid.shape)
    return Visibility(shaped, image[..., 3], image[..., :2], image[..., 2])


def covered_visibility(
    at: torch.Tensor,
    normals: torch.Tensor,
    camera: Camera,
    depth: torch.Tensor,
    bias: float = 5e-4,
) -> Visibility:
    """Which points the camera sees, by comparing with a depth buffer of the whole head: (N,) each.

    at, normals: (N, 3) metres, model space. depth: (H, W) of
    `rasterize` with the same camera, infinite where empty. bias: metres a texel may lie behind
    the buffer; to this the depth step over a bilinear lookup on the texel's own slope is added
    (Williams 1978 describes the false self-shadow; the slope term is ours). A texel is visible
    if it faces the camera, and all four pixels that a bilinear lookup there would blend show
    the head and nothing nearer than the texel.
    """
    pixels, texel_depth = project(at, camera)
    facing = (unit(normals) * unit(camera_centre(camera) - at)).sum(-1)
    slope = torch.sqrt(1 - facing.clamp(0, 1) ** 2) / facing.clamp(min=0.05)
    footprint = texel_depth / torch.minimum(camera.intrinsics[0, 0], camera.intrinsics[1, 1])
    allowed = texel_depth - bias - _REACH * slope * footprint
    seen = (facing > 0) & _nothing_nearer(pixels, texel_depth, allowed, depth)
    return Visibility(seen, facing, pixels, texel_depth)


def _nothing_nearer(
    pixels: torch.Tensor, texel_depth: torch.Tensor, allowed: torch.Tensor, depth: torch.Tensor
) -> torch.Tensor:
    """(N,) bool: in the picture, and all four pixels around show the head, not nearer than allowed.

    pixels: (N, 2). texel_depth, allowed: (N,) metres. depth: (H, W).
    """
    height, width = depth.shape
    seen = (texel_depth > 0) & (pixels >= 0).all(-1)
    seen &= (pixels[:, 0] <= width) & (pixels[:, 1] <= height)
    corner = torch.nan_to_num(pixels - 0.5).clamp(-1, max(height, width)).floor().long()
    flat = depth.reshape(-1)
    for dx, dy in ((0, 0), (1, 0), (0, 1), (1, 1)):
        column = (corner[:, 0] + dx).clamp(0, width - 1)
        row = (corner[:, 1] + dy).clamp(0, height - 1)
        nearest = flat.index_select(0, row * width + column)
        seen &= (nearest >= allowed) & torch.isfinite(nearest)
    return seen


def padding_sources(valid: torch.Tensor, margin: int) -> torch.Tensor:
    """(S, S) int64: flat index of the valid texel to copy from, for texels within margin.

    valid: (S, S) bool. margin: texels. The source is the nearest valid texel, or one that is at
    most 3 % further away (the 5 x 5 chamfer distance of Borgefors 1986); valid texels and those
    out of reach point to themselves. Depends on the layout only: build it once.
    """
    holes = np.where(valid.numpy(force=True), np.uint8(0), np.uint8(1))
    itself = np.arange(holes.size).reshape(holes.shape)
    if holes.all():
        return torch.from_numpy(itself).to(valid.device)
    distance, label = cv2.distanceTransformWithLabels(
        holes, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    texel_of_label = np.zeros(int(label.max()) + 1, dtype=np.int64)
    texel_of_label[label[holes == 0]] = itself[holes == 0]
    sources = np.where(distance <= margin, texel_of_label[label], itself)
    return torch.from_numpy(sources).to(valid.device)


def pad_texture(
    texture: torch.Tensor, valid: torch.Tensor, margin: int, sources: torch.Tensor | None = None
) -> torch.Tensor:
    """Texture (S, S, C) with the colours of valid texels bled `margin` texels over the seams.

    valid: (S, S) bool. sources: of `padding_sources`, when built before. Differentiable in
    texture.
    """
    sources = padding_sources(valid, margin) if sources is None else sources
    flat = texture.reshape(-1, texture.shape[-1])
    return flat.index_select(0, sources.reshape(-1)).reshape(texture.shape)
