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

    `shade(n, rotate_light(l, R)) == shade(R^T n, l)`. Solved from samples, since a rotated
    degree-2 expansion is again one (Ramamoorthi & Hanrahan 2001, section 3).
    """
    directions = _SAMPLE_DIRECTIONS.to(light)
    wanted = shade(directions @ rotation.to(light), light)
    return torch.linalg.lstsq(conventions.sh_basis(directions, xp=torch), wanted).solution


def _sample_directions() -> torch.Tensor:
    """(16, 3) well spread unit directions: a Fibonacci sphere (ours; any 9 in general position)."""
    index = torch.arange(16, dtype=torch.float64) + 0.5
    height = 1 - 2 * index / 16
    azimuth = math.pi * (1 + math.sqrt(5)) * index
    radius = torch.sqrt(1 - height * height)
    return torch.stack([radius * azimuth.cos(), radius * azimuth.sin(), height], -1)


_SAMPLE_DIRECTIONS = _sample_directions()


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
