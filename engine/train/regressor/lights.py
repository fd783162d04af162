"""Random environments as radiance from some directions, and the shading of vertices by them.

Self-shadowing is a table of which directions a vertex of the mean head sees (precomputed
visibility, after Sloan et al. 2002, but by direction instead of by spherical harmonics).
"""

import math

import numpy as np
import torch

from ...protocol.conventions import SH_COSINE_LOBE, sh_basis
from ...render.rasterize import rasterize

DIRECTIONS = 112
SHADOW_PIXELS = 160
SHADOW_BIAS = 0.004
"""Metres by which a surface may lie behind the z-buffer and still be lit. Ours."""
GLOSS = 16
"""Exponent of the highlight's lobe: oily to dry skin is about 10 to 40 (ours)."""
REFLECTANCE = 0.028
"""Of skin at normal incidence (index of refraction 1.4; Weyrich et al. 2006)."""
BLEED = 0.18
"""How far red light wraps round the terminator: a stand-in for scattering under the skin."""

_ROWS = 256
"""Vertices shaded at a time: their tables stay in the cache."""


def sphere(count: int = DIRECTIONS) -> np.ndarray:
    """(count, 3) unit directions, evenly spread: a Fibonacci sphere."""
    index = np.arange(count) + 0.5
    height = 1.0 - 2.0 * index / count
    azimuth = math.pi * (1.0 + math.sqrt(5.0)) * index
    radius = np.sqrt(1.0 - height**2)
    return np.stack([radius * np.cos(azimuth), height, radius * np.sin(azimuth)], -1)


def visibility(vertices: np.ndarray, triangles: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """(V, D) float32 in [0, 1]: does a vertex see the sky there? By parallel z-buffers.

    vertices (V, 3) metres, triangles (T, 3), directions (D, 3) unit.
    """
    table = np.empty((len(vertices), len(directions)), np.float32)
    radius = float(np.linalg.norm(vertices, axis=1).max())
    scale = SHADOW_PIXELS / (2.0 * radius)
    faces = torch.from_numpy(triangles.astype(np.int64))
    for number, direction in enumerate(directions):
        side = np.cross(direction, [0.0, 1.0, 0.0] if abs(direction[1]) < 0.9 else [1.0, 0.0, 0.0])
        side /= np.linalg.norm(side)
        axes = np.stack([side, np.cross(direction, side), -direction])
        seen = vertices @ axes.T
        pixels = seen[:, :2] * scale + SHADOW_PIXELS / 2.0
        # Far enough that the perspective-correct depth is parallel for our purposes.
        depth = seen[:, 2] + 50.0 * radius
        found = rasterize(
            torch.from_numpy(pixels).float(),
            torch.from_numpy(depth).float(),
            faces,
            SHADOW_PIXELS,
            SHADOW_PIXELS,
        ).depth.numpy()
        column, row = (np.clip(pixels[:, i].astype(int), 0, SHADOW_PIXELS - 1) for i in (0, 1))
        table[:, number] = depth < found[row, column] + SHADOW_BIAS
    return table


def random_environment(rng: np.random.Generator, directions: np.ndarray) -> np.ndarray:
    """(D, 3) linear radiance: a room or the open, windows, lamps; mean brightness about 1."""
    warm = rng.normal(0.0, 0.5)
    sky, ground = _tint(warm + rng.normal(0.0, 0.3)), _tint(warm + rng.normal(0.3, 0.3))
    up = directions[:, 1:2]
    blend = 1.0 / (1.0 + np.exp(-up * rng.uniform(1.0, 6.0)))
    level = rng.uniform(0.05, 0.8)
    light = level * (blend * sky + (1.0 - blend) * ground * rng.uniform(0.15, 0.9))
    for _ in range(int(rng.integers(1, 5))):
        centre = rng.standard_normal(3) + [0.0, 0.5, 0.9]
        centre /= np.linalg.norm(centre)
        sharp = math.exp(rng.uniform(math.log(2.0), math.log(120.0)))
        lobe = np.exp(sharp * (directions @ centre - 1.0))
        lobe *= rng.gamma(1.2, 0.35) * len(directions) / max(lobe.sum(), 1e-6)
        strange = rng.random() < 0.05
        colour = rng.uniform(0.2, 1.0, 3) if strange else _tint(warm + rng.normal(0.0, 0.5))
        light = light + lobe[:, None] * colour
    return light / light.mean()


def _tint(warmth: float) -> np.ndarray:
    """(3,) linear RGB of a light, green 1: about -1 is blue sky, 0 daylight, 2 a bulb."""
    return np.array([math.exp(0.30 * warmth), 1.0, math.exp(-0.45 * warmth)])


def environment_light(radiance: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """(9, 3) shading light of an environment without shadows (Ramamoorthi & Hanrahan 2001)."""
    weight = 4.0 * math.pi / len(directions)
    projected = weight * sh_basis(directions).T @ radiance
    return projected * (np.asarray(SH_COSINE_LOBE) / math.pi)[:, None]


def shade_vertices(
    normals: np.ndarray,
    view: np.ndarray,
    radiance: np.ndarray,
    directions: np.ndarray,
    seen: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Diffuse shading and highlight, (V, 3) each, linear.

    normals, view (V, 3): unit, towards the eye; radiance (D, 3); seen (V, D) of `visibility`.
    """
    open_sky = radiance.astype(np.float32) * np.float32(4.0 / len(directions))  # angle over pi
    normals, view = normals.astype(np.float32), view.astype(np.float32)
    towards = np.ascontiguousarray(directions.T, np.float32)
    parts = [
        _shade_some(normals[rows], view[rows], open_sky, towards, seen[rows])
        for rows in (slice(n, n + _ROWS) for n in range(0, len(normals), _ROWS))
    ]
    diffuse, shine = (np.concatenate(part) for part in zip(*parts, strict=True))
    return diffuse + 0.08 * diffuse.mean(0), shine  # light from skin to skin


def _shade_some(
    normals: np.ndarray,
    view: np.ndarray,
    open_sky: np.ndarray,
    towards: np.ndarray,
    seen: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    cosine = normals @ towards
    diffuse = (np.maximum(cosine, 0.0) * seen) @ open_sky
    wrapped = np.maximum(cosine + np.float32(BLEED), 0.0)
    wrapped *= np.float32(0.3 / (1.0 + BLEED)) + np.float32(0.7 / (1.0 + BLEED)) * seen
    diffuse[:, 0] = 0.6 * diffuse[:, 0] + 0.4 * (wrapped @ open_sky[:, 0])
    facing = np.clip((normals * view).sum(1, keepdims=True), 0.0, 1.0)
    lobe = np.maximum((2.0 * facing * normals - view) @ towards, 0.0)
    for _ in range(int(math.log2(GLOSS))):
        lobe *= lobe
    lobe *= seen
    shine = lobe @ open_sky * np.float32((GLOSS + 1) / 2.0)
    fresnel = REFLECTANCE + (1.0 - REFLECTANCE) * (1.0 - facing) ** 5
    return diffuse, shine * fresnel * np.minimum(1.0, 3.0 * facing)
