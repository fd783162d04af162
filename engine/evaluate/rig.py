"""Light for pictures of known heads: environments of many small lamps, with shadows and gloss.

The fit knows nine numbers of diffuse light without shadows. What it is measured on should not be
made by the same formula, so here light comes from a sphere of directions and from lamps, is cut
off by the head itself, and is thrown back by the skin's surface as well.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ..head.normals import vertex_normals
from ..render.shadows import reached_by_light

SKY = 96
"""Directions of a whole sphere. Ours: 20 degrees apart, below the width of a soft shadow."""
LAMP_SAMPLES, LAMP_RADIUS = 7, 4.0
"""Directions of a lamp, and its radius in degrees: a bare bulb or the sun through thin haze."""
SHADOW_SIZE = 384
"""Pixels a side of a shadow map."""
F0 = 0.028
"""Reflection of skin at right angles: index of refraction 1.4 (Weyrich et al. 2006)."""
ROUGHNESS = 0.35
"""Width of the gloss (GGX alpha); facial skin lies from 0.2 to 0.45 (Weyrich et al. 2006)."""
_FACE_NORMALS = ((0, 0, 1), (1, 0, 1), (-1, 0, 1), (0, 1, 1.5), (0, -1, 1.5))


@dataclass(frozen=True)
class Lamp:
    """direction: towards it, of any length; colour: linear RGB shading of a surface facing it."""

    direction: tuple[float, float, float]
    colour: tuple[float, float, float]


@dataclass(frozen=True)
class Glow:
    """A wide part of the sky: radiance colour x exp(sharpness (cos - 1)) round a direction."""

    direction: tuple[float, float, float]
    colour: tuple[float, float, float]
    sharpness: float


@dataclass(frozen=True)
class Environment:
    """Light from everywhere. Axes as the face's, whatever the head's pose: +x its left, +y up, +z
    before it. ambient: linear RGB radiance of the whole sphere.

    exposure: mean shading of a face without shadows, as a light meter held before it would read;
    at 1 a white card is just white.
    """

    name: str
    ambient: tuple[float, float, float]
    glows: tuple[Glow, ...] = ()
    lamps: tuple[Lamp, ...] = ()
    exposure: float = 1.0

    def powers(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(SKY, 3) radiance x solid angle of `fibonacci_sphere(SKY)`, then of the lamps (N, 3)
        unit directions and (N, 3) the same; metered to `exposure`."""
        sky = fibonacci_sphere(SKY)
        radiance = np.tile(np.asarray(self.ambient), (SKY, 1))
        for glow in self.glows:
            lobe = np.exp(glow.sharpness * (sky @ _unit(glow.direction) - 1.0))
            radiance = radiance + lobe[:, None] * np.asarray(glow.colour)
        power = radiance * (4.0 * math.pi / SKY)
        discs = [_disc(_unit(lamp.direction)) for lamp in self.lamps]
        towards = np.concatenate([np.zeros((0, 3)), *discs])
        # A surface that faces a lamp of irradiance E has the shading E / pi.
        shares = [np.asarray(lamp.colour) * (math.pi / LAMP_SAMPLES) for lamp in self.lamps]
        lamps = np.repeat(np.asarray(shares).reshape(-1, 3), LAMP_SAMPLES, axis=0)
        whole = _metered(np.concatenate([sky, towards]), np.concatenate([power, lamps]))
        gain = self.exposure / whole
        return power * gain, towards, lamps * gain


FIVE_LIGHTS = (
    Environment("soft", (0.25,) * 3, (Glow((0.7, 0.7, 0.9), (1.9, 1.9, 1.9), 2.5),), (), 1.0),
    Environment("hard side", (0.14,) * 3, (), (Lamp((1.0, 0.35, 0.45), (1.4, 1.36, 1.32)),), 0.85),
    Environment(
        "coloured",
        (0.34, 0.28, 0.22),
        (Glow((0.2, 1.0, 0.4), (0.6, 0.46, 0.33), 3.0),),
        (Lamp((-0.7, 0.7, 0.7), (0.75, 0.62, 0.48)),),
        0.95,
    ),
    Environment(
        "two-tone",
        (0.10, 0.10, 0.11),
        (),
        (Lamp((0.9, 0.2, 0.5), (0.9, 0.66, 0.42)), Lamp((-0.9, 0.1, 0.4), (0.36, 0.52, 0.76))),
        0.9,
    ),
    Environment(
        "backlit",
        (0.22, 0.23, 0.25),
        (Glow((0.6, -0.2, 1.0), (0.35, 0.36, 0.38), 1.5),),
        (Lamp((-0.9, 0.6, -0.35), (2.6, 2.5, 2.2)),),
        0.85,
    ),
)
"""Ours: what portraits are lit by, exposed as cameras do that look for faces, within a quarter of a
stop: hard light is kept from burning out, and a face against the light stays a little dark."""


