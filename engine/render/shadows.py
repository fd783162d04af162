"""Which parts of a mesh a far light reaches: shadow maps."""

import torch

from .rasterize import rasterize

_FAR = 100.0
"""Units of the mesh from its origin to the shadow's camera: as good as parallel light."""
_STEEPEST = 0.15
"""Cosine below which a surface's slope counts as this one's: it hardly gets light anyway."""


def reached_by_light(
    vertices: torch.Tensor,
    triangles: torch.Tensor,
    normals: torch.Tensor,
    towards: torch.Tensor,
    size: int,
) -> torch.Tensor:
    """(V,) in [0, 1]: how much of a far light reaches each vertex past the rest of the mesh.

    vertices (V, 3); triangles (T, 3); normals (V, 3) unit; towards (3,) unit, the light; size:
    pixels a side of the shadow map. Of the four pixels round a vertex those count as free whose
    surface is not nearer to the light (percentage-closer filtering, Reeves et al. 1987). Surfaces
    turned away from the light have no meaning: their cosine is 0.
    """
    side = torch.tensor([0.0, 1.0, 0.0] if abs(float(towards[1])) < 0.9 else [1.0, 0.0, 0.0])
    right = torch.nn.functional.normalize(torch.linalg.cross(side.to(towards), towards), dim=0)
    up = torch.linalg.cross(towards, right)
    flat = torch.stack([vertices @ right, vertices @ up], -1)
    low, high = flat.amin(0), flat.amax(0)
    scale = (size - 4.0) / float((high - low).max())
    pixels = (flat - low) * scale + 2.0
    depth = _FAR - vertices @ towards
    buffer = rasterize(pixels, depth, triangles, size, size).depth
    # The surface itself lies nearer by its slope over a pixel; more counts as something between.
    cosine = (normals @ towards).clamp(min=_STEEPEST)
    slack = (1.5 * torch.sqrt(1.0 - cosine**2) / cosine + 0.5) / scale
    corner = (pixels - 0.5).floor().long()
    part = pixels - 0.5 - corner
    share = torch.zeros(len(vertices)).to(vertices)
    for dx, dy in ((0, 0), (1, 0), (0, 1), (1, 1)):
        column = (corner[:, 0] + dx).clamp(0, size - 1)
        row = (corner[:, 1] + dy).clamp(0, size - 1)
        free = (buffer[row, column] > depth - slack).to(vertices)
        across = part[:, 0] if dx else 1.0 - part[:, 0]
        along = part[:, 1] if dy else 1.0 - part[:, 1]
        share += across * along * free
    return share
