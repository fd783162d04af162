"""Perspective-correct interpolation over a raster; differentiable."""

from typing import Protocol

import torch


class Located(Protocol):
    """What interpolation needs: covered pixels of a raster with triangle and weights."""

    triangle: torch.Tensor
    barycentric: torch.Tensor
    covered: torch.Tensor


def barycentric(
    pixels: torch.Tensor, depth: torch.Tensor, triangles: torch.Tensor, fragments: Located
) -> torch.Tensor:
    """(H, W, 3) perspective-correct weights, differentiable in pixels (V, 2) and depth (V,).

    The choice of triangle is taken from `fragments`. 0 where empty.
    """
    height, width = fragments.triangle.shape
    weights = covered_barycentric(pixels, depth, triangles, fragments)
    return to_image(weights, fragments.covered, height, width)


def covered_barycentric(
    pixels: torch.Tensor, depth: torch.Tensor, triangles: torch.Tensor, fragments: Located
) -> torch.Tensor:
    """As `barycentric`, but only the covered pixels: (N, 3) in the order of `covered`."""
    chosen = covered_triangles(fragments)
    width = fragments.triangle.shape[1]
    return covered_weights(pixels, depth, triangles, chosen, fragments.covered, width)


def found_weights(
    pixels: torch.Tensor, depth: torch.Tensor, triangles: torch.Tensor, fragments: Located
) -> torch.Tensor:
    """As `covered_barycentric` of the very points that were rasterised: (N, 3).

    Where no gradient is wanted the rasteriser's own weights are read, which are the same.
    """
    if torch.is_grad_enabled() and (pixels.requires_grad or depth.requires_grad):
        return covered_barycentric(pixels, depth, triangles, fragments)
    return fragments.barycentric.reshape(-1, 3).index_select(0, fragments.covered)


def covered_triangles(fragments: Located) -> torch.Tensor:
    """(N,) int64 triangle of each covered pixel."""
    return fragments.triangle.reshape(-1).index_select(0, fragments.covered).long()


def covered_weights(
    pixels: torch.Tensor,
    depth: torch.Tensor,
    triangles: torch.Tensor,
    chosen: torch.Tensor,
    covered: torch.Tensor,
    width: int,
) -> torch.Tensor:
    """(N, 3) weights of triangles `chosen` at pixels `covered` (both (N,)), differentiable.

    Areas opposite to each corner, divided by its depth, scaled to sum 1 (Blinn 1992).
    """
    row = torch.div(covered, width, rounding_mode="floor")
    py, px = row.to(pixels.dtype) + 0.5, (covered - row * width).to(pixels.dtype) + 0.5
    corner = [triangles[:, i].long().index_select(0, chosen) for i in range(3)]
    flat_x, flat_y = pixels[:, 0].contiguous(), pixels[:, 1].contiguous()
    # Corners relative to the pixel: small numbers, so single precision is enough.
    x = [flat_x.index_select(0, c) - px for c in corner]
    y = [flat_y.index_select(0, c) - py for c in corner]
    parts = []
    for i in range(3):
        j, k = (i + 1) % 3, (i + 2) % 3
        parts.append((x[j] * y[k] - x[k] * y[j]) / depth.index_select(0, corner[i]))
    total = parts[0] + parts[1] + parts[2]
    flat = total == 0  # below single precision though not in double: any corner will do
    total = torch.where(flat, torch.ones_like(total), total)
    first = torch.where(flat, torch.ones_like(total), parts[0] / total)
    return torch.stack([first, parts[1] / total, parts[2] / total], -1)


def interpolate(
    attributes: torch.Tensor,
    fragments: Located,
    triangles: torch.Tensor | None = None,
    weights: torch.Tensor | None = None,
) -> torch.Tensor:
    """(H, W, C) attributes at each pixel, 0 where empty. Differentiable in attributes and weights.

    attributes: per vertex (V, C), with triangles (T, 3) given, or per corner (T, 3, C). weights:
    (H, W, 3) from `barycentric` for gradients to positions; else those of `fragments`.
    """
    height, width = fragments.triangle.shape
    weights = fragments.barycentric if weights is None else weights
    chosen = weights.reshape(-1, 3).index_select(0, fragments.covered)
    values = interpolate_covered(attributes, fragments, triangles, chosen)
    return to_image(values, fragments.covered, height, width)


def interpolate_covered(
    attributes: torch.Tensor,
    fragments: Located,
    triangles: torch.Tensor | None,
    weights: torch.Tensor,
) -> torch.Tensor:
    """As `interpolate`, but only the covered pixels: weights (N, 3) to values (N, C)."""
    chosen = covered_triangles(fragments)
    per_corner = attributes.dim() == 3
    if not per_corner and triangles is None:
        raise ValueError("per-vertex attributes (V, C) need triangles (T, 3)")
    rows = attributes.reshape(-1, attributes.shape[-1])
    total = None
    for i in range(3):
        place = chosen * 3 + i if per_corner else triangles[:, i].long().index_select(0, chosen)
        part = rows.index_select(0, place) * weights[:, i : i + 1]
        total = part if total is None else total + part
    return total


def to_image(values: torch.Tensor, covered: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """(N, C) values of covered pixels to an image (H, W, C), 0 elsewhere."""
    image = values.new_zeros(height * width, values.shape[-1])
    return image.index_copy_(0, covered, values).reshape(height, width, -1)