def fibonacci_sphere(count: int) -> np.ndarray:
    """(count, 3) unit directions, evenly spread (Gonzalez 2010)."""
    index = np.arange(count) + 0.5
    height = 1.0 - 2.0 * index / count
    azimuth = math.pi * (1.0 + math.sqrt(5.0)) * index
    radius = np.sqrt(1.0 - height**2)
    return np.stack([radius * np.cos(azimuth), height, radius * np.sin(azimuth)], -1)


def _unit(vector: Sequence[float]) -> np.ndarray:
    array = np.asarray(vector, np.float64)
    return array / np.linalg.norm(array)


def _disc(centre: np.ndarray) -> np.ndarray:
    """(LAMP_SAMPLES, 3) unit directions: one in the middle, the others on a ring."""
    side = _unit(np.cross(centre, [0.0, 1.0, 0.0] if abs(centre[1]) < 0.9 else [1.0, 0.0, 0.0]))
    up = np.cross(side, centre)
    turn = 2.0 * math.pi * np.arange(LAMP_SAMPLES - 1) / (LAMP_SAMPLES - 1)
    ring = np.cos(turn)[:, None] * side + np.sin(turn)[:, None] * up
    near = centre + math.tan(math.radians(LAMP_RADIUS)) * 0.75 * ring
    near = near / np.linalg.norm(near, axis=-1, keepdims=True)
    return np.concatenate([centre[None], near])


def _metered(towards: np.ndarray, power: np.ndarray) -> float:
    """Mean shading of a convex face: of normals that look forward, up, down and to both sides."""
    normals = np.array([_unit(each) for each in _FACE_NORMALS])
    cosine = np.maximum(normals @ towards.T, 0.0)
    return float((cosine @ power).mean() / math.pi)


@dataclass(frozen=True, eq=False)
class VertexLight:
    """Of each vertex: diffuse (V, 3) factor of the linear albedo, gloss (V, 3) added to it."""

    diffuse: torch.Tensor
    gloss: torch.Tensor


def light_vertices(
    vertices: torch.Tensor,
    triangles: torch.Tensor,
    environments: Sequence[Environment],
    eye: torch.Tensor,
) -> list[VertexLight]:
    """Light with the head's own shadows at each vertex, one for each environment.

    vertices (V, 3); triangles (T, 3); eye (3,): position of the camera. Gloss: GGX with Smith's
    shadowing (Walter et al. 2007) and Schlick's Fresnel term (Schlick 1994).
    """
    normals = vertex_normals(vertices, triangles)
    view = torch.nn.functional.normalize(eye - vertices, dim=-1)
    facing = (normals * view).sum(-1).clamp(min=0.05)
    towards, power = _all_lights(environments)
    diffuse = torch.zeros(len(environments), len(vertices), 3)
    gloss = torch.zeros_like(diffuse)
    for direction, amounts in zip(towards, power, strict=True):
        to = torch.from_numpy(direction).to(vertices)
        cosine = (normals @ to).clamp(min=0.0)
        lit = cosine * reached_by_light(vertices, triangles, normals, to, SHADOW_SIZE)
        shine = lit * _gloss(normals, view, facing, to, cosine)
        for index in np.flatnonzero(amounts.any(axis=1)):
            energy = torch.from_numpy(amounts[index]).to(vertices)
            diffuse[index] += (lit / math.pi)[:, None] * energy
            gloss[index] += shine[:, None] * energy
    return [VertexLight(*pair) for pair in zip(diffuse, gloss, strict=True)]


def _all_lights(environments: Sequence[Environment]) -> tuple[np.ndarray, np.ndarray]:
    """(N, 3) directions of all environments, the sky's once, and (N, E, 3) their powers."""
    found = [environment.powers() for environment in environments]
    directions = [fibonacci_sphere(SKY)] + [towards for _, towards, _ in found]
    power = np.zeros((sum(map(len, directions)), len(environments), 3))
    start = SKY
    for index, (sky, towards, lamps) in enumerate(found):
        power[:SKY, index] = sky
        power[start : start + len(towards), index] = lamps
        start += len(towards)
    return np.concatenate(directions), power


def _gloss(
    normals: torch.Tensor,
    view: torch.Tensor,
    facing: torch.Tensor,
    to: torch.Tensor,
    cosine: torch.Tensor,
) -> torch.Tensor:
    """(V,) reflectance distribution of the surface, without the cosine."""
    half = torch.nn.functional.normalize(view + to, dim=-1)
    square = ROUGHNESS**2
    middle = (normals * half).sum(-1).clamp(0.0, 1.0)
    spread = square / (math.pi * (middle**2 * (square - 1.0) + 1.0) ** 2)
    fresnel = F0 + (1.0 - F0) * (1.0 - (view * half).sum(-1).clamp(0.0, 1.0)) ** 5

    def shadow(x: torch.Tensor) -> torch.Tensor:
        return 2.0 * x / (x + torch.sqrt(square + (1.0 - square) * x * x))

    lamp = cosine.clamp(min=1e-3)
    return spread * fresnel * shadow(facing) * shadow(lamp) / (4.0 * facing * lamp)
