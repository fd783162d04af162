"""Pictures of a registration: a checker and the mean skin in the carried UVs, and the landmarks."""

import cv2
import numpy as np
import torch

from ..head.camera import Camera, project
from ..protocol.albedo import scatter_texels
from ..protocol.albedo_pack import AlbedoModel
from ..protocol.conventions import srgb_to_linear
from ..render.render import Material, orbit_camera, render_head, srgb_view, studio_light_of
from ..result.pictures import contact_sheet
from .carry import face_matched, triangulate_values
from .correspondence import Correspondence, MeshLandmarks
from .mesh import HeadMesh
from .surface import triangulate

VIEWS = ((0.0, 0.0), (45.0, 0.0), (-45.0, 0.0), (90.0, 0.0), (180.0, 0.0))
NAMES = ("front", "45 degrees left", "45 degrees right", "left", "back")
TILE = 448
SQUARES = 64
"""Of the checker, a side of the layout."""
PLAIN = 0.4
"""Linear grey of what is not matched."""
DOT = (1.0, 0.9, 0.2)
HIDDEN = 0.004
"""Metres behind what a camera sees from which a landmark is not drawn."""
_SHIFT = 4


def registration_sheet(
    found: Correspondence, mesh: HeadMesh, corner_uv: np.ndarray, albedo: AlbedoModel | None
) -> np.ndarray:
    """(H, W, 3) sRGB: five views with the checker and landmarks, and five in the mean skin.

    corner_uv (F, 4, 2): of `carry.transfer_uv`. albedo: none leaves the second row out.
    """
    rows = [_row(found, mesh, corner_uv, _checker(), True)]
    if albedo is not None:
        rows.append(_row(found, mesh, corner_uv, scatter_texels(albedo.mean, albedo.valid), False))
    return contact_sheet(rows, TILE)


def _checker() -> np.ndarray:
    """(S, S, 3) sRGB: squares whose colour tells where in the layout they lie."""
    side = 16 * SQUARES
    y, x = np.mgrid[0:side, 0:side]
    light = np.where((x * SQUARES // side + y * SQUARES // side) % 2, 0.85, 0.3)
    colour = np.stack([0.5 + 0.5 * x / side, 0.5 + 0.5 * y / side, 1.0 - 0.5 * x / side], axis=-1)
    return (light[..., None] * colour).astype(np.float32)


def _row(
    found: Correspondence, mesh: HeadMesh, corner_uv: np.ndarray, skin: np.ndarray, dots: bool
) -> list[tuple[np.ndarray, str]]:
    faces = np.flatnonzero(found.skin)
    triangles = torch.from_numpy(triangulate(mesh.faces[faces]).astype(np.int64))
    uv = torch.from_numpy(triangulate_values(corner_uv[faces]).astype(np.float32))
    part = torch.from_numpy(np.repeat(~face_matched(found, mesh)[faces], 2).astype(np.int64))
    vertices = torch.from_numpy(found.mesh_vertices.astype(np.float32))
    texture = torch.from_numpy(srgb_to_linear(skin).astype(np.float32))
    materials = [Material(torch.ones(3), texture), Material(torch.full((3,), PLAIN))]
    frame = torch.from_numpy(found.template_vertices.astype(np.float32))
    out = []
    with torch.no_grad():
        for view, name in zip(VIEWS, NAMES, strict=True):
            camera = orbit_camera(frame, *view, TILE)
            light = studio_light_of(view)
            output = render_head(vertices, triangles, uv, part, materials, light, camera, 2)
            picture = srgb_view(output).numpy()
            if dots:
                depth = output.fragments.depth.numpy()[::2, ::2]
                picture = _dotted(picture, depth, found, mesh, camera)
            out.append((picture, name))
    return out


def _dotted(
    picture: np.ndarray, depth: np.ndarray, found: Correspondence, mesh: HeadMesh, camera: Camera
) -> np.ndarray:
    places = landmark_places(found.landmarks468, found.mesh_vertices, mesh)
    places = places[found.landmarks468.weight > 0]
    pixels, far = (each.numpy() for each in project(torch.from_numpy(places).float(), camera))
    out = np.ascontiguousarray(picture)
    column, row = np.clip(pixels.astype(int), 0, len(picture) - 1).T
    for number in np.flatnonzero(far < depth[row, column] + HIDDEN):
        centre = np.rint(pixels[number] * 2**_SHIFT).astype(int).tolist()
        cv2.circle(out, centre, 20, DOT, -1, cv2.LINE_AA, _SHIFT)
    return out


def landmark_places(marks: MeshLandmarks, vertices: np.ndarray, mesh: HeadMesh) -> np.ndarray:
    """(n, 3) places of landmarks on the mesh with its vertices at `vertices` (V, 3)."""
    corners = vertices[mesh.triangles[marks.triangles]]
    return np.einsum("lk,lkc->lc", marks.barycentric.astype(np.float64), corners)
