"""Spherical-harmonic light: shading, directional lights, rotation, other codes' conventions."""

import math

import torch

from ..protocol import conventions

_FFHQ_UV_SIGNS = (1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0)
_FFHQ_UV_LOBE = (math.pi,) + (2 * math.pi / math.sqrt(3),) * 3 + (2 * math.pi / math.sqrt(8),) * 5
FFHQ_UV_AMBIENT = 0.8
"""Added to the first coefficient of each channel by the FFHQ-UV/UVAPM code before shading."""


def shade(normals: torch.Tensor, light: torch.Tensor) -> torch.Tensor:
    """Diffuse shading of unit normals; differentiable in both.

    normals: (..., 3) unit, model space. light: (9, 3), see `conventions` (irradiance / pi).
    Returns (..., 3) linear RGB factors of the linear albedo; may be negative, as a degree-2
    expansion can be (Ramamoorthi & Hanrahan 2001).
    """
    return conventions.sh_basis(normals, xp=torch) @ light


def directional_light(direction: torch.Tensor, colour: torch.Tensor) -> torch.Tensor:
    """(9, 3) shading light of a distant source, cut at degree 2.

    direction: (3,) unit vector towards the source, model space. colour: (3,) linear RGB shading
    of a white surface that faces it (before the cut; the expansion gives 1.0625 times that).
    Shading of a distant source is max(0, n.d); its coefficients are A_k / pi Y_k(d) up to the
    normalisation of the lobe (Ramamoorthi & Hanrahan 2001, eqs. 8-10).
    """
    lobe = direction.new_tensor(conventions.SH_COSINE_LOBE)
    basis = conventions.sh_basis(direction, xp=torch)
    return (lobe * basis)[:, None] * colour[None, :]


def rotate_light(light: torch.Tensor, rotation: torch.Tensor) -> torch.Tensor:
    """(9, 3) light after the environment was turned by `rotation` (3, 3). Differentiable.

    `shade(n, rotate_light(l, R)) == shade(R^T n, l)`. The turned shading is projected on the basis,
    a mean over the corners of an icosahedron: exact, since they are a spherical 5-design (Delsarte,
    Goethals & Seidel 1977) and the products have degree 4. No solver: torch's gives other bits with
    each address in memory.
    """
    directions, turn = _icosahedron(), rotation.double()
    came_from = (directions[:, :, None] * turn).sum(1)
    terms = conventions.sh_basis(came_from, xp=torch)[:, :, None]
    shading = (terms * light.double()).sum(1, keepdim=True)
    basis = conventions.sh_basis(directions, xp=torch)[:, :, None]
    return (4.0 * math.pi * (basis * shading).mean(0)).to(light)


def _icosahedron() -> torch.Tensor:
    """(12, 3) unit directions of its corners: the cyclic permutations of (0, +-1, +-golden)."""
    golden = (1.0 + math.sqrt(5.0)) / 2.0
    corners = [[0.0, a, b * golden] for a in (-1.0, 1.0) for b in (-1.0, 1.0)]
    turned = [corner[i:] + corner[:i] for corner in corners for i in range(3)]
    return torch.tensor(turned, dtype=torch.float64) / math.hypot(1.0, golden)


def light_from_ffhq_uv(gamma: torch.Tensor) -> torch.Tensor:
    """(27,) light of the FFHQ-UV/UVAPM code to our (9, 3); differentiable.

    That code stores R9 G9 B9, has the terms y and x and their products with z negated, scales
    bands by (pi, 2 pi / sqrt 3, 2 pi / sqrt 8) times the orthonormal constants and adds 0.8 to
    the first coefficient. Its normals are in the rotated head frame (x right, y up, z to the
    viewer): use `rotate_light` to go to model space. Its shading multiplies sRGB-encoded albedo;
    the converter keeps the numbers and does not change that.
    """
    factors = gamma.new_tensor(_FFHQ_UV_SIGNS) * gamma.new_tensor(_FFHQ_UV_LOBE)
    ambient = torch.zeros_like(factors)
    ambient[0] = FFHQ_UV_AMBIENT
    return (factors * (gamma.reshape(3, conventions.SH_COUNT) + ambient)).T


def light_to_ffhq_uv(light: torch.Tensor) -> torch.Tensor:
    """Our (9, 3) light to the (27,) vector of the FFHQ-UV/UVAPM code; see the inverse."""
    factors = light.new_tensor(_FFHQ_UV_SIGNS) * light.new_tensor(_FFHQ_UV_LOBE)
    ambient = torch.zeros_like(factors)
    ambient[0] = FFHQ_UV_AMBIENT
    return (light.T / factors - ambient).reshape(-1)
