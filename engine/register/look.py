"""What the landmark network sees of a surface, from several sides."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.spatial import cKDTree

from ..head.camera import Camera, project
from ..head.lighting import directional_light
from ..head.normals import unit
from ..nets.bundle import Nets
from ..nets.crop import SquareCrop
from ..nets.face_mesh import CROP_SCALE, INPUT, FaceMesh, crop_from_points, run_mesh
from ..protocol.conventions import ambient_light
from ..render.render import clay_materials, render_head
from .surface import triangle_normals

TINT = np.array([1.0, 0.85, 0.75])
"""Clay is made the colour of skin. Ours: the networks have seen little grey skin."""
BACKGROUND = 0.1
"""Linear grey behind it."""
FACING = 0.35
"""Least cosine of a triangle's normal and the view direction for a landmark to lie on it."""
REACH = 0.02
"""Of the picture's side: how far a dot beside the skin (on an eye, say) may be moved to it."""


@dataclass(frozen=True, eq=False)
class Shown:
    """A picture (S, S, 3) f32 sRGB-like and the surface under its pixels: triangle (S, S), -1
    where none, and barycentric (S, S, 3)."""

    picture: np.ndarray
    triangle: np.ndarray
    barycentric: np.ndarray
    camera: Camera


@dataclass(frozen=True, eq=False)
class Dots:
    """Landmarks on a surface: triangle (468,) (-1: not on it), barycentric (468, 3), position
    (468, 3) (NaN where not), presence in [0, 1]."""

    triangle: np.ndarray
    barycentric: np.ndarray
    position: np.ndarray
    presence: float


def show(vertices: np.ndarray, triangles: np.ndarray, camera: Camera) -> Shown:
    """Clay picture of a surface (V, 3), (T, 3), lit softly from the camera's front."""
    points = torch.from_numpy(vertices.astype(np.float32))
    index = torch.from_numpy(triangles.astype(np.int64))
    part = torch.zeros(len(index), dtype=torch.int64)
    uv = torch.zeros(len(index), 3, 2)
    with torch.no_grad():
        light = _light(camera)
        output = render_head(points, index, uv, part, clay_materials(1), light, camera)
    linear = (output.rgb + BACKGROUND * (1.0 - output.alpha[..., None])).clamp(0, 1).sqrt().numpy()
    fragments = output.fragments
    return Shown(
        (linear * TINT).astype(np.float32),
        fragments.triangle.numpy(),
        fragments.barycentric.numpy(),
        camera,
    )


def _light(camera: Camera) -> torch.Tensor:
    """(9, 3): ambient and two wide lamps before the face, fixed to the camera (ours: form reads
    best where no part of the face lies in the dark)."""
    light = torch.as_tensor(ambient_light(0.50), dtype=torch.float32)
    for direction, level in (((-0.45, -0.55, -1.0), 0.42), ((0.75, -0.25, -0.7), 0.16)):
        ahead = unit(torch.tensor(direction)) @ camera.rotation
        light = light + directional_light(ahead, torch.full((3,), level))
    return light


def first_crop(camera: Camera, middle: np.ndarray, side: float) -> SquareCrop:
    """Crop around a face whose place (3,) and size in metres are known."""
    pixel, depth = project(torch.as_tensor(middle[None], dtype=torch.float32), camera)
    wide = CROP_SCALE * side * float(camera.intrinsics[0, 0] / depth[0])
    return SquareCrop(float(pixel[0, 0]), float(pixel[0, 1]), wide, 0.0, INPUT)


def see(nets: Nets, shown: Shown, crop: SquareCrop) -> FaceMesh:
    """The landmarks of a face that is somewhere in the crop: two passes."""
    mesh = run_mesh(nets.landmarks, shown.picture, crop)
    return run_mesh(nets.landmarks, shown.picture, crop_from_points(mesh.points))


def lift(
    mesh: FaceMesh,
    shown: Shown,
    vertices: np.ndarray,
    triangles: np.ndarray,
    usable: np.ndarray,
) -> Dots:
    """Landmarks put on the surface under them; usable (T,) bool: where they may lie."""
    facing = _facing(vertices, triangles, shown.camera)
    good = np.append(usable & facing, False)[shown.triangle]
    rows, columns = np.nonzero(good)
    count = len(mesh.points)
    if not len(rows):
        empty = np.full((count, 3), np.nan)
        return Dots(np.full(count, -1), np.zeros((count, 3)), empty, mesh.presence)
    centres = np.stack([columns, rows], axis=1) + 0.5
    distance, nearest = cKDTree(centres).query(mesh.points[:, :2])
    hit = distance <= REACH * len(good)
    row, column = rows[nearest], columns[nearest]
    triangle = np.where(hit, shown.triangle[row, column], -1)
    weights = shown.barycentric[row, column].astype(np.float64)
    position = np.einsum("lk,lkc->lc", weights, vertices[triangles[triangle]])
    position[~hit] = np.nan
    return Dots(triangle, weights, position, mesh.presence)


def _facing(vertices: np.ndarray, triangles: np.ndarray, camera: Camera) -> np.ndarray:
    normals = triangle_normals(vertices, triangles)
    return normals @ camera.rotation.numpy()[2].astype(np.float64) < -FACING
