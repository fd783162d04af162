"""Photos of a scanned head: real ones that lie beside the scan, else ones that we render."""

import hashlib

import numpy as np
import torch

from ..fit.loaded import LoadedPack
from ..photo.load import Photo, load_photo
from ..protocol.albedo import scatter_texels
from ..protocol.conventions import bytes_to_unit, linear_to_srgb, srgb_to_linear, unit_to_bytes
from ..register.surface import SurfaceIndex
from ..render.render import Material, orbit_camera, render_head
from .scans_files import ScanFile
from .scans_fit import Scan
from .skin_sheet import soft_light

YAWS = (-45.0, -22.0, 0.0, 22.0, 45.0)
PITCH = 3.0
"""Degrees of the views that we render. Ours: as far round as people turn for a portrait."""
VIEW_SIZE = 720
BACKGROUND = 0.35
"""Grey behind the rendered heads, sRGB."""


def scan_views(file: ScanFile, scan: Scan, loaded: LoadedPack) -> dict[str, Photo]:
    """Photos by name. Raises EngineError(BAD_INPUT) for a photo that cannot be read."""
    if file.photos:
        return {path.stem: load_photo(path) for path in file.photos}
    return {f"yaw {yaw:+.0f}": _picture(file, scan, loaded, yaw) for yaw in YAWS}


def _picture(file: ScanFile, scan: Scan, loaded: LoadedPack, yaw: float) -> Photo:
    """The scan under soft light, in its own colours, else painted with the model's mean skin."""
    vertices = torch.from_numpy(scan.vertices.astype(np.float32))
    triangles = torch.from_numpy(scan.triangles.astype(np.int64))
    corner_uv, texture = file.corner_uv, file.texture
    if corner_uv is None or texture is None:
        corner_uv, texture = _mean_skin(scan, loaded)
    linear = torch.from_numpy(srgb_to_linear(texture).astype(np.float32))
    output = render_head(
        vertices,
        triangles,
        torch.from_numpy(corner_uv.astype(np.float32)),
        torch.zeros(len(triangles), dtype=torch.int64),
        [Material(torch.ones(3), linear)],
        soft_light(),
        orbit_camera(torch.from_numpy(scan.floor.astype(np.float32)), yaw, PITCH, VIEW_SIZE),
        supersample=2,
    )
    alpha = output.alpha[..., None].numpy()
    picture = linear_to_srgb(np.clip(output.rgb.numpy(), 0.0, 1.0)) + (1.0 - alpha) * BACKGROUND
    pixels = unit_to_bytes(picture)
    sha = hashlib.sha256(pixels.tobytes()).hexdigest()
    return Photo(bytes_to_unit(pixels), VIEW_SIZE, VIEW_SIZE, None, sha, scan.name)


def _mean_skin(scan: Scan, loaded: LoadedPack) -> tuple[np.ndarray, np.ndarray]:
    """Corner UVs (T, 3, 2) of the nearest points of the fitted model, and the mean albedo."""
    head = loaded.head
    inner = np.maximum(head.groups["sockets"], head.groups["mouth"])[head.triangles].max(axis=1)
    outer = np.repeat(head.face_part == head.part_names.index("skin"), 2) & (inner < 0.5)
    skin = np.flatnonzero(outer)
    index = SurfaceIndex(scan.floor, head.triangles[skin])
    hit = index.closest(scan.vertices, None, 4)
    uv = np.einsum("nk,nkc->nc", hit.barycentric, head.triangle_uv[skin][hit.triangle])
    return uv[scan.triangles], scatter_texels(loaded.albedo.mean, loaded.albedo.valid)
