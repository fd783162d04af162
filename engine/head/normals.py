"""Face and vertex normals."""

import torch

_TINY = 1e-30
"""Squared length below which a vector counts as zero. Ours: a triangle with 0.01 mm edges has a
squared area vector of 1e-20 square metres squared, far above."""


def unit(vectors: torch.Tensor) -> torch.Tensor:
    """(..., 3) vectors scaled to length 1; zero vectors stay zero and have zero gradient."""
    x, y, z = vectors.unbind(-1)
    squared = x * x + y * y + z * z
    length = torch.sqrt(torch.where(squared > _TINY, squared, torch.inf))
    return vectors / length[..., None]


def area_vectors(vertices: torch.Tensor, triangles: torch.Tensor) -> torch.Tensor:
    """(T, 3) face normals whose length is twice the triangle's area.

    vertices: (V, 3). triangles: (T, 3) integer, counter-clockwise from outside. Differentiable.
    """
    corners = [vertices.index_select(0, triangles[:, i].long()) for i in range(3)]
    return torch.linalg.cross(corners[1] - corners[0], corners[2] - corners[0])


def face_normals(vertices: torch.Tensor, triangles: torch.Tensor) -> torch.Tensor:
    """(T, 3) unit outward face normals; zero for triangles without area. Differentiable."""
    return unit(area_vectors(vertices, triangles))


def vertex_normals(vertices: torch.Tensor, triangles: torch.Tensor) -> torch.Tensor:
    """(V, 3) unit vertex normals, faces weighted by their area. Differentiable.

    vertices: (V, 3). triangles: (T, 3) integer. Vertices without faces get a zero normal.
    Area weighting is the sum of unnormalised cross products (Gouraud's average; weights as
    in Max 1999, "Weights for computing vertex normals", eq. 1).
    """
    areas = area_vectors(vertices, triangles)
    total = torch.zeros_like(vertices)
    for i in range(3):
        total = total.index_add(0, triangles[:, i].long(), areas)
    return unit(total)
